# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kubeadm keeps the encryption in its ClusterConfiguration, in both versions, and nothing else in it changes."""

from __future__ import annotations

import json
from functools import cache

import pytest
import yaml
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._kubeadm import (
    read_cluster_configuration,
    with_encryption,
    without_encryption,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._manifest import Settings
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

OURS = Settings()
PATH = OURS.path
OLD = "apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\nkubernetesVersion: v1.34.1\n"
NEW = OLD.replace("v1beta3", "v1beta4")
REST = "certificatesDir: /etc/kubernetes/pki\ndns: {}\netcd:\n  local:\n    dataDir: /var/lib/etcd\n"
MAP = "apiServer:\n  extraArgs:\n    authorization-mode: Node,RBAC # as ever\n"
LIST = "apiServer:\n  extraArgs:\n  - name: authorization-mode\n    value: Node,RBAC\n"
VOLUMES = "  extraVolumes:\n  - hostPath: /a\n    mountPath: /b\n    name: a\n    pathType: Directory\n"
WHOLE = {
    "apiVersion": "kubeadm.k8s.io/v1beta4",
    "kind": "ClusterConfiguration",
    "apiServer": {"certSANs": ["a"], "extraArgs": [{"name": "profiling", "value": "false"}]},
}

TEXTS: dict[str, str] = {
    "v1beta3, no server": OLD + REST,
    "v1beta3, empty server": OLD + "apiServer: {}\n" + REST,
    "v1beta3, no arguments": OLD + "apiServer:\n  timeoutForControlPlane: 4m0s\n" + REST,
    "v1beta3, arguments": OLD + MAP + REST,
    "v1beta3, arguments and volumes": OLD + MAP + VOLUMES + "  timeoutForControlPlane: 4m0s\n" + REST,
    "v1beta3, arguments first": MAP + "# c\n" + OLD + REST,
    "v1beta3, at the end": OLD + REST + MAP.rstrip("\n"),
    "v1beta3, empty arguments": OLD + "apiServer:\n  extraArgs: {}\n  extraVolumes: []\n",
    "v1beta3, in brackets": OLD + "apiServer: {extraArgs: {profiling: 'false'}}\n",
    "v1beta4, no server": NEW + REST,
    "v1beta4, empty server": NEW + "apiServer: {}\n" + REST,
    "v1beta4, arguments": NEW + LIST + REST,
    "v1beta4, arguments and volumes": NEW + LIST + VOLUMES + REST,
    "v1beta4, Windows": (NEW + LIST + VOLUMES + REST).replace("\n", "\r\n"),
    "v1beta4, indented": NEW + LIST.replace("  - name", "    - name").replace("    value", "      value") + REST,
    "v1beta4, in brackets": NEW + "apiServer:\n  extraArgs: [{name: profiling, value: 'false'}]\n",
    "v1beta4, empty arguments": NEW + "apiServer:\n  extraArgs: []\n",
    "v1beta4, JSON": json.dumps(WHOLE, indent=2),
    "v1beta4, twice the same name": NEW + LIST + "  - name: service-account-issuer\n    value: a\n" * 2,
}
ENCRYPTED = cache(lambda text: with_encryption(text, OURS))
BY_TEXT = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)


@BY_TEXT
def test_what_is_put_in_is_taken_out_to_the_byte(text: str) -> None:
    assert ENCRYPTED(text) != text
    assert without_encryption(ENCRYPTED(text), OURS) == text


@BY_TEXT
def test_it_is_there_once(text: str) -> None:
    assert not read_cluster_configuration(text).keeps(OURS)
    assert read_cluster_configuration(ENCRYPTED(text)).keeps(OURS)
    assert with_encryption(ENCRYPTED(text), OURS) == ENCRYPTED(text)
    assert without_encryption(text, OURS) == text


@BY_TEXT
def test_the_rest_is_kept(text: str) -> None:
    old, new = read_cluster_configuration(text), read_cluster_configuration(ENCRYPTED(text))
    assert new.arguments[:-2] == old.arguments and new.volumes[:-1] == old.volumes
    whole_old, whole_new = yaml.safe_load(text), yaml.safe_load(ENCRYPTED(text))
    for whole in (whole_old, whole_new):
        server = whole.pop("apiServer", {})
        whole |= {key: each for key, each in server.items() if key not in ("extraArgs", "extraVolumes")}
    assert whole_old == whole_new


