# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the file that a verdict is written to."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

_BEGINNING = b'{\n  "report_version"'


def make_room(file: Path) -> None:
    """Remove an earlier report, so that nobody takes it for that of a run that ends early; see that one can be written.

    What lies there and is no report is left alone: somebody mistyped the name. Raises :class:`HardeningError`.
    """
    try:
        if file.exists():
            if not _is_report(file):
                raise HardeningError(f"{file} is there and is no report: name another file with `-e report=FILE`.")
            file.unlink()
        _replace(file, "")
        file.unlink()
    except OSError as error:
        raise _unwritable(file, error) from error


def _is_report(file: Path) -> bool:
    """Whether this is a report, or the empty file of somebody who asked the system for a name."""
    return file.is_file() and (not file.stat().st_size or file.read_bytes().startswith(_BEGINNING))


def write_report(file: Path, report: Mapping[str, Any]) -> None:
    """Put the report there whole or not at all, so that nobody reads half of one; raises :class:`HardeningError`."""
    try:
        # A user's own words in the report may be a date of YAML.
        _replace(file, json.dumps(report, indent=2, ensure_ascii=False, default=str) + "\n")
    except OSError as error:
        raise _unwritable(file, error) from error


def _replace(file: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
        temporary.replace(file)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


def _unwritable(file: Path, error: OSError) -> HardeningError:
    return HardeningError(
        f"The report cannot be written to {file}: {error.strerror}. Name another file with `-e report=FILE`."
    )
