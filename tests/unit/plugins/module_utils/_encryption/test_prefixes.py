# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where in etcd the values of a resource are."""

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._prefixes import (
    Place,
    directory_of,
    places_of,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import (
    Key,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

OLD, NEW = Key("secretbox", "k1", "f1"), Key("secretbox", "k2", "f2")


@pytest.mark.parametrize(
    ("resource", "directory"),
    [
        ("secrets", "/registry/secrets/"),
        ("secrets.", "/registry/secrets/"),
        ("services", "/registry/services/specs/"),
        ("endpoints", "/registry/services/endpoints/"),
        ("nodes", "/registry/minions/"),
        ("replicationcontrollers", "/registry/controllers/"),
        ("ingresses.networking.k8s.io", "/registry/ingress/"),
        ("networkpolicies.networking.k8s.io", "/registry/networkpolicies/"),
        ("deployments.apps", "/registry/deployments/"),
        ("roles.rbac.authorization.k8s.io", "/registry/roles/"),
        ("storageversions.internal.apiserver.k8s.io", "/registry/storageversions/"),
        ("customresourcedefinitions.apiextensions.k8s.io", "/registry/apiextensions.k8s.io/customresourcedefinitions/"),
        ("apiservices.apiregistration.k8s.io", "/registry/apiregistration.k8s.io/apiservices/"),
        ("widgets.example.com", "/registry/example.com/widgets/"),
        ("gateways.gateway.networking.k8s.io", "/registry/gateway.networking.k8s.io/gateways/"),
        ("nodes.example.com", "/registry/example.com/nodes/"),
    ],
)
def test_where_a_resource_is_in_etcd(resource: str, directory: str) -> None:
    assert directory_of(resource) == directory
    assert directory_of(resource, "kubernetes.io/a") == directory.replace("/registry", "/kubernetes.io/a", 1)
    assert directory_of(resource, "/") == directory.removeprefix("/registry")


@pytest.mark.parametrize("name", ["*.*", "*.", "*.apps", "", ".apps"])
def test_a_name_for_several_resources_has_no_one_place(name: str) -> None:
    with pytest.raises(HardeningError, match="does not name one resource"):
        directory_of(name)


def test_what_a_configuration_means_is_looked_for() -> None:
    served = ["secrets", "events", "events.events.k8s.io", "componentstatuses", "deployments.apps", "jobs.batch"]
    assert places_of(served, {"secrets"}) == (Place("/registry/secrets/", "secrets", "secrets"),)
    assert places_of(served, {"secrets": (NEW,), "*.apps": (OLD,)}) == (
        Place("/registry/deployments/", "deployments.apps", "*.apps"),
        Place("/registry/secrets/", "secrets", "secrets"),
    )
    assert places_of(served, ["*.*", "events"], "x") == (
        Place("/x/deployments/", "deployments.apps", "*.*"),
        Place("/x/events/", "events", "events"),
        Place("/x/jobs/", "jobs.batch", "*.*"),
        Place("/x/secrets/", "secrets", "*.*"),
    )
    assert places_of(served, ()) == ()


def test_what_a_configuration_names_is_looked_for_although_no_server_serves_it() -> None:
    assert places_of({"secrets"}, {"secrets", "widgets.example.com", "*.apps"}) == (
        Place("/registry/example.com/widgets/", "widgets.example.com", "widgets.example.com", is_served=False),
        Place("/registry/secrets/", "secrets", "secrets"),
    )