def test_values_are_text_in_both_versions() -> None:
    said = {"encryption-provider-config": PATH, "encryption-provider-config-automatic-reload": "true"}
    old = yaml.safe_load(ENCRYPTED(OLD + MAP))["apiServer"]
    new = yaml.safe_load(ENCRYPTED(NEW + LIST))["apiServer"]
    assert old["extraArgs"] == {"authorization-mode": "Node,RBAC", **said}
    assert new["extraArgs"][1:] == [{"name": name, "value": value} for name, value in said.items()]
    assert old["extraVolumes"] == new["extraVolumes"]
    assert old["extraVolumes"] == [
        {
            "name": "hardening-encryption",
            "hostPath": "/etc/kubernetes/encryption",
            "mountPath": "/etc/kubernetes/encryption",
            "readOnly": True,
            "pathType": "Directory",
        }
    ]


def test_a_mount_of_the_same_directory_is_used_and_stays() -> None:
    text = NEW + LIST + VOLUMES.replace("/a\n", f"{OURS.directory}\n").replace("/b\n", f"{OURS.directory}/\n")
    assert read_cluster_configuration(ENCRYPTED(text)).volumes == read_cluster_configuration(text).volumes
    assert without_encryption(ENCRYPTED(text), OURS) == text


def test_what_is_half_there_is_completed() -> None:
    text = OLD + MAP + "    encryption-provider-config-automatic-reload: 'false'\n"
    assert read_cluster_configuration(with_encryption(text, OURS)).keeps(OURS)
    assert read_cluster_configuration(with_encryption(text, Settings(automatic_reload=False))).argument(
        "encryption-provider-config-automatic-reload"
    ) == "false"  # fmt: skip


FOREIGN = "  - name: encryption-provider-config\n    value: /x/y\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it is empty"),
        ("[]", "not a map"),
        ("kind: InitConfiguration\napiVersion: kubeadm.k8s.io/v1beta4\n", "of kind InitConfiguration; it is the key"),
        ("kind: JoinConfiguration\napiVersion: kubeadm.k8s.io/v1beta4\n", "of kind JoinConfiguration"),
        ("a: b\n", "of kind None"),
        (OLD + "---\nkind: InitConfiguration\n", "a second document"),
        (OLD.replace("v1beta3", "v1beta2"), "v1beta2 is not known, only .*kubeadm config migrate"),
        (OLD.replace("v1beta3", "v1"), "kubeadm.k8s.io/v1 is not known"),
        (OLD.replace("kubeadm.k8s.io", "example.com"), "is not known"),
        (OLD + LIST, "not a map of names"),
        (NEW + MAP, "not a list of maps"),
        (NEW + "apiServer: []\nx: 1\n", "extraArgs cannot be edited, since it is no map"),
        (NEW + "apiServer: text\n", "apiServer is not a map"),
        (NEW + "apiServer: {extraVolumes: {}}\n", "extraVolumes cannot be edited, since it is no list"),
        (NEW + "apiServer: {extraVolumes: []}\n", "is empty, and it could not be told"),
        (NEW + "apiServer: {extraVolumes: [text]}\n", "extraVolumes is not a list"),
        (NEW + "apiServer:\n  extraArgs:\n", "take that line out"),
        (NEW + "apiServer:\n", "take that line out"),
        (OLD + "apiServer: {extraArgs: {profiling: false}}\n", "not text; put it in quotes"),
        (NEW + LIST + FOREIGN, "/x/y; let it be"),
        (NEW + LIST + FOREIGN.replace("config", "config-automatic-reload") * 2, "2 times"),
        (NEW + LIST + VOLUMES.replace("name: a", "name: hardening-encryption"), "a volume hardening-encryption"),
        (NEW + LIST + VOLUMES.replace("/b", PATH), "a mounted file never shows"),
        (NEW + LIST + VOLUMES.replace("/b", OURS.directory), "mounts something else"),
    ],
)
def test_what_cannot_be_done_safely_is_refused(text: str, told: str) -> None:
    with pytest.raises(HardeningError, match=told) as refused:
        with_encryption(text, OURS)
    assert str(refused.value).startswith("kubeadm's ClusterConfiguration: ")


def test_what_is_not_ours_is_not_taken_out() -> None:
    with pytest.raises(HardeningError, match="not ours to take out"):
        without_encryption(NEW + LIST + FOREIGN, OURS)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (NEW + REST, "/etc/kubernetes/pki/enc.yaml"),
        (NEW + "certificatesDir: /etc/k8s/certs\n", "/etc/k8s/certs/encryption/enc.yaml"),
        (NEW, "/etc/ssl/certs/enc.yaml"),
        (NEW + "apiServer:\n" + VOLUMES.replace("mountPath: /b", "mountPath: /a"), "/a/encryption/enc.yaml"),
    ],
)
def test_what_is_mounted_anyway_is_not_mounted_twice(text: str, path: str) -> None:
    settings = Settings(path)
    encrypted = with_encryption(text, settings)
    assert read_cluster_configuration(encrypted).volumes == read_cluster_configuration(text).volumes
    assert read_cluster_configuration(encrypted).keeps(settings)
    assert without_encryption(encrypted, settings) == text
