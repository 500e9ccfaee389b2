# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN, Resource, discovered

GADGET = Resource("example.com/v1", "Gadget", "gadgets", True)

PATHS = [
    (KNOWN["v1", "Namespace"], ("", "a"), "/api/v1/namespaces/a"),
    (KNOWN["v1", "Namespace"], (), "/api/v1/namespaces"),
    (KNOWN["v1", "Pod"], ("a", "b", "log"), "/api/v1/namespaces/a/pods/b/log"),
    (KNOWN["v1", "Pod"], (), "/api/v1/pods"),
    (KNOWN["networking.k8s.io/v1", "NetworkPolicy"], ("a",), "/apis/networking.k8s.io/v1/namespaces/a/networkpolicies"),
    (GADGET, ("a", "system:b"), "/apis/example.com/v1/namespaces/a/gadgets/system%3Ab"),
    (
        KNOWN["rbac.authorization.k8s.io/v1", "ClusterRole"],
        ("ignored", "c"),
        "/apis/rbac.authorization.k8s.io/v1/clusterroles/c",
    ),
]


@pytest.mark.parametrize(("resource", "arguments", "path"), PATHS, ids=[path for *_rest, path in PATHS])
def test_a_path_is_where_the_server_keeps_it(resource: Resource, arguments: tuple[str, ...], path: str) -> None:
    assert resource.path(*arguments) == path


def test_the_group_is_what_stands_in_front_of_the_version() -> None:
    assert (KNOWN["v1", "Pod"].group, KNOWN["apps/v1", "Deployment"].group) == ("", "apps")


def test_discovery_tells_every_kind_of_every_version() -> None:
    version = {
        "version": "v1",
        "resources": [
            {"resource": "gadgets", "responseKind": {"kind": "Gadget"}, "scope": "Namespaced"},
            {"resource": "worlds", "responseKind": {"kind": "World"}, "scope": "Cluster"},
            {"resource": "nameless", "responseKind": {}, "scope": "Cluster"},
        ],
    }
    answer = {"items": [{"metadata": {"name": "example.com"}, "versions": [version]}, {"versions": [version]}]}
    assert list(discovered(answer)) == [
        GADGET,
        Resource("example.com/v1", "World", "worlds", False),
        Resource("v1", "Gadget", "gadgets", True),
        Resource("v1", "World", "worlds", False),
    ]
