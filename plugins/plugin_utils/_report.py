# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the files that a verdict is written to."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._junit import JUNIT_BEGINNING


@dataclass(frozen=True, slots=True)
class Form:
    """A form in which a verdict is written: what it is called, the option that names its file, how each such begins."""

    what: str
    option: str
    beginning: bytes


REPORT = Form("report", "report", b'{\n  "report_version"')
JUNIT = Form("JUnit report", "junit", JUNIT_BEGINNING.encode())


def make_room(file: Path, form: Form) -> None:
    """Remove an earlier report, so that nobody takes it for that of a run that ends early; see that one can be written.

    What lies there and is no report is left alone: somebody mistyped the name. Raises :class:`HardeningError`.
    """
    try:
        if file.exists():
            if not _is_report(file, form):
                raise HardeningError(
                    f"{file} is there and is no {form.what}: name another file with `-e {form.option}=FILE`."
                )
            file.unlink()
        replace_file(file, "")
        file.unlink()
    except OSError as error:
        raise _unwritable(file, form, error) from error


def _is_report(file: Path, form: Form) -> bool:
    """Whether this is a report, or the empty file of somebody who asked the system for a name."""
    return file.is_file() and (not file.stat().st_size or file.read_bytes().startswith(form.beginning))


def write_report(file: Path, form: Form, text: str) -> None:
    """Put the report there whole or not at all, so that nobody reads half of one; raises :class:`HardeningError`."""
    try:
        replace_file(file, text)
    except OSError as error:
        raise _unwritable(file, form, error) from error


def as_json(told: Mapping[str, Any]) -> str:
    """Plain data as the text of a file."""
    # A user's own words in it may be a date of YAML.
    return json.dumps(told, indent=2, ensure_ascii=False, default=str) + "\n"


def replace_file(file: Path, text: str) -> None:
    """Put the text there whole or not at all, for its owner alone to read; raises ``OSError``."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
        temporary.replace(file)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


def _unwritable(file: Path, form: Form, error: OSError) -> HardeningError:
    return HardeningError(
        f"The {form.what} cannot be written to {file}: {error.strerror}. "
        f"Name another file with `-e {form.option}=FILE`."
    )
