# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.testbed import cli, cluster, engine, gobuild, image, places, rootfs, shell, tables
from tests.testbed.errors import SetupError


def test_up_without_options_is_the_default_cluster() -> None:
    spec = cli.spec_of(cli.parser().parse_args(["up"]))
    assert (spec.name, spec.nodes, spec.cni, spec.kubernetes.minor) == ("hardening", 1, "enforcing", "1.36")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["up", "--nodes", "2"], "NODES=2 is not offered"),
        (["up", "--nodes", "0"], "NODES=0 is not offered"),
        (["up", "--nodes", "many"], "NODES=many is not offered"),
        (["up", "--cni", "foo"], "The pod network is one of enforcing, plain; CNI=foo is not offered"),
        (["up", "--api-server", "slow"], "The API server is one of stock, fast; slow is not offered"),
        (["up", "--name", "Foo_Bar"], "NAME=Foo_Bar is not such a name"),
        (["up", "--name", "../up"], "NAME=../up is not such a name"),
        (["up", "--name", "a" * 41], "up to 40"),
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


@pytest.mark.parametrize("name", ["a", "a-1", "a" * 40])
def test_a_name_that_kind_takes_is_taken(name: str) -> None:
    assert cli.spec_of(cli.parser().parse_args(["up", "--name", name])).name == name


def test_a_command_that_outlives_its_test_bed_keeps_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARDENING_CACHE", str(tmp_path))
    with cli.locked():
        inherited = shell.run(["sh", "-c", "ls -l /proc/$$/fd"])
        kept_out = shell.run(["sh", "-c", "ls -l /proc/$$/fd"], holds_lock=False)
    assert str(tmp_path / "lock") in inherited
    assert str(tmp_path / "lock") not in kept_out


def test_what_a_killed_command_left_in_the_cache_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARDENING_CACHE", str(tmp_path))
    left = [tmp_path / f"{image.WORK_PREFIX}1", tmp_path / "images" / f"{image.WORK_PREFIX}2"]
    kept = [tmp_path / "bin", tmp_path / "images" / "busybox"]
    for folder in (*left, *kept):
        folder.mkdir(parents=True)
    with cli.locked():
        assert [folder.exists() for folder in (*left, *kept)] == [False, False, True, True]


OWN, OTHER = engine.Engine("unix:///own", own=True), engine.Engine(None, own=False)


def test_a_cluster_is_found_in_whichever_engine_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clusters: dict[engine.Engine, dict[str, dict[str, object]]] = {OTHER: {"new": {}}, OWN: {"old": {}}}
    removed: list[tuple[engine.Engine, str]] = []
    cleared: list[engine.Engine] = []
    monkeypatch.setenv("HARDENING_CACHE", str(tmp_path))
    monkeypatch.setattr(engine, "running", lambda: [*clusters])
    monkeypatch.setattr(engine, "daemon_process", lambda: None)
    monkeypatch.setattr(cluster, "made", lambda found: clusters[found])
    monkeypatch.setattr(cluster, "containers", lambda _found, _name: [])
    monkeypatch.setattr(cluster, "remove", lambda found, name: removed.append((found, name)))
    monkeypatch.setattr(image, "clear_unfinished", cleared.append)
    assert cli.holder("old") == OWN
    assert cli.main(["status"]) == 0
    assert [item["name"] for item in json.loads(capsys.readouterr().out)["clusters"]] == ["new", "old"]
    assert cli.main(["down", "--name", "old"]) == 0
    assert removed == [(OWN, "old")]
    assert cli.main(["down", "--name", "none"]) == 0
    assert "there are: new, old" in capsys.readouterr().err
    removed.clear()
    assert cli.main(["down"]) == 0
    assert removed == [(OTHER, "new"), (OWN, "old")]
    assert cleared == [OTHER, OWN]


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
