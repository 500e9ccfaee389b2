# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what is sent to a node's Python, and what comes back.

All of it goes through standard input and output, so that neither arguments of processes nor files hold a key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

Call = tuple[str, Mapping[str, Any]]
"""An operation of a program and its arguments."""

ARGUMENTS = ("-I", "-B", "-")
"""Of the node's Python: nothing but the standard library is imported, and nothing is written."""

_PROGRAMS = "ansible_collections.hardening.kubernetes.plugins.module_utils._node."
_MARKER = "hardening.kubernetes:"

# Any Python reads all of this: the program itself is compiled only once it is known that it can be.
_SENT = """\
import sys
def _refuse(kind, told):
    sys.stdout.write("\\n{marker}" + '[{{"refused": {{"kind": "' + kind + '", "told": "' + told + '"}}}}]\\n')
    sys.exit(0)
if sys.version_info < (3, 8):
    _refuse("python", "Python 3.8 or newer is needed there: set ansible_python_interpreter to one.")
import os, signal, types
if os.geteuid() not in {users}:
    _refuse("not_root", "root is needed there: set `ansible_become=true` in the inventory, or `become: true`.")
signal.alarm({seconds})
_program = types.ModuleType("hardening_kubernetes_node")
sys.modules[_program.__name__] = _program
exec(compile({source}, "hardening.kubernetes", "exec"), _program.__dict__)
_program.answer({text})
"""


def source(program: str) -> str:
    """The text of a program, which is a module of ``module_utils/_node``."""
    found = find_spec(_PROGRAMS + program)
    if found is None or found.origin is None:
        raise HardeningError(f"hardening.kubernetes is not whole: its program {program} is missing. Install it again.")
    return Path(found.origin).read_text(encoding="utf-8")


def sent(program: str, calls: Sequence[Call], seconds: float, users: Sequence[int] = (0,)) -> bytes:
    """What a node's Python reads: the program, given as its text, and what it shall do.

    It ends itself after ``seconds``, and refuses to begin as another user than these.
    """
    text = json.dumps([[operation, dict(arguments)] for operation, arguments in calls])
    return _SENT.format(
        marker=_MARKER, users=list(users), seconds=max(1, round(seconds)), source=ascii(program), text=ascii(text)
    ).encode("ascii")


def answers(out: bytes) -> list[dict[str, Any]] | None:
    """The answers that stand in what came back, ``None`` where none do. Raises ValueError for one that is cut off.

    Login shells and become plugins may have said something before.
    """
    marker = _MARKER.encode("ascii")
    line = next((each for each in reversed(out.splitlines()) if each.startswith(marker)), None)
    return None if line is None else list(json.loads(line[len(marker) :]))
