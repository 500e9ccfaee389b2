# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._rewrites import (
    BadObject,
    as_kept,
    same,
)


def test_a_secret_is_sent_as_the_server_keeps_it() -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "a"},
        "stringData": {"a": "b"},
        "data": {"a": "eA==", "c": "eA=="},
    }
    assert as_kept(secret)["data"] == {"a": "Yg==", "c": "eA=="}
    assert "stringData" not in as_kept(secret) and "stringData" in secret


BAD_SECRETS: dict[str, tuple[dict[str, Any], str]] = {
    "a list": ({"data": ["s3cret"]}, "data of a Secret is a map of names and texts: write it as one."),
    "a text": ({"data": "s3cret", "stringData": {"a": "b"}}, "data of a Secret is a map of names and texts"),
    "a list of text": ({"stringData": ["s3cret"]}, "stringData of a Secret is a map"),
    "a map in a map": ({"data": {"p": {"inner": "s3cret"}}}, "data.p of a Secret is text: put what stands there in"),
    "a number": ({"stringData": {"pin": 53}}, "stringData.pin of a Secret is text"),
}


@pytest.mark.parametrize(("content", "words"), BAD_SECRETS.values(), ids=BAD_SECRETS)
def test_a_secret_of_a_wrong_shape_is_not_even_sent(content: dict[str, Any], words: str) -> None:
    with pytest.raises(BadObject) as caught:
        as_kept({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, **content})
    assert str(caught.value).startswith(words) and "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "spec",
    [
        "text",
        ["text"],
        {"limits": {"type": "Container"}},
        {"limits": ["text"]},
        {"limits": [{"type": "Container", "max": "1Gi", "min": {"cpu": 1}}]},
    ],
    ids=str,
)
def test_limits_of_a_wrong_shape_are_sent_as_they_are(spec: Any) -> None:
    obj = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "a"}, "spec": spec}
    assert as_kept(obj) == obj


def test_what_only_servers_set_is_not_sent() -> None:
    obj = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": "a",
            "uid": "u",
            "resourceVersion": "1",
            "managedFields": [],
            "creationTimestamp": None,
            "labels": {"a": None},
        },
        "spec": None,
        "status": {"phase": "Active"},
    }
    assert as_kept(obj) == {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a", "labels": {}}}


def test_the_status_of_a_custom_resource_may_be_the_users() -> None:
    obj = {"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": "a"}, "status": {"on": True}}
    assert as_kept(obj)["status"] == {"on": True}


def test_a_limit_range_is_sent_with_the_limits_that_follow() -> None:
    limits = [
        {"type": "Container", "max": {"cpu": 2, "memory": "1Gi"}, "min": {"cpu": "50m"}, "default": {"cpu": 1}},
        {"type": "Pod", "max": {"cpu": 4}},
    ]
    obj = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "a"}, "spec": {"limits": limits}}
    container, pod = as_kept(obj)["spec"]["limits"]
    assert container["default"] == container["defaultRequest"] == {"cpu": 1, "memory": "1Gi"}
    assert pod == limits[1] and "defaultRequest" not in limits[0]


