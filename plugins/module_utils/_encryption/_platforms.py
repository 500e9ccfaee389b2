# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: who looks after a cluster's control plane, and how encryption is changed there.

Where somebody else does, a file that we wrote would be replaced, or would keep the server from starting. So that is
refused, with the command of that platform; what can be proved is proved all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml"
GROUP = "kube_control_plane"
"""The inventory's group that playbooks take the control plane nodes from, as kubespray names it."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What a cluster shows of its platform.

    ``version`` is ``gitVersion`` of ``/version``, ``host`` that of the URL of its API server. ``labels`` are those of a
    node, ``groups`` the API groups that it serves. ``kubeadm``: whether it has kubeadm's ClusterConfiguration.
    """

    version: str = ""
    host: str = ""
    labels: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    kubeadm: bool = False


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform by its name. ``refusal`` says who looks after encryption and by which command, empty where we may.

    ``managed``: nobody reaches its control plane nodes. ``manifest`` is where on them the API server's manifest lies,
    empty where there is none.
    """

    name: str
    refusal: str = ""
    managed: bool = False
    manifest: str = MANIFEST
    recognised: Callable[[Signs], bool] = field(default=lambda _signs: False, repr=False, compare=False)


UNKNOWN = Platform("not recognised")
"""A cluster that shows no sign of any. It may well have static pods like kubeadm's: the walk looks for itself."""

PLATFORMS: tuple[Platform, ...] = (
    Platform(
        "Amazon EKS",
        "Amazon encrypts what EKS stores, with a key of its own or yours: `aws eks describe-cluster --name NAME "
        "--query cluster.encryptionConfig` shows it, `aws eks associate-encryption-config --cluster-name NAME "
        '--encryption-config \'[{"resources":["secrets"],"provider":{"keyArn":"ARN"}}]\'` gives it your key, which '
        "cannot be taken back",
        managed=True,
        manifest="",
        recognised=lambda signs: "-eks-" in signs.version or signs.host.endswith(".eks.amazonaws.com"),
    ),
    Platform(
        "Google GKE",
        "Google encrypts what GKE stores: `gcloud container clusters describe NAME --location LOCATION "
        "--format 'value(databaseEncryption)'` shows it, `gcloud container clusters update NAME --location LOCATION "
        "--database-encryption-key projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY` gives it your key",
        managed=True,
        manifest="",
        recognised=lambda signs: "-gke." in signs.version,
    ),
    Platform(
        "Azure AKS",
        "Azure looks after what AKS stores: `az aks show --resource-group GROUP --name NAME --query "
        "securityProfile.azureKeyVaultKms` shows it, `az aks update --resource-group GROUP --name NAME "
        "--enable-azure-keyvault-kms --azure-keyvault-kms-key-id KEY` gives it your key; after that each Secret has to "
        "be written anew",
        managed=True,
        manifest="",
        recognised=lambda signs: "kubernetes.azure.com/cluster" in signs.labels or signs.host.endswith(".azmk8s.io"),
    ),
    Platform(
        "OpenShift",
        "its operators look after encryption, rotate keys weekly and would take ours out: `oc get apiserver cluster "
        "-o jsonpath={.spec.encryption.type}` shows it, `oc patch apiserver cluster --type merge -p "
        '\'{"spec":{"encryption":{"type":"aescbc"}}}\'` changes it',
        manifest="",
        recognised=lambda signs: "config.openshift.io" in signs.groups,
    ),
    Platform(
        "RKE2",
        "RKE2 keeps the configuration in its datastore and would replace ours: on a server node `rke2 secrets-encrypt "
        "status` shows it, `rke2 secrets-encrypt rotate-keys` changes the key; another provider is chosen before that "
        "by secrets-encryption-provider in /etc/rancher/rke2/config.yaml",
        manifest="/var/lib/rancher/rke2/agent/pod-manifests/kube-apiserver.yaml",
        recognised=lambda signs: "+rke2" in signs.version,
    ),
    Platform(
        "k3s",
        "k3s keeps the configuration in its datastore and would replace ours: on a server node `k3s secrets-encrypt "
        "status` shows it, `k3s secrets-encrypt rotate-keys` changes the key; a server that was not started with "
        "--secrets-encryption cannot be given encryption later",
        manifest="",
        recognised=lambda signs: "+k3s" in signs.version,
    ),
    Platform("kubeadm", recognised=lambda signs: signs.kubeadm),
)
"""The first that is recognised counts: some of them are made with kubeadm, too."""


def platform_of(signs: Signs) -> Platform:
    """The platform of these signs, :data:`UNKNOWN` where they are none's."""
    return next((each for each in PLATFORMS if each.recognised(signs)), UNKNOWN)


def refuse_foreign(platform: Platform) -> None:
    """Raise :class:`HardeningError`, with the right command, where encryption is not ours to change."""
    if platform.refusal:
        raise HardeningError(f"This is {platform.name}, where nothing was touched: {platform.refusal}.")


def manifest_on(platform: Platform, named: str) -> str:
    """Where to look for the API server's manifest: where the user says, else where the platform has it, if anywhere."""
    return platform.manifest if named == MANIFEST else named


def why_unseen(platform: Platform) -> tuple[str, str]:
    """Why etcd could not be looked into where no control plane node can tell of it, and what to do about it."""
    if not platform.manifest:
        of_provider = f"this is {platform.name}, whose etcd nobody but its provider can look into"
        of_others = f"this is {platform.name}, on whose nodes no manifest of a kube-apiserver says where its etcd is"
        remedy = f"Look there, and accept this as unknown by name: {platform.refusal}."
        return of_provider if platform.managed else of_others, remedy
    named = f"(nodes; playbooks take the inventory's group {GROUP}, or -e control_plane=GROUP)"
    why = "no control plane node was named, and what lies in etcd can be seen from there alone"
    return why, f"Name every control plane node of the inventory {named}."
