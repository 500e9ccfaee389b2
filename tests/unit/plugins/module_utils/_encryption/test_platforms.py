# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who looks after a control plane, and the command that each platform is changed by."""

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._platforms import (
    MANIFEST,
    PLATFORMS,
    UNKNOWN,
    Signs,
    manifest_on,
    platform_of,
    refuse_foreign,
    why_unseen,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

CLUSTERS = {
    "Amazon EKS": (
        Signs("v1.34.1-eks-113cf36", "A1.gr7.eu-central-1.eks.amazonaws.com"),
        "aws eks associate-encryption-config",
    ),
    "Google GKE": (Signs("v1.34.1-gke.1829001", "34.0.0.1"), "--database-encryption-key"),
    "Azure AKS": (
        Signs("v1.34.1", "shop-1.hcp.westeurope.azmk8s.io", frozenset({"kubernetes.azure.com/cluster"})),
        "--enable-azure-keyvault-kms",
    ),
    "OpenShift": (Signs("v1.34.1", groups=frozenset({"config.openshift.io"})), "oc patch apiserver cluster"),
    "RKE2": (Signs("v1.34.1+rke2r1"), "rke2 secrets-encrypt rotate-keys"),
    "k3s": (Signs("v1.34.1+k3s1"), "k3s secrets-encrypt rotate-keys"),
    "kubeadm": (Signs("v1.36.3", "10.0.0.1", kubeadm=True), ""),
}


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_platform_is_recognised_and_refused_with_its_own_command(name: str) -> None:
    signs, command = CLUSTERS[name]
    found = platform_of(signs)
    assert found.name == name
    assert bool(found.refusal) == bool(command)
    if command:
        with pytest.raises(HardeningError, match=f"^This is {name}, where nothing was touched: ") as told:
            refuse_foreign(found)
        assert command in str(told.value)
    else:
        refuse_foreign(found)


def test_every_platform_is_tried_and_an_unknown_one_is_not_refused() -> None:
    assert CLUSTERS.keys() == {each.name for each in PLATFORMS}
    assert platform_of(Signs("v1.36.3", "10.0.0.1")) is UNKNOWN
    refuse_foreign(UNKNOWN)


def test_what_is_made_with_kubeadm_and_looked_after_by_others_is_theirs() -> None:
    signs, _command = CLUSTERS["Azure AKS"]
    assert platform_of(Signs(signs.version, signs.host, signs.labels, kubeadm=True)).name == "Azure AKS"


@pytest.mark.parametrize("name", CLUSTERS)
def test_why_etcd_is_not_seen_says_what_to_do(name: str) -> None:
    platform = platform_of(CLUSTERS[name][0])
    why, remedy = why_unseen(platform)
    if platform.name in ("kubeadm", "RKE2"):
        assert "no control plane node was named" in why
        assert "kube_control_plane" in remedy
    else:
        assert f"this is {name}, " in why
        assert ("its provider" in why) == (platform.name not in ("k3s", "OpenShift"))
        assert platform.refusal in remedy


@pytest.mark.parametrize("name", CLUSTERS)
def test_the_manifest_is_looked_for_where_the_platform_has_it(name: str) -> None:
    platform = platform_of(CLUSTERS[name][0])
    rke2 = "/var/lib/rancher/rke2/agent/pod-manifests/kube-apiserver.yaml"
    assert manifest_on(platform, MANIFEST) == {"kubeadm": MANIFEST, "RKE2": rke2}.get(name, "")
    assert manifest_on(platform, "/etc/mine.yaml") == "/etc/mine.yaml"
    assert manifest_on(UNKNOWN, MANIFEST) == MANIFEST
