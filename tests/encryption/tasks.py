# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several tasks in one ansible-playbook, each with its result, whether it failed or not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.encryption.clusters import CHECKOUT, Cluster
from tests.encryption.runs import MODULE, NODES

SECONDS = 900


def results(
    cluster: Cluster,
    folder: Path,
    asked: Sequence[Mapping[str, Any]],
    variables: Mapping[str, str] | None = None,
    module: str = MODULE,
) -> list[dict[str, Any]]:
    """What each task of a module, encryption unless told otherwise, returns, in their order."""
    tasks: list[dict[str, Any]] = [
        {module: {"nodes": NODES, **arguments}, "register": f"told_{number}", "ignore_errors": True}
        for number, arguments in enumerate(asked)
    ]
    kept = folder / "results.json"
    names = ", ".join(f"told_{number}" for number in range(len(asked)))
    tasks.append({"ansible.builtin.copy": {"content": f"{{{{ [{names}] | to_json }}}}", "dest": str(kept)}})
    playbook = folder / "tasks.json"
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(cluster.inventory), str(playbook)],
        cwd=CHECKOUT,
        env={**os.environ, **cluster.environment, "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"), **(variables or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    return list(json.loads(kept.read_text()))
