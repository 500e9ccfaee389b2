# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.testbed import gobuild, places, tables
from tests.testbed.errors import SetupError


@pytest.mark.parametrize("wanted", ["1.36", "1.36.3", "v1.36.3"])
def test_version_is_found_by_minor_and_by_patch(wanted: str) -> None:
    assert tables.kubernetes(wanted).version == "v1.36.3"


@pytest.mark.parametrize("wanted", ["1.33", "1.36.99", "", "latest"])
def test_unknown_version_names_those_that_can_be_had(wanted: str) -> None:
    with pytest.raises(SetupError, match=r"1\.34\.4, 1\.35\.4, 1\.36\.3"):
        tables.kubernetes(wanted)


def test_default_is_among_the_versions() -> None:
    assert tables.kubernetes(tables.DEFAULT_KUBERNETES).minor == tables.DEFAULT_KUBERNETES


@pytest.mark.parametrize("row", tables.KUBERNETES, ids=lambda row: row.minor)
def test_go_mod_pins_the_version_of_the_row(row: tables.Kubernetes) -> None:
    text = (gobuild.source(tables.kubernetes_tool(row)) / "go.mod").read_text()
    assert f"k8s.io/kubernetes {row.version} //" in text
    staging = re.findall(r"^\t(k8s\.io/\S+) => \1 (\S+)$", text, re.MULTILINE)
    assert len(staging) > 30
    assert {version for _path, version in staging} == {row.staging}


TOOLS = [*map(tables.kubernetes_tool, tables.KUBERNETES), *tables.NODE_TOOLS, tables.KIND_TOOL]


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_go_mod_pins_every_program_and_go_sum_its_module(tool: tables.GoTool) -> None:
    folder = gobuild.source(tool)
    text = (folder / "go.mod").read_text()
    for package in tool.programs.values():
        assert "/".join(part for part in (tool.base, package) if part) in text
    modules = {line.split()[0] for line in (folder / "go.sum").read_text().splitlines()}
    assert any(f"{module}/".startswith(f"{tool.base}/") or tool.base.startswith(f"{module}/") for module in modules)


@pytest.mark.parametrize(
    ("tool", "pinned"),
    [("etcd", tables.ETCD), ("coredns", tables.COREDNS), ("kube-router", tables.KUBE_ROUTER), ("kind", tables.KIND)],
)
def test_versions_of_the_table_are_those_of_go_mod(tool: str, pinned: str) -> None:
    row = next(row for row in TOOLS if row.name == tool)
    text = (gobuild.source(row) / "go.mod").read_text()
    assert re.search(
        rf"^(?:require |\t){re.escape(row.base)}\S* {re.escape(pinned)}(?: // indirect)?$", text, re.MULTILINE
    )


def test_kubeadm_is_told_its_version() -> None:
    flags = tables.kubernetes_tool(tables.kubernetes("1.35")).ldflags
    for fact in ("gitVersion=v1.35.4", "gitMajor=1", "gitMinor=35"):
        assert f"-X k8s.io/component-base/version.{fact}" in flags


@pytest.mark.parametrize(
    ("nodes", "cni", "version", "api_server", "name"),
    [
        (1, "enforcing", "1.36", "stock", "hardening"),
        (3, "enforcing", "1.36", "stock", "hardening-3"),
        (1, "plain", "1.36", "stock", "hardening-plain"),
        (3, "plain", "1.35", "stock", "hardening-3-plain-1-35"),
        (3, "enforcing", "1.36", "fast", "hardening-3-fast"),
    ],
)
def test_default_names_differ_with_the_settings(
    nodes: int, cni: tables.Cni, version: str, api_server: tables.ApiServer, name: str
) -> None:
    assert tables.default_name(nodes, cni, tables.kubernetes(version), api_server) == name


def test_the_fast_api_server_is_built_from_the_stock_ones_modules_and_anew_when_its_own_source_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = tables.kubernetes("1.36")
    fast, stock = tables.fast_api_server(row), tables.kubernetes_tool(row)
    assert gobuild.source(fast) == gobuild.source(stock)
    assert fast.ldflags == stock.ldflags
    package = gobuild.command(fast, "kube-apiserver", tmp_path)[-1]
    assert (gobuild.source(fast) / package).resolve() == places.MODULES / "fast-api-server" / "main.go"
    before, of_stock = gobuild.folder(fast), gobuild.folder(stock)
    shutil.copytree(places.MODULES, tmp_path / "modules")
    monkeypatch.setattr(places, "MODULES", tmp_path / "modules")
    assert (gobuild.folder(fast), gobuild.folder(stock)) == (before, of_stock)
    (tmp_path / "modules" / "fast-api-server" / "main.go").write_text("package main\n")
    assert gobuild.folder(fast) != before
    assert gobuild.folder(stock) == of_stock


@pytest.mark.parametrize("api_server", ["stock", "fast"])
def test_a_cluster_is_used_again_only_with_the_same_api_server(api_server: tables.ApiServer) -> None:
    asked = tables.Spec("demo", 1, "enforcing", tables.kubernetes("1.36"), api_server)
    assert (asked.facts == spec(1).facts) is (api_server == "stock")


def spec(nodes: int) -> tables.Spec:
    return tables.Spec("demo", nodes, "enforcing", tables.kubernetes("1.36"))


def test_one_node_has_no_balancer() -> None:
    assert tables.addresses(spec(1), "10.213.7.0/24") == {"demo-control-plane": "10.213.7.11"}


def test_three_control_planes_have_addresses_of_their_own_behind_a_balancer() -> None:
    assert tables.addresses(spec(3), "10.213.7.0/24") == {
        "demo-control-plane": "10.213.7.11",
        "demo-control-plane2": "10.213.7.12",
        "demo-control-plane3": "10.213.7.13",
        "demo-external-load-balancer": "10.213.7.10",
    }
