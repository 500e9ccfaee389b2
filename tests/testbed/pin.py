# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes go.mod and go.sum of one Kubernetes version: `python3 -m tests.testbed.pin 1.36`."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from . import places
from .shell import run
from .tables import Kubernetes, kubernetes, kubernetes_tool


def go_mod(row: Kubernetes, go: str, staged: list[str]) -> str:
    """A go.mod with the tools of one version, and the libraries that its own go.mod takes from folders beside it."""
    tool = kubernetes_tool(row)
    tools = "".join(f"\t{tool.base}/{package}\n" for package in sorted(tool.programs.values()))
    replaced = "".join(f"\t{module} => {module} {row.staging}\n" for module in sorted(staged))
    return (
        f"module hardening.local/testbed/{tool.name}\n\ngo {go}\n\n"
        f"tool (\n{tools})\n\nrequire {tool.base} {row.version}\n\nreplace (\n{replaced})\n"
    )


def pin(row: Kubernetes) -> Path:
    """Make the module's folder anew from the released module's own go.mod. Returns the folder."""
    env = {**os.environ, "GOFLAGS": "-mod=mod"}
    tool = kubernetes_tool(row)
    with tempfile.TemporaryDirectory() as empty:
        found = json.loads(
            run(["go", "mod", "download", "-json", f"{tool.base}@{row.version}"], cwd=Path(empty), env=env)
        )
    original = json.loads(run(["go", "mod", "edit", "-json", found["GoMod"]]))
    staged = [item["Old"]["Path"] for item in original["Replace"] if item["New"]["Path"].startswith("./staging/")]
    folder = places.MODULES / tool.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "go.mod").write_text(go_mod(row, original["Go"], staged))
    run(["go", "mod", "tidy"], cwd=folder, env=env)
    return folder


if __name__ == "__main__":
    print(pin(kubernetes(sys.argv[1])))
