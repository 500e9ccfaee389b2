# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds out, by dry runs, whether Pod Security is enforced and what of all that runs it would refuse."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC, connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._controls import (
    RUNNING_COMPLY,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._labelling import (
    expected,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import labelled, standard
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import resolution_findings
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction, Progress
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._pod_security._look import (
    SETTINGS_SPEC,
    leftovers,
    look,
    read_arguments,
    see,
)


class ActionModule(HardeningAction):
    """Looks and writes nothing; in check mode it also tells which status to expect after the labels are set."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        **SETTINGS_SPEC,
        "timeout": {"type": "float", "default": 10.0},
    }

    def perform(self, arguments: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        """The findings of all namespaces that get settings."""
        read = read_arguments(arguments)
        client = connect(read)
        options = see(client, read)
        live, resolution = options.live, options.resolution
        seen = look(client, live, resolution, read["timeout"], Progress("Pod Security probes"))
        wrong = resolution_findings(resolution, "pod_security")
        if self.check_mode:
            wrong = [expected(finding, labels_would_be_set=False) for finding in wrong]
            for name, findings in seen.items():
                labels = live.get(name, {}).get("metadata", {}).get("labels") or {}
                enforced = labelled(labels) == standard(resolution.settings[name])
                weighs = read["on_violation"] == "fail" and not enforced
                comply = {finding.status for finding in findings if weighs and finding.control == RUNNING_COMPLY}
                held, unsure = "fail" in comply, "unknown" in comply
                seen[name] = [expected(finding, not held, enforced, unsure) for finding in findings]
        left = leftovers(options, read, self.check_mode)
        found = [*wrong, *(finding for findings in seen.values() for finding in findings), *left]
        return self.judged(found)
