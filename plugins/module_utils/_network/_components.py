# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: components of the cluster that stand between pods and its DNS or its API servers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import Facts
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._workload import PodTemplate

_COMPONENT_LABEL = "k8s-app"
_NODE_LOCAL_DNS = "node-local-dns"
_KONNECTIVITY = "konnectivity-agent"
_USUAL_ADDRESS = "169.254.20.10"
_LOCAL_IP = re.compile(r"-localip[ =,]+([0-9a-fA-F.:]+)")


def node_local_dns(facts: Facts) -> str:
    """The address of the DNS cache that runs on every node; ``""`` where none does.

    After the arguments of the cluster addon ``nodelocaldns``, which listens on ``-localip``.
    """
    cache = _component(facts.components, _NODE_LOCAL_DNS)
    if cache is None:
        return ""
    words = [word for each in cache.spec.get("containers") or () for word in _words(each)]
    found = _LOCAL_IP.search(" ".join(words))
    return found[1] if found else _USUAL_ADDRESS


def konnectivity(facts: Facts) -> PodTemplate | None:
    """The agents through which the API servers call Services; ``None`` where they call them themselves."""
    return _component(facts.components, _KONNECTIVITY)


def _component(components: Iterable[PodTemplate], name: str) -> PodTemplate | None:
    return next((each for each in components if name in (each.name, each.labels.get(_COMPONENT_LABEL))), None)


def _words(container: Mapping[str, list[str]]) -> list[str]:
    return [*(container.get("command") or ()), *(container.get("args") or ())]
