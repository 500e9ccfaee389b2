# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.testbed import making, tables
from tests.testbed.engine import Engine
from tests.testbed.errors import SetupError

HEADER = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"


def route(destination: str, mask: str, interface: str = "br-1") -> str:
    order = 1 if sys.byteorder == "big" else -1
    first, second = (
        bytes(int(part) for part in text.split("."))[::order].hex().upper() for text in (destination, mask)
    )
    return f"{interface}\t{first}\t00000000\t0001\t0\t0\t0\t{second}\t0\t0\t0\n"


@pytest.mark.parametrize(
    ("routes", "first"),
    [
        ("", tables.SUBNETS[0]),
        (route("0.0.0.0", "0.0.0.0") + route("192.0.2.0", "255.255.255.0"), tables.SUBNETS[0]),
        (route("10.0.0.0", "255.0.0.0"), tables.SUBNETS[0]),
        (route("10.213.0.0", "255.255.255.0"), tables.SUBNETS[1]),
        (route("10.213.0.0", "255.255.255.0") + route("10.213.1.128", "255.255.255.128"), tables.SUBNETS[2]),
    ],
)
def test_a_subnet_that_another_engine_of_this_host_has_is_left_alone(routes: str, first: str) -> None:
    assert making.free_subnets(HEADER + routes)[0] == first


def test_without_a_table_of_routes_every_subnet_may_be_free() -> None:
    assert making.free_subnets("") == [*tables.SUBNETS]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("ERROR: no kubelet", "ERROR: no kubelet"),
        ("docker: OCI runtime create failed: unable to apply caps: operation not permitted", "^The Docker engine that"),
    ],
)
def test_the_words_of_kind_are_told_when_it_fails(
    said: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = tmp_path / "kind"
    kind.write_text('#!/bin/sh\ncase "$*" in *quiet*) ;; *) echo "$SAID" >&2 ;; esac\nexit 1\n')
    monkeypatch.setenv("SAID", said)
    monkeypatch.setenv("HARDENING_CACHE", str(tmp_path))
    kind.chmod(0o755)
    monkeypatch.setattr(Engine, "docker", lambda *_words: "1")
    spec = tables.Spec("demo", 1, "enforcing", tables.kubernetes("1.36"))
    with pytest.raises(SetupError, match=told):
        making.create_nodes(Engine(None, own=False), spec, kind, "hardening.local/node:1", {})


def test_requests_are_shortened_in_the_manifest_alone(tmp_path: Path) -> None:
    manifest = tmp_path / "manifests" / "kube-apiserver.yaml"
    manifest.parent.mkdir()
    before = "  - command:\n    - kube-apiserver\n    - --advertise-address=10.0.0.1\n    name: kube-apiserver\n"
    manifest.write_text(before)
    script = making.SHORTEN_REQUESTS.replace("/etc/kubernetes", str(tmp_path))
    subprocess.run(["sh", "-c", script], check=True)
    first = "    - kube-apiserver\n"
    assert manifest.read_text() == before.replace(first, f"{first}    - --request-timeout=10s\n")
    assert [path.name for path in tmp_path.iterdir()] == ["manifests"]
