# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest

from tests.testbed import cli, engine, gobuild, places, rootfs, tables
from tests.testbed.errors import SetupError


def test_up_without_options_is_the_default_cluster() -> None:
    spec = cli.spec_of(cli.parser().parse_args(["up"]))
    assert (spec.name, spec.nodes, spec.cni, spec.kubernetes.minor) == ("hardening", 1, "enforcing", "1.36")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["up", "--nodes", "2"], "1 node or 3 control planes"),
        (["up", "--k8s-version", "1.20"], "1.36.3"),
        (["image", "--k8s-version", "2"], "1.36.3"),
    ],
)
def test_bad_settings_give_one_sentence_before_anything_starts(
    words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(engine, "ensure", lambda: pytest.fail("an engine was started"))
    assert cli.main(words) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") == 1


def test_existing_prints_the_users_kubeconfig(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "my config"
    own.touch()
    monkeypatch.setenv("KUBECONFIG", str(own))
    monkeypatch.setattr(engine, "ensure", lambda: pytest.fail("an engine was started"))
    assert cli.main(["up", "--existing"]) == 0
    assert capsys.readouterr().out == f"{own}\n"


def test_existing_without_a_kubeconfig_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    assert cli.main(["up", "--existing"]) == 1
    assert "set KUBECONFIG" in capsys.readouterr().err


def test_no_engine_and_no_way_to_install_one_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "find", lambda: None)
    monkeypatch.setattr(engine, "can_install", lambda: False)
    with pytest.raises(SetupError, match="install Docker"):
        engine.ensure()


def test_no_go_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARDENING_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SetupError, match=r"go\.dev"):
        gobuild.build(tables.KIND_TOOL)


def test_no_debian_says_what_would_help(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARDENING_CACHE", str(tmp_path))
    monkeypatch.setattr(engine, "can_install", lambda: False)
    with pytest.raises(SetupError, match="Debian or Ubuntu as root"):
        rootfs.build()


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({"HARDENING_CACHE": "/a b/c", "XDG_CACHE_HOME": "/x"}, "/a b/c"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/hardening-kubernetes"),
        ({"HOME": "/home/me"}, "/home/me/.cache/hardening-kubernetes"),
    ],
)
def test_cache_is_outside_the_checkout(variables: dict[str, str], wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HARDENING_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert places.cache() == Path(wanted)


def test_build_is_named_by_its_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "MODULES", tmp_path)
    module = tmp_path / "kind"
    module.mkdir()
    (module / "go.mod").write_text("module a\n")
    before = gobuild.folder(tables.KIND_TOOL)
    (module / "notes.txt").write_text("not an input")
    assert gobuild.folder(tables.KIND_TOOL) == before
    (module / "go.mod").write_text("module b\n")
    assert gobuild.folder(tables.KIND_TOOL) != before
