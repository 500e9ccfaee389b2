# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from decimal import Decimal

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._resource_limits._answers import Bound, reply

QUOTING = (
    'admission webhook "w.example" denied the request: pods "a" is forbidden: exceeded quota: hardening-quota, '
    "requested: pods=1, used: pods=1, limited: pods=1"
)
POD = 'pods "hardening-probe-x2x4z" is forbidden: '


def test_a_refusal_for_a_quota_says_what_is_exceeded() -> None:
    answer = reply(
        403,
        POD + "exceeded quota: hardening-quota, requested: pods=1,requests.cpu=4001m, used: pods=2,requests.cpu=500m, "
        "limited: pods=2,requests.cpu=4",
    )
    assert (answer.kind, answer.quota) == ("exceeded", "hardening-quota")
    assert answer.requested == {"pods": 1, "requests.cpu": Decimal("4.001")}
    assert answer.used == {"pods": 2, "requests.cpu": Decimal("0.5")}
    assert answer.limited == {"pods": 2, "requests.cpu": 4}


def test_a_refusal_by_a_limit_range_says_every_bound() -> None:
    answer = reply(
        403,
        POD
        + "[maximum cpu usage per Container is 500m, but limit is 2, minimum memory usage per Container is 16Mi, but "
        "request is 1, cpu max limit to request ratio per Pod is 1500m, but provided ratio is 2.000000, "
        "maximum memory usage per Pod is 1Gi.  No limit is specified]",
    )
    assert answer.kind == "limited"
    assert answer.bounds == {
        Bound("Container", "maximum", "cpu", Decimal("0.5")),
        Bound("Container", "minimum", "memory", Decimal(16 * 2**20)),
        Bound("Pod", "ratio", "cpu", Decimal("1.5")),
        Bound("Pod", "maximum", "memory", Decimal(2**30)),
    }


def test_a_claim_is_refused_by_a_limit_range_too() -> None:
    answer = reply(
        403,
        'persistentvolumeclaims "hardening-probe-a" is forbidden: '
        "maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 1073741825",
    )
    assert answer.bounds == {Bound("PersistentVolumeClaim", "maximum", "storage", Decimal(2**30))}


@pytest.mark.parametrize(
    ("status", "message", "kind", "by"),
    [
        (201, "", "admitted", ""),
        (403, POD + "failed quota: q: must specify requests.cpu for: a,b", "failed", "the ResourceQuota q"),
        (403, POD + "status unknown for quota: q, resources: pods", "status_unknown", "the ResourceQuota q"),
        (
            403,
            'pods is forbidden: User "jane" cannot create resource "pods" in API group "" in the namespace "a"',
            "not_permitted",
            "RBAC",
        ),
        (403, POD + 'violates PodSecurity "restricted:latest": hostPID', "other", "Pod Security"),
        (
            400,
            QUOTING,
            "other",
            "the admission webhook w.example",
        ),
        (
            403,
            QUOTING,
            "other",
            "the admission webhook w.example",
        ),
        (
            403,
            POD + "error looking up service account a/default: serviceaccount not found",
            "other",
            "the ServiceAccount admission plugin (no service account a/default)",
        ),
    ],
)
def test_who_answered(status: int, message: str, kind: str, by: str) -> None:
    answer = reply(status, message)
    assert (answer.kind, answer.by) == (kind, by)
