# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a second run over a hundred namespaces asks of a server, beside many that are foreign: lists, and a question for
each permission. Dry runs are counted where they are made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.action import (
    network_policies,
    network_policies_info,
    pod_security,
    rbac,
    rbac_info,
    resource_limits,
)

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, Request, fake_api

NAMES = [f"shop-{number}" for number in range(100)]
FOREIGN = 300
GRANT = {"role": "pod-reader", "rules": [{"resources": ["pods"], "verbs": ["get", "list", "watch"]}]}
JANE = {"user": "jane", "groups": ["developers"]}
ACCESS = {
    "grant": [{**GRANT, "to": [JANE]}],
    "must_not": [{"who": {"group": "developers"}, "verbs": ["get"], "resources": ["secrets"]}],
}
NETWORK = {"default_deny": ["ingress", "egress"], "accept_risks": ["dns"]}
RESOURCES = {
    "quota": {"requests.cpu": "4", "pods": "40"},
    "limits": {"container": {"default_request": {"cpu": "50m"}, "default": {"cpu": "500m"}}},
}

Perform = Callable[..., dict[str, Any]]


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with fake_api() as server:
        for name in NAMES:
            server.store("namespaces", "", name)
        for number in range(FOREIGN):
            server.store("namespaces", "", f"foreign-{number}")
            server.store("pods", f"foreign-{number}", "pod", spec={"containers": []})
        server.intercept = reviews
        yield server


def reviews(request: Request) -> tuple[int, dict[str, Any] | None] | None:
    """Everybody may everything: what a review says is not what is counted."""
    if not request.path.endswith("subjectaccessreviews"):
        return None
    return 201, {"kind": "SubjectAccessReview", "status": {"allowed": True}}


@pytest.mark.parametrize(
    ("writing", "looking", "settings", "lists", "asked"),
    [
        (rbac, rbac_info, ACCESS, 20, {"POST": 300}),
        (network_policies, network_policies_info, NETWORK, 45, {"GET": 4}),
        (pod_security, None, {"enforce": "restricted"}, 3, {}),
        (resource_limits, None, RESOURCES, 10, {}),
    ],
)
def test_a_second_run_over_many_namespaces_reads_lists_alone(
    api: FakeApi, perform: Perform, writing: Any, looking: Any, settings: Any, lists: int, asked: dict[str, int]
) -> None:
    arguments = {"host": api.url, "api_key": "good", "set": "many", "namespaces": dict.fromkeys(NAMES, settings)}
    first = perform(writing, **arguments)
    assert first["changed"], first
    api.requests.clear()
    second = perform(writing, **arguments)
    assert not second["changed"] and not second.get("failed"), second.get("msg")
    if looking:
        perform(looking, **arguments)
    counts = api.counts()
    assert counts.pop("LIST") <= lists
    # The network asks for the DNS and what serves it by name, whatever the number of namespaces.
    assert counts == asked
