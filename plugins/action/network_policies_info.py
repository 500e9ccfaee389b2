# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges all NetworkPolicies in force, and tries by a pair of pods whether they hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC, connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._plain import plain
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import present
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._gaps import closed_by_config
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._judge import judge
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._plan import Plan, limited, plan
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._probe import (
    Verdict,
    sample,
    speak_for_others,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._probe_pods import (
    DEFAULT_IMAGE,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import resolution_findings
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction, Progress
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._network._pair import Probe
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._network._probe import probe_all
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._network._read import (
    Wanted,
    read,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._settings import NAMESPACES_SPEC, read_settings


class ActionModule(HardeningAction):
    """The findings of the pod network; writes nothing but the probe pods that the user asks for."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        **NAMESPACES_SPEC,
        "probe": {"type": "bool", "default": False},
        "probe_image": {"type": "str", "default": DEFAULT_IMAGE},
        "probe_namespaces": {"type": "raw", "default": "all"},
        "probe_timeout": {"type": "float", "default": 60},
    }

    def perform(self, arguments: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        """Read, probe where that is asked for and can tell something, judge."""
        if arguments["probe_timeout"] <= 0:
            raise HardeningError(f"probe_timeout: {arguments['probe_timeout']:g} is no time; give seconds, like 60.")
        client = connect(arguments)
        wanted = read(client, read_settings(arguments))
        chosen = _chosen(plain(arguments["probe_namespaces"]), wanted)
        decided = limited(plan(wanted.settings, wanted.facts, wanted.set_name, wanted.prune), wanted.only)
        probed: dict[str, Verdict] = {}
        if arguments["probe"] and not self.check_mode:
            probed = self._probed(client, wanted, decided, chosen, arguments)
        preview = arguments["probe"] if self.check_mode else None
        missing = resolution_findings(wanted.resolution, "network")
        if self.check_mode:
            missing = [replace(finding, would=finding.status) for finding in missing]
        findings = [
            *missing,
            *judge(wanted.settings, decided, wanted.facts, wanted.set_name, probed, preview, wanted.only, wanted.prune),
        ]
        return self.judged(findings)

    def _probed(
        self,
        client: Client,
        wanted: Wanted,
        decided: Plan,
        chosen: str | int | list[str],
        arguments: dict[str, Any],
    ) -> dict[str, Verdict]:
        """Verdicts on the namespaces whose policies deny, as far as their objects say so."""
        denying = {
            name: said.deny
            for name, said in wanted.meant.items()
            if said.deny
            and name not in decided.refused
            and "NetworkPolicy" not in wanted.facts.unreadable
            and not closed_by_config(name, said, wanted.facts, wanted.set_name)[0]
        }
        probes = [
            Probe(
                name,
                wanted.facts.namespaces[name],
                wanted.settings[name].deny,
                tuple(present(name, wanted.facts)),
            )
            for name in sample(denying, chosen)
        ]
        verdicts = probe_all(
            client,
            probes,
            image=arguments["probe_image"],
            timeout=arguments["probe_timeout"],
            progress=Progress("network probes"),
        )
        return speak_for_others(verdicts, denying)


def _chosen(said: Any, wanted: Wanted) -> str | int | list[str]:
    """``all``, a positive number, or names that have settings, without those that the run is not about."""
    if isinstance(said, list):
        for name in said:
            if name not in wanted.settings:
                meant = did_you_mean(name, wanted.settings)
                hint = f"; did you mean {meant}?" if meant else "."
                raise HardeningError(f"probe_namespaces: no settings reach a namespace {name}{hint}")
        return [name for name in said if name in wanted.meant]
    if said == "all":
        return "all"
    if str(said).isdecimal() and int(said):
        return int(said)
    raise HardeningError(f"probe_namespaces: {said!r} is not all, a number of namespaces or a list of their names.")
