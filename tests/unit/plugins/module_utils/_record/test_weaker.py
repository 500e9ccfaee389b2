# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._weaker import weaker

from .objects import obj

POD = "pod-security.kubernetes.io/"


def namespace(**levels: str) -> dict[str, Any]:
    return obj(None, kind="Namespace", name="shop", labels={POD + mode: level for mode, level in levels.items()})


def of(kind: str, **content: Any) -> dict[str, Any]:
    return {**obj(None, kind=kind), **content}


DENY = of("NetworkPolicy", spec={"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "egress": [{}]})
ALLOW = of("NetworkPolicy", spec={"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": []}]})
BOUND = of("RoleBinding", roleRef={"name": "admin"}, subjects=[{"kind": "User", "name": "mallory"}])


@pytest.mark.parametrize(
    ("live", "wanted", "told"),
    [
        (
            namespace(enforce="restricted", warn="restricted"),
            namespace(enforce="baseline"),
            [
                "pod_security.enforced Namespace/shop: enforce restricted → enforce baseline",
                "pod_security.reported Namespace/shop: warn restricted → warn nothing",
            ],
        ),
        (namespace(enforce="baseline"), namespace(enforce="restricted"), []),
        (
            namespace(enforce="baseline"),
            namespace(enforce="privileged"),
            ["pod_security.enforced Namespace/shop: enforce baseline → enforce privileged"],
        ),
        (DENY, None, ["network.default_deny Namespace/shop: a denies ingress → ingress is not denied by it"]),
        (None, DENY, ["network.default_deny Namespace/shop: 0 rules of a for egress → 1 others"]),
        (ALLOW, None, []),
        (None, ALLOW, ["network.default_deny Namespace/shop: 0 rules of a for ingress → 1 others"]),
        (
            of("ResourceQuota", spec={"hard": {"pods": "20", "cpu": "1", "memory": "1Gi"}}),
            of("ResourceQuota", spec={"hard": {"cpu": "1500m", "memory": "512Mi"}}),
            [
                "resources.quota Namespace/shop: pods 20 → pods without limit",
                "resources.quota Namespace/shop: cpu 1 → cpu 1500m",
            ],
        ),
        (of("LimitRange", spec={"limits": [{}]}), None, ["resources.limits Namespace/shop: 1 limits → nothing"]),
        (None, of("LimitRange", spec={"limits": [{}]}), []),
        (of("Role", rules=[1]), of("Role", rules=[1, 2]), ["access.denied Role/shop/a: 1 rules → 1 others"]),
        (of("Role", rules=[1, 2]), of("Role", rules=[1]), []),
        (
            None,
            BOUND,
            ["access.undeclared RoleBinding/shop/a: User mallory is not bound by it → User mallory has the role admin"],
        ),
        (BOUND, None, []),
        (of("ConfigMap"), None, []),
        (None, None, []),
    ],
)
def test_what_becomes_weaker(live: Any, wanted: Any, told: list[str]) -> None:
    assert [str(each) for each in weaker(live, wanted)] == told


def test_the_shape_of_a_result() -> None:
    (one,) = weaker(ALLOW, {**ALLOW, "spec": {**ALLOW["spec"], "ingress": [{}]}})
    assert one.to_dict() == {
        "control": "network.default_deny",
        "subject": "Namespace/shop",
        "was": "1 rules of a for ingress",
        "becomes": "1 others",
    }
