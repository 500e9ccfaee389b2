# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells what two recorded runs differ in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from ansible.utils.display import Display
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC, connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._compare import compare
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._load import Records
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._recorder import DEFAULT_FOLDER


class ActionModule(HardeningAction):
    """Controls whose status is another, and objects that one wrote and the other did not."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        "from": {"type": "str", "required": True},
        "to": {"type": "str", "required": True},
        "records": {"type": "path", "default": DEFAULT_FOLDER},
    }

    def perform(self, arguments: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        """Compare, and show it."""
        records = Records(connect(arguments), Path(arguments["records"]).absolute())
        one, other = records.run(arguments["from"]), records.run(arguments["to"])
        told = {"from": one.name, "to": other.name, **compare(one, other)}
        for line in _lines(told):
            Display().display(line)
        return {"changed": False, **told}


def _lines(told: dict[str, Any]) -> Iterator[str]:
    names = {"from": told["from"], "to": told["to"]}
    yield f"From the run {names['from']} to the run {names['to']}:"
    for end, name in names.items():
        if not told["judged"][end]:
            yield f"  The run {name} came to no findings, so that nothing is said of controls."
    for each in told["controls"]:
        yield f"  {each['control']} {each['subject']}: {each['from'] or 'not judged'} → {each['to'] or 'not judged'}"
    for each in told["objects"]:
        yield f"  {each['object']}: {each['from'] or 'not written'} → {each['to'] or 'not written'}"
    if not told["controls"] and not told["objects"]:
        yield "  Nothing differs."
