# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running commands and telling how far the work is."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import IO

from .errors import SetupError

Argument = str | Path
LAST_LINES = 12


def run(
    command: Sequence[Argument],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    text: str | None = None,
    stdin: IO[bytes] | None = None,
    timeout: float | None = None,
    log: Path | None = None,
    holds_lock: bool = True,
) -> str:
    """Run a command and return its standard output.

    Raises SetupError with the command's own last words when it fails. With `log`, all output goes to that file.
    The command holds the test bed's lock, if there is one: should this process be killed, the next one waits until
    the command has ended, instead of working against it.
    """
    words = [str(word) for word in command]
    shown = " ".join(words[:6])
    try:
        if log:
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("ab") as out:
                done = subprocess.run(
                    words,
                    env=env,
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    close_fds=not holds_lock,
                    check=False,
                )
            said = log.read_text(errors="replace") if done.returncode else ""
            output = ""
        else:
            done = subprocess.run(
                words,
                env=env,
                cwd=cwd,
                stdin=stdin if stdin or text is not None else subprocess.DEVNULL,
                input=text.encode() if text is not None else None,
                capture_output=True,
                timeout=timeout,
                close_fds=not holds_lock,
                check=False,
            )
            output = done.stdout.decode(errors="replace")
            said = done.stderr.decode(errors="replace") or output
    except FileNotFoundError:
        raise SetupError(f"The command `{words[0]}` is not installed.") from None
    except subprocess.TimeoutExpired:
        raise SetupError(f"`{shown}` did not end within {timeout:.0f} s.") from None
    if done.returncode:
        last = "\n".join(last_words(said))
        where = f" (all of it: {log})" if log else ""
        raise SetupError(f"`{shown}` failed with status {done.returncode}{where}:\n{last}")
    return output


def last_words(said: str) -> list[str]:
    """The last lines of a command's output, less the stack traces that Go programs print after their errors.

    In these, each function's name stands above its place, which is indented by a tab.
    """
    lines = said.strip().splitlines()
    kept = [
        line
        for line, following in zip_longest(lines, lines[1:], fillvalue="")
        if not line.startswith("\t") and not following.startswith("\t")
    ]
    return kept[-LAST_LINES:]


def succeeds(command: Sequence[Argument], *, env: Mapping[str, str] | None = None, timeout: float = 30) -> bool:
    """Whether a command ends well within `timeout` seconds."""
    try:
        run(command, env=env, timeout=timeout)
    except SetupError:
        return False
    return True


def say(message: str) -> None:
    """Tell the person who waits. Standard output is kept for results."""
    print(message, file=sys.stderr, flush=True)


@dataclass(slots=True)
class Progress:
    """Numbers the steps of one command: `[2/9] etcd` and, after it, how long it took."""

    total: int
    number: int = 0
    started: float = field(default_factory=time.monotonic)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Announce a step and tell its time when it is done."""
        self.number += 1
        begun = time.monotonic()
        say(f"[{self.number}/{self.total}] {title}")
        yield
        took = time.monotonic() - begun
        if took >= 1:
            say(f"      {took:.0f} s ({time.monotonic() - self.started:.0f} s in all)")
