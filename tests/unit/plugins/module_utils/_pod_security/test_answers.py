# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._answers import Reply, reply
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import Standard

VIOLATES = (
    'pods "hardening-probe-" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true (pod must…)'
)


def test_a_refusal_by_pod_security_is_read_with_level_version_and_reason() -> None:
    assert reply(403, VIOLATES) == Reply(
        "violates", Standard("restricted", "latest"), "Pod Security", "runAsNonRoot != true (pod must…)"
    )
    old = VIOLATES.replace("restricted:latest", "baseline:v1.0")
    assert reply(403, old).standard == Standard("baseline", "v1.0")


def test_a_warning_by_pod_security_is_read_as_one() -> None:
    warnings = ["spec.x: deprecated", 'would violate PodSecurity "baseline:v1.30": host namespaces (hostPID=true)']
    expected = Reply("warned", Standard("baseline", "v1.30"), "Pod Security", "host namespaces (hostPID=true)")
    assert reply(201, "", warnings) == expected


def test_a_pod_that_is_let_in() -> None:
    assert reply(201, "", ["spec.x: deprecated"]) == Reply("admitted")


def test_a_missing_permission_is_not_a_refusal_by_pod_security() -> None:
    message = 'pods is forbidden: User "jane" cannot create resource "pods" in API group "" in the namespace "a"'
    assert reply(403, message).kind == "not_permitted"
    assert reply(403, message).reason == message


@pytest.mark.parametrize(
    ("status", "message", "by"),
    [
        (
            403,
            f'admission webhook "opa.example.com" denied the request: {VIOLATES}',
            "the admission webhook opa.example.com",
        ),
        (
            403,
            f"pods is forbidden: ValidatingAdmissionPolicy 'no-root' with binding 'b' denied request: {VIOLATES}",
            "the ValidatingAdmissionPolicy no-root",
        ),
        (
            500,
            'Internal error occurred: failed calling webhook "v.example.com": failed to call webhook: no endpoints',
            "the admission webhook v.example.com",
        ),
        (400, 'admission webhook "w.example.com" does not support dry run', "the admission webhook w.example.com"),
        (
            403,
            'pods "p" is forbidden: exceeded quota: small, requested: pods=1, used: pods=0, limited: pods=0',
            "the ResourceQuota small",
        ),
        (403, 'pods "p" is forbidden: failed quota: cpu: must specify limits.cpu for: probe', "the ResourceQuota cpu"),
        (403, 'pods "p" is forbidden: status unknown for quota: new, resources: pods', "the ResourceQuota new"),
        (
            403,
            'pods "p" is forbidden: error looking up service account a/default: serviceaccount "default" not found',
            "the ServiceAccount admission plugin (no service account a/default)",
        ),
        (
            403,
            'pods "p" is forbidden: minimum cpu usage per Container is 100m, but request is 10m',
            "a LimitRange of the namespace",
        ),
        (
            403,
            'pods "p" is forbidden: cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000',
            "a LimitRange of the namespace",
        ),
        (
            403,
            'pods "p" is forbidden: unable to create new content in namespace a because it is being terminated',
            "the NamespaceLifecycle admission plugin (the namespace is being deleted)",
        ),
        (404, 'namespaces "a" not found', "the NamespaceLifecycle admission plugin (no namespace a)"),
        (
            403,
            'pods "p" is forbidden: no PriorityClass with name high was found',
            "the Priority admission plugin (no PriorityClass high)",
        ),
        (
            403,
            'pods "p" is forbidden: pod rejected: RuntimeClass "gvisor" not found',
            "the RuntimeClass admission plugin (no RuntimeClass gvisor)",
        ),
        (422, 'Pod "p" is invalid: spec.containers[0].image: Required value', "the validation of the Pod API"),
        (500, VIOLATES, "the API server"),
        (503, "something else", "the API server"),
    ],
)
def test_who_answered_instead_is_named(status: int, message: str, by: str) -> None:
    assert reply(status, message) == Reply("other", by=by, reason=message)
