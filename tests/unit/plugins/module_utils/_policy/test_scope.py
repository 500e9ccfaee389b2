# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run on some namespaces: whom it is about, and whom it is not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._load import for_roles, named, parts
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._scope import chosen, limited, reached
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

LEVEL, DENY = {"enforce": "restricted"}, {"default_deny": ["ingress"]}
POLICY = for_roles(
    {
        "name": "prod",
        "namespaces": {
            "shop": {"pod_security": LEVEL, "network": DENY},
            "new": {"create": True, "pod_security": LEVEL},
        },
        "selected": [{"selector": "team=web", "network": DENY}],
        "defaults": {"exempt": ["sandbox-*"], "pod_security": LEVEL},
    }
)
NAMED = for_roles(
    {"name": "prod", "namespaces": {"shop": {"network": DENY}, "web": {"pod_security": LEVEL}, "new": {"create": True}}}
)


def namespace(name: str, **labels: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


LIVE = [namespace("shop"), namespace("web", team="web"), namespace("sandbox-1", team="web"), namespace("kube-system")]


@pytest.mark.parametrize(
    ("only", "told"),
    [
        (
            [],
            {"namespaces": ["new"], "pod_security": ["new", "shop", "web"], "network_policies": ["shop", "web"]},
        ),
        (["shop"], {"pod_security": ["shop"], "network_policies": ["shop"]}),
        (["new"], {"namespaces": ["new"], "pod_security": ["new"]}),
        (["w*"], {"pod_security": ["web"], "network_policies": ["web"]}),
        (["kube-system", "sandbox-1"], {}),
    ],
)
def test_who_is_reached_by_which_part(only: list[str], told: dict[str, list[str]]) -> None:
    assert reached(POLICY, LIVE, only) == told


def test_a_namespace_that_is_named_and_missing_is_reached_too() -> None:
    assert reached(NAMED, [], ["web"]) == {"pod_security": ["web"]}


def test_a_limited_policy_creates_nothing_else() -> None:
    assert limited(POLICY, ["shop"]) == {**POLICY, "create": []}
    assert limited(POLICY, ["n*"]) == POLICY
    assert limited(POLICY, []) == POLICY


@pytest.mark.parametrize(
    ("only", "these", "names"),
    [
        ([], ["namespaces", "pod_security", "network_policies"], ["new", "shop", "web"]),
        (["shop"], ["network_policies"], ["shop"]),
        (["new", "w*"], ["namespaces", "pod_security"], ["new", "web"]),
    ],
)
def test_what_a_run_of_named_namespaces_needs(only: list[str], these: list[str], names: list[str]) -> None:
    assert (parts(NAMED, only), named(NAMED, only)) == (these, names)


def test_names_and_globs_choose_from_what_is_reached() -> None:
    assert chosen("canary", ["web", "s*"], ["web", "shop", "data"], LIVE) == ["shop", "web"]
    assert chosen("canary", [], ["web"], LIVE) == []


def test_everything_that_means_nobody_is_told_at_once() -> None:
    with pytest.raises(HardeningError) as told:
        chosen("only", ["shpo", "shop", "team-*", "sandbox-1"], ["shop", "web"], LIVE)
    assert str(told.value) == (
        "only: the run reaches no namespace shpo, did you mean shop?; the run reaches no namespace team-*; "
        "the run is not about the namespace sandbox-1, which is there. "
        "Name namespaces that the policy says something of."
    )
