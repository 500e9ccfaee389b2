# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes a starter policy from what is in force in a live cluster, and changes nothing there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC, connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._plain import plain
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._formats import FORMATS
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction, Progress
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._discover._compose import discover
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._report import replace_file
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._settings import read_limit

_NAMED_BY = "name another with path, in the playbook `-e policy=FILE`"


class ActionModule(HardeningAction):
    """One file out of one cluster; what lies there already stays, unless it is said to be replaced."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        "path": {"type": "path", "default": "cluster-policy.yml"},
        "name": {"type": "str", "default": "discovered"},
        "only": {"type": "list", "elements": "str"},
        "levels": {"type": "str", "choices": ["today", "possible"], "default": "today"},
        "force": {"type": "bool", "default": False},
    }

    def perform(self, arguments: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        """Look, and write the file."""
        said = {key: plain(value) for key, value in arguments.items()}
        if wrong := FORMATS["set-name"](said["name"]):
            raise HardeningError(f"name: {said['name']!r} cannot be the name of a policy; {wrong}.")
        only = read_limit(said["only"])
        file = Path(said["path"])
        before = _read(file)
        if before and not said["force"]:
            raise HardeningError(f"{file} is there already and was left as it is: {_NAMED_BY}, or say force: true.")
        found = discover(connect(said), said["name"], only, said["levels"], Progress("Discovering"))
        changed = found.text != before
        if changed and not self.check_mode:
            with _explained(file):
                replace_file(file, found.text)
        told: dict[str, Any] = {
            "changed": changed,
            "path": str(file),
            "namespaces": list(found.namespaces),
            "left_out": list(found.left_out),
            "unseen": list(found.unseen),
        }
        if found.unseen:
            told["warnings"] = list(found.unseen)
        if self.check_mode:
            told["text"] = found.text
        if self.diff_mode:
            told["diff"] = {
                "before": before,
                "after": found.text,
                "before_header": str(file),
                "after_header": str(file),
            }
        return told


def _read(file: Path) -> str:
    """What lies there, empty where nothing does."""
    with _explained(file):
        return file.read_text("utf-8", errors="replace") if file.exists() else ""


@contextmanager
def _explained(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise HardeningError(f"{file} cannot be written: {error.strerror}; {_NAMED_BY}.") from error
