# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is made from tables is up to date."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
_SPEC = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
assert _SPEC is not None
assert _SPEC.loader is not None
generate = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(generate)


@pytest.mark.parametrize("file", generate.FILES, ids=[file.name for file in generate.FILES])
def test_the_committed_file_is_what_the_code_makes(file: Path) -> None:
    assert file.read_text(encoding="utf-8") == generate.FILES[file](), (
        "out of date: run `PYTHONPATH=.collections .venv/bin/python docs/generate.py`"
    )
