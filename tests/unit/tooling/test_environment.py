# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from tests.tooling import environment


def test_an_old_python_is_told_so_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
    assert environment.main() == 1
    assert capsys.readouterr().err == (
        "Python 3.11 or newer is needed and /usr/bin/python3 is 3.9: install it, or name another one with "
        "'make PYTHON=/path/to/python3 …'.\n"
    )


def test_an_old_python_can_read_the_file() -> None:
    ast.parse(Path(environment.__file__).read_text(), feature_version=(3, 7))


def test_the_cache_folder_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert environment.cache_folder() == Path("/caches/hardening-kubernetes")
    monkeypatch.setenv("HARDENING_CACHE", "/elsewhere")
    assert environment.cache_folder() == Path("/elsewhere")


def test_other_requirements_mean_another_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made: list[Path] = []
    monkeypatch.setattr(environment, "make", made.append)
    monkeypatch.setattr(environment, "CHECKOUT", tmp_path)
    (tmp_path / "tests").mkdir()
    for content in ("one", "two"):
        for name in environment.REQUIREMENTS:
            (tmp_path / name).write_text(content)
        environment.ready_environment(tmp_path)
    assert len(set(made)) == 2


def test_a_complete_environment_is_not_made_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made: list[Path] = []

    def make(path: Path) -> None:
        made.append(path)
        path.mkdir()
        (path / "complete").touch()

    monkeypatch.setattr(environment, "make", make)
    first, second = environment.ready_environment(tmp_path), environment.ready_environment(tmp_path)
    assert made == [first] == [second]


def test_a_link_is_moved_to_a_new_target(tmp_path: Path) -> None:
    link = tmp_path / "link"
    for target in ("one", "two", "two"):
        environment.point(link, Path(target))
        assert link.readlink() == Path(target)
    assert [each.name for each in tmp_path.iterdir()] == ["link"]
