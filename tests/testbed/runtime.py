# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An OCI runtime in front of runc, for hosts whose capability bounding set lacks CAP_SYS_RESOURCE.

runc cannot hand out a capability that it does not have, nor raise a limit or lower an OOM score without it. So all
three are taken out of what Docker asks for. The daemon runs this file by itself, hence the standard library alone
and no import from the package.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

MISSING = "CAP_SYS_RESOURCE"
CAPABILITY_BIT = 24


def lacks_capability(status: str) -> bool:
    """Whether the text of /proc/self/status shows a bounding set without CAP_SYS_RESOURCE."""
    for line in status.splitlines():
        if line.startswith("CapBnd:"):
            return not int(line.split()[1], 16) >> CAPABILITY_BIT & 1
    return False


def relax(process: dict[str, Any]) -> dict[str, Any]:
    """An OCI process without what needs the capability."""
    out = {key: value for key, value in process.items() if key != "rlimits"}
    if "capabilities" in out:
        out["capabilities"] = {
            kind: [name for name in names if name != MISSING] for kind, names in (out["capabilities"] or {}).items()
        }
    if (out.get("oomScoreAdj") or 0) < 0:
        out["oomScoreAdj"] = 0
    return out


def value_of(arguments: list[str], *options: str) -> str | None:
    """The value of a command line option, written as `--option value` or `--option=value`."""
    for index, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name in options:
            return value if equals else next(iter(arguments[index + 1 : index + 2]), None)
    return None


def edit(arguments: list[str]) -> None:
    """Change the file that this call of the runtime is about to read, if it reads one."""
    if "exec" in arguments:
        named = value_of(arguments, "--process", "-p")
        if named:
            path = Path(named)
            path.write_text(json.dumps(relax(json.loads(path.read_text()))))
    elif "create" in arguments or "run" in arguments:
        path = Path(value_of(arguments, "--bundle", "-b") or ".") / "config.json"
        config = json.loads(path.read_text())
        config["process"] = relax(config["process"])
        path.write_text(json.dumps(config))


if __name__ == "__main__":
    edit(sys.argv[1:])
    os.execvp("runc", ["runc", *sys.argv[1:]])
