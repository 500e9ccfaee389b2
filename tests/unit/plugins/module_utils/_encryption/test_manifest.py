# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Encryption gets into a kube-apiserver's manifest and out again, and nothing else in it changes."""

from __future__ import annotations

import difflib
import json
from contextlib import suppress
from functools import cache
from typing import Any

import pytest
import yaml
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._manifest import (
    CONFIG_FLAG,
    RELOAD_FLAG,
    RESTART_ANNOTATION,
    Settings,
    read_manifest,
    user_of,
    with_encryption,
    with_restart,
    without_encryption,
    without_restart,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._mounts import Place
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

from .manifests import FLAGS, KUBEADM, POD, SIDECAR, STYLES, edited, scrambled, without

OURS = Settings()
PATH = OURS.path
ENCRYPTED = cache(lambda text: with_encryption(text, OURS))
BY_STYLE = pytest.mark.parametrize("text", STYLES.values(), ids=STYLES)


@BY_STYLE
def test_what_is_put_in_is_taken_out_to_the_byte(text: str) -> None:
    encrypted = ENCRYPTED(text)
    assert encrypted != text
    assert without_encryption(encrypted, OURS) == text


@BY_STYLE
def test_the_server_is_told_and_sees_the_file(text: str) -> None:
    manifest = read_manifest(ENCRYPTED(text))
    assert (manifest.path, manifest.automatic_reload) == (PATH, True)
    assert (manifest.place.kind, manifest.place.node_path) == ("directory", PATH)
    assert [flag for flag in manifest.flags if "encryption" not in flag[0]] == list(read_manifest(text).flags)


@BY_STYLE
def test_nothing_is_put_in_twice_and_nothing_taken_out_where_nothing_is(text: str) -> None:
    encrypted = ENCRYPTED(text)
    assert with_encryption(encrypted, OURS) == encrypted
    assert without_encryption(text, OURS) == text


@BY_STYLE
def test_only_what_was_meant_changes(text: str) -> None:
    old, new = yaml.safe_load(text), yaml.safe_load(ENCRYPTED(text))
    for pod in (old, new):
        pod["spec"].pop("volumes", None)
        for container in pod["spec"]["containers"]:
            container.pop("volumeMounts", None)
            for key in ("command", "args"):
                words = [word for word in container.pop(key, []) if "encryption-provider" not in word]
                container[f"{key} left"] = words
    assert repr(old) == repr(new)


@BY_STYLE
def test_the_text_only_grows(text: str) -> None:
    grown = iter(ENCRYPTED(text))
    assert all(character in grown for character in text)


@BY_STYLE
def test_a_restart_is_marked_and_unmarked(text: str) -> None:
    marked = with_restart(text, "sha256:1")
    assert yaml.safe_load(marked)["metadata"]["annotations"][RESTART_ANNOTATION] == "sha256:1"
    assert with_restart(marked, "sha256:1") == marked
    assert yaml.safe_load(with_restart(marked, "sha256:2"))["metadata"]["annotations"][RESTART_ANNOTATION] == "sha256:2"
    assert without_restart(with_restart(marked, "sha256:2")) == text
    assert without_restart(text) == text


def test_almost_any_manifest_is_edited_without_a_trace() -> None:
    edited_ones = {}
    for text in map(scrambled, range(30)):
        with suppress(HardeningError):
            edited_ones[text] = with_encryption(text, OURS)
    assert len(edited_ones) > 25
    for text, encrypted in edited_ones.items():
        manifest = read_manifest(encrypted)
        assert (manifest.path, manifest.automatic_reload, manifest.place.node_path) == (PATH, True, PATH)
        assert [flag for flag in manifest.flags if "encryption" not in flag[0]] == list(read_manifest(text).flags)
        assert without_encryption(encrypted, OURS) == text


def test_in_a_manifest_of_kubeadm_it_looks_as_kubeadm_would_write_it() -> None:
    changed = difflib.ndiff(KUBEADM.splitlines(), with_encryption(KUBEADM, OURS).splitlines())
    assert [line[2:] for line in changed if line[0] in "+-"] == [
        f"    - --{CONFIG_FLAG}={PATH}",
        f"    - --{RELOAD_FLAG}=true",
        "    - mountPath: /etc/kubernetes/encryption",
        "      name: hardening-encryption",
        "      readOnly: true",
        "  - hostPath:",
        "      path: /etc/kubernetes/encryption",
        "      type: Directory",
        "    name: hardening-encryption",
    ]


def test_a_mount_that_is_there_already_is_used_and_stays() -> None:
    text = STYLES["a mount of the same directory"]
    encrypted = with_encryption(text, OURS)
    assert yaml.safe_load(encrypted)["spec"]["volumes"] == yaml.safe_load(text)["spec"]["volumes"]
    assert read_manifest(encrypted).place.volume == "ca-certs"


def test_without_automatic_reload_only_the_path_is_told() -> None:
    manifest = read_manifest(with_encryption(KUBEADM, Settings(automatic_reload=False)))
    assert (manifest.path, manifest.automatic_reload) == (PATH, False)


def test_what_is_half_there_is_completed() -> None:
    for half in (f"--{CONFIG_FLAG}={PATH}", f"--{RELOAD_FLAG}=false", f"--{RELOAD_FLAG}=true"):
        text = yaml.dump(edited(command=["kube-apiserver", half, *FLAGS]))
        manifest = read_manifest(with_encryption(text, OURS))
        assert (manifest.path, manifest.automatic_reload, manifest.place.kind) == (PATH, True, "directory")
        assert len([flag for flag in manifest.flags if "encryption" in flag[0]]) == 2


@pytest.mark.parametrize(
    ("words", "path", "reloads"),
    [
        ([], "", False),
        ([f"--{CONFIG_FLAG}=/a/b"], "/a/b", False),
        ([f"--{CONFIG_FLAG}", "/a/b", f"--{RELOAD_FLAG}"], "/a/b", True),
        ([f"--{RELOAD_FLAG}", f"--{CONFIG_FLAG}=/a/b"], "/a/b", True),
        ([f"--{RELOAD_FLAG}=T", "--encryption_provider_config=/a/b"], "/a/b", True),
        ([f"--{RELOAD_FLAG}=false", f"--{CONFIG_FLAG}=/a/b", f"--{CONFIG_FLAG}=/c/d"], "/c/d", False),
    ],
)
def test_flags_are_read_as_the_server_reads_them(words: list[str], path: str, reloads: bool) -> None:
    manifest = read_manifest(yaml.dump(edited(command=["kube-apiserver", *words])))
    assert (manifest.path, manifest.automatic_reload) == (path, reloads)


def test_other_flags_are_told_too() -> None:
    manifest = read_manifest(KUBEADM)
    assert manifest.flag("etcd-servers") == "https://127.0.0.1:2379"
    assert (manifest.flag("runtime-config", "x"), manifest.flag("etcd-prefix", "/registry")) == ("", "/registry")


def mounted(path: str, volume: dict[str, Any], mount: dict[str, Any]) -> str:
    pod = edited(
        command=["kube-apiserver", f"--{CONFIG_FLAG}={path}"] if path else ["kube-apiserver"],
        volumeMounts=[{"name": "certs", "mountPath": "/etc"}, {"name": "its", **mount}],
    )
    pod["spec"]["volumes"] = [{"name": "certs", "hostPath": {"path": "/root/etc"}}, {"name": "its", **volume}]
    return yaml.dump(pod)


@pytest.mark.parametrize(
    ("volume", "mount", "place"),
    [
        ({"hostPath": {"path": "/n"}}, {"mountPath": "/enc"}, Place("directory", "/n/c.json", "its", "/enc")),
        ({"hostPath": {"path": "/n"}}, {"mountPath": "/enc/"}, Place("directory", "/n/c.json", "its", "/enc/")),
        ({"hostPath": {"path": "/n/c"}}, {"mountPath": "/enc/c.json"}, Place("file", "/n/c", "its", "/enc/c.json")),
        (
            {"hostPath": {"path": "/n"}},
            {"mountPath": "/enc/c.json", "subPath": "s"},
            Place("file", "/n/s", "its", "/enc/c.json"),
        ),
        ({"secret": {"secretName": "s"}}, {"mountPath": "/enc"}, Place("other", "", "its", "/enc")),
        ({}, {"mountPath": "/elsewhere"}, Place()),
    ],
)
def test_where_the_file_lies_on_the_node(volume: dict[str, Any], mount: dict[str, Any], place: Place) -> None:
    assert read_manifest(mounted("/enc/c.json", volume, mount)).place == place


def test_the_nearest_mount_decides() -> None:
    text = mounted("/etc/enc/c.json", {"hostPath": {"path": "/n"}}, {"mountPath": "/etc/enc"})
    assert read_manifest(text).place.node_path == "/n/c.json"
    assert read_manifest(text.replace("/etc/enc\n", "/etc/other\n")).place.node_path == "/root/etc/enc/c.json"


FOREIGN_VOLUME = without()
FOREIGN_VOLUME["spec"]["volumes"].append({"name": OURS.volume, "emptyDir": {}})
SHARED = yaml.safe_load(with_encryption(KUBEADM, OURS))
SHARED["spec"]["containers"].append({**SIDECAR, "volumeMounts": [{"name": OURS.volume, "mountPath": "/keys"}]})
FILE = {"hostPath": {"path": PATH, "type": "File"}}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it is empty"),
        ("text", "not the manifest of a pod"),
        ("[]", "not the manifest of a pod"),
        ("kind: Deployment\nspec: {containers: []}", "not the manifest of a pod"),
        ("kind: Pod\nspec: {}", "not the manifest of a pod"),
        ("kind: Pod\nspec: {containers: [text]}", "no container of this pod runs kube-apiserver"),
        (KUBEADM.replace("kube-apiserver", "etcd"), "no container of this pod runs kube-apiserver"),
        (json.dumps({**POD, "spec": {"containers": POD["spec"]["containers"] * 2}}), "2 containers of this pod"),
        (KUBEADM + "---\n" + KUBEADM, "a second document"),
        (KUBEADM.replace("    - --secure", "\t- --secure"), "a tab stands here"),
        (KUBEADM + "kind: Pod\n", "a key is there twice"),
        (yaml.dump(edited(command=["/bin/sh", "-c", "exec kube-apiserver --a=b"])), "from a shell"),
        (yaml.dump(edited(command=["/bin/sh", "-c"], args=["exec kube-apiserver --a=b"])), "from a shell"),
        (yaml.dump(edited(command="kube-apiserver --a=b")), "command of container kube-apiserver is not a list"),
        (yaml.dump(edited(command=["kube-apiserver", 5])), "command of container kube-apiserver is not a list"),
        (yaml.dump(edited(args=["--a=b"])), "in command and in args"),
        (yaml.dump(edited(command=["kube-apiserver", f"--{CONFIG_FLAG}=/a/b"])), "points to /a/b and not to"),
        (yaml.dump(edited(command=["kube-apiserver", f"--{CONFIG_FLAG}="])), "with no path"),
        (yaml.dump(edited(command=["kube-apiserver", *[f"--{RELOAD_FLAG}=false"] * 2])), "given 2 times"),
        (yaml.dump(edited(volumeMounts="text")), "volumeMounts is not a list"),
        (mounted("", FILE, {"mountPath": PATH}), "mounted as a file"),
        (mounted("", {"hostPath": {"path": "/n"}}, {"mountPath": OURS.directory}), "something other than"),
        (mounted("", {"emptyDir": {}}, {"mountPath": OURS.directory}), "something other than"),
        (yaml.dump(FOREIGN_VOLUME), "a volume hardening-encryption is there"),
        (KUBEADM.replace("volumeMounts:\n", "volumeMounts: &m\n") + "x: *m\n", "an alias"),
        ('{"kind": "Pod", "spec": {"containers": [{"name": "kube-apiserver", "volumeMounts": []}]}}', "is empty"),
        (KUBEADM.replace("apiserver.key\n", "apiserver.key\n    - |\n      --x\n"), "several lines"),
    ],
)
def test_what_cannot_be_done_safely_is_refused(text: str, told: str) -> None:
    with pytest.raises(HardeningError, match=told) as refused:
        with_encryption(text, OURS)
    assert str(refused.value).startswith("The manifest of the kube-apiserver: ")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (yaml.dump(edited(command=["kube-apiserver", f"--{CONFIG_FLAG}=/a/b"])), "not ours to take out"),
        (yaml.dump(edited(command=["kube-apiserver", f"--{CONFIG_FLAG}", PATH])), "as one argument"),
        (yaml.dump(edited(command=["kube-apiserver", *[f"--{CONFIG_FLAG}={PATH}"] * 2])), "given 2 times"),
        (yaml.dump(SHARED), "container proxy mounts our volume"),
    ],
)
def test_what_is_not_ours_is_not_taken_out(text: str, told: str) -> None:
    with pytest.raises(HardeningError, match=told):
        without_encryption(text, OURS)


@pytest.mark.parametrize("path", ["", "relative/file", "/file", "/a/../b", "/a b/c", "/a/b\n", "/a/{b}", "/a//b"])
def test_a_path_that_could_break_the_manifest_is_refused(path: str) -> None:
    with pytest.raises(HardeningError, match="is not one for the configuration"):
        with_encryption(KUBEADM, Settings(path))


@pytest.mark.parametrize(
    ("pod", "container", "user"),
    [
        ({}, {}, 0),
        ({"runAsUser": 65534}, {}, 65534),
        ({"runAsUser": 65534}, {"runAsUser": 0}, 0),
        ({"runAsUser": 65534}, {"runAsUser": None}, 65534),
    ],
)
def test_as_whom_the_server_runs(pod: dict[str, int], container: dict[str, int | None], user: int) -> None:
    manifest = yaml.safe_load(KUBEADM)
    manifest["spec"]["securityContext"] |= pod
    manifest["spec"]["containers"][0]["securityContext"] = container
    assert user_of(yaml.safe_dump(manifest)) == user