PORTS = ("spec", "ingress", "ports")
SPEC = ("spec", "template", "spec")
Case = tuple[Any, Any, tuple[str, ...], str]
SAME: dict[str, Case] = {
    "equal": ({"a": [1]}, {"a": [1]}, ("spec",), "Pod"),
    "a default inside a list": ([{"port": 1}], [{"port": 1, "protocol": "TCP"}], PORTS, "NetworkPolicy"),
    "a default that was said": (
        [{"port": 1, "protocol": "TCP"}],
        [{"port": 1, "protocol": "TCP"}],
        PORTS,
        "NetworkPolicy",
    ),
    "a quantity in a map": ("0.5", "500m", ("spec", "hard", "cpu"), "ResourceQuota"),
    "a quantity as a number": (2, "2", ("spec", "hard", "cpu"), "ResourceQuota"),
    "a quantity in a field": ("1024Mi", "1Gi", (*SPEC, "volumes", "emptyDir", "sizeLimit"), "Deployment"),
    "a quantity that pods are counted by": (
        "0.5",
        "500m",
        ("spec", "metrics", "external", "target", "value"),
        "HorizontalPodAutoscaler",
    ),
    "what says nothing": (
        [{"kind": "User", "name": "a", "apiGroup": ""}],
        [{"kind": "User", "name": "a"}],
        ("subjects",),
        "RoleBinding",
    ),
    "base64 in lines": ("YWJj\nZA==", "YWJjZA==", ("data", "token"), "Secret"),
    "bytes in lines": ("YWJj\r\nZA==", "YWJjZA==", ("binaryData", "token"), "ConfigMap"),
    "tolerations by admission": (
        [{"key": "a"}],
        [{"key": "a"}, {"key": "node.kubernetes.io/not-ready", "tolerationSeconds": 300}],
        ("spec", "tolerations"),
        "Pod",
    ),
}
NOT_SAME: dict[str, Case] = {
    "another value": ({"a": 1}, {"a": 2}, ("spec",), "Pod"),
    "something more": ([{"port": 1}], [{"port": 1, "endPort": 2}], PORTS, "NetworkPolicy"),
    "another than the default": ([{"port": 1}], [{"port": 1, "protocol": "UDP"}], PORTS, "NetworkPolicy"),
    "something less": ([{"port": 1, "protocol": "TCP"}], [{"port": 1}], PORTS, "NetworkPolicy"),
    "fewer items": ([{"port": 1}], [], PORTS, "NetworkPolicy"),
    "another order": ([1, 2], [2, 1], ("spec", "args"), "Pod"),
    "another quantity": ("1", "2", ("spec", "hard", "cpu"), "ResourceQuota"),
    "no quantity": ("a", "b", ("spec", "hard", "cpu"), "ResourceQuota"),
    "numbers that are text": ("1.0", "1", ("spec", "image"), "Pod"),
    "a version in the environment": ("1.10", "1.1", (*SPEC, "containers", "env", "value"), "Deployment"),
    "a version in a header": ("1.10", "1.1", ("spec", "containers", "httpGet", "httpHeaders", "value"), "Pod"),
    "a version in a label": ("1.10", "1.1", ("metadata", "labels", "value"), "ConfigMap"),
    "a version in a map": ("1.10", "1.1", ("data", "value"), "ConfigMap"),
    "a version in a custom resource's default": (
        "1.10",
        "1.1",
        ("spec", "versions", "schema", "openAPIV3Schema", "properties", "a", "default", "version"),
        "CustomResourceDefinition",
    ),
    "an address": ("101.1.11.11", "10.11.11.11", ("data", "bind"), "ConfigMap"),
    "a word less": ("ab cd", "abcd", ("data", "words"), "ConfigMap"),
    "a space in base64": ("Y Q==", "YQ==", ("data", "token"), "Secret"),
    "other bytes": ("YQ==", "Yg==", ("data", "token"), "Secret"),
    "a toleration taken out": ([], [{"key": "mine"}], ("spec", "tolerations"), "Pod"),
    "a toleration taken out of a template": (
        [],
        [{"key": "node.kubernetes.io/not-ready"}],
        (*SPEC, "tolerations"),
        "Deployment",
    ),
}


@pytest.mark.parametrize(("desired", "live", "path", "kind"), SAME.values(), ids=SAME)
def test_what_a_server_rewrites_is_the_same(desired: Any, live: Any, path: tuple[str, ...], kind: str) -> None:
    assert same(desired, live, path, kind)


@pytest.mark.parametrize(("desired", "live", "path", "kind"), NOT_SAME.values(), ids=NOT_SAME)
def test_what_differs_is_not_the_same(desired: Any, live: Any, path: tuple[str, ...], kind: str) -> None:
    assert not same(desired, live, path, kind)


def test_the_tables_do_not_speak_of_custom_resources() -> None:
    assert not same([{"port": 1}], [{"port": 1, "protocol": "TCP"}], PORTS, "")
