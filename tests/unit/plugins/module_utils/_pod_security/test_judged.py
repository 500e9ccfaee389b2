# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._judged import (
    judged_fields,
    still_as_sent,
)

SENT: dict[str, Any] = {
    "metadata": {"generateName": "x-"},
    "spec": {
        "securityContext": {},
        "volumes": [{"name": "data", "emptyDir": {}}],
        "containers": [{"name": "web", "image": "web:1", "securityContext": {"runAsNonRoot": True}}],
    },
}


def with_spec(**spec: Any) -> dict[str, Any]:
    return {**SENT, "spec": {**SENT["spec"], **spec}}


def container(**fields: Any) -> dict[str, Any]:
    return with_spec(containers=[{**SENT["spec"]["containers"][0], **fields}])


@pytest.mark.parametrize(
    "kept",
    [
        SENT,
        with_spec(nodeName="n", tolerations=[{}]),
        container(resources={"limits": {"cpu": "1"}}, image="mirror/web:1"),
        with_spec(volumes=[*SENT["spec"]["volumes"], {"name": "kube-api-access-abcde", "projected": {}}]),
        with_spec(containers=[*SENT["spec"]["containers"], {"name": "sidecar", "image": "x"}]),
        container(ports=[{"containerPort": 80}]),
    ],
)
def test_what_no_level_judges_may_change(kept: dict[str, Any]) -> None:
    assert still_as_sent(SENT, kept)


@pytest.mark.parametrize(
    "kept",
    [
        with_spec(hostPID=True),
        with_spec(hostUsers=False),
        with_spec(os={"name": "windows"}),
        with_spec(securityContext={"runAsNonRoot": True}),
        with_spec(volumes=[{"name": "data", "hostPath": {"path": "/"}}]),
        with_spec(volumes=[]),
        container(securityContext={}),
        container(ports=[{"containerPort": 80, "hostPort": 80}]),
        container(livenessProbe={"httpGet": {"host": "1.2.3.4", "port": 80}}),
        container(lifecycle={"preStop": {"tcpSocket": {"host": "1.2.3.4"}}}),
        with_spec(containers=[]),
        {**SENT, "metadata": {"annotations": {"container.apparmor.security.beta.kubernetes.io/web": "x"}}},
    ],
)
def test_what_a_level_judges_is_told_apart(kept: dict[str, Any]) -> None:
    assert not still_as_sent(SENT, kept)
    assert judged_fields(SENT) != judged_fields(kept)
