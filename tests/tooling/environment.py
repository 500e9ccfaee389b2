# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the virtual environment and the link that the checkout works with: ``python3 tests/tooling/environment.py``.

Runs with the standard library alone, under any Python 3, so that a Python that is too old is told so in one sentence.
The environment lies in a cache folder outside the checkout: a fresh clone finds it ready, and the paths that pip writes
into the tools' first lines hold no space even where the checkout's path does.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ("requirements.txt", "tests/requirements.txt")
OLDEST_PYTHON = (3, 11)
COLLECTION_LINK = Path(".collections", "ansible_collections", "hardening", "kubernetes")


def main() -> int:
    if sys.version_info < OLDEST_PYTHON:
        return refuse(
            "Python {}.{} or newer is needed and {} is {}.{}: install it, or name another one with "
            "'make PYTHON=/path/to/python3 …'.".format(*OLDEST_PYTHON, sys.executable, *sys.version_info[:2])
        )
    try:
        environment = ready_environment(cache_folder())
    except subprocess.CalledProcessError as error:
        return refuse("The virtual environment could not be made; the lines above say why ({}).".format(error))
    point(CHECKOUT / ".venv", environment)
    link = CHECKOUT / COLLECTION_LINK
    link.parent.mkdir(parents=True, exist_ok=True)
    point(link, Path(*[".."] * (len(COLLECTION_LINK.parts) - 1)))
    return 0


def refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


def cache_folder() -> Path:
    """The folder that every checkout of this user shares."""
    if os.environ.get("HARDENING_CACHE"):
        return Path(os.environ["HARDENING_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "hardening-kubernetes")


def ready_environment(cache: Path) -> Path:
    """The environment for exactly these requirements and this Python; made first where it is missing."""
    digest = hashlib.sha256("{} {}".format(sys.version, sys.base_prefix).encode())
    for name in REQUIREMENTS:
        digest.update((CHECKOUT / name).read_bytes())
    environment = cache / ("venv-" + digest.hexdigest()[:12])
    if (environment / "complete").exists():
        return environment
    cache.mkdir(parents=True, exist_ok=True)
    with environment.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (environment / "complete").exists():
            make(environment)
    return environment


def make(environment: Path) -> None:
    print("Making the virtual environment {}: once, about two minutes.".format(environment), flush=True)
    shutil.rmtree(environment, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    install = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for name in REQUIREMENTS:
        install += ["--requirement", str(CHECKOUT / name)]
    subprocess.run(install, check=True)
    (environment / "complete").touch()


def point(link: Path, target: Path) -> None:
    """Make ``link`` a symbolic link to ``target``; in one step, so that nobody sees it missing."""
    if link.is_symlink() and link.readlink() == target:
        return
    spare = link.with_name("{}.{}".format(link.name, os.getpid()))
    spare.symlink_to(target)
    spare.replace(link)


if __name__ == "__main__":
    sys.exit(main())
