# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is handed out: the tarball holds what its users need and nothing else, and the lists that describe it agree."""

from __future__ import annotations

import ast
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tooling import collection

NEEDED = {"CHANGELOG.md", "LICENSE", "changelogs", "docs", "examples", "meta", "playbooks", "plugins", "roles"}
BESIDES = {"FILES.json", "MANIFEST.json", "requirements.txt", "tests"}
BESIDES |= {"README.md", "CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "SECURITY.md"}


def loaded(path: str) -> Any:
    return yaml.safe_load((collection.CHECKOUT / path).read_text())


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collection, "BUILT", tmp_path_factory.mktemp("built"))
        with tarfile.open(collection.build()) as tarball:
            return [each.name for each in tarball if not each.isdir()]


def test_the_tarball_holds_what_belongs(names: list[str]) -> None:
    top = {each.split("/")[0] for each in names}
    assert top - BESIDES <= NEEDED
    assert [each for each in names if each.startswith("tests/")] == ["tests/config.yml"]
    assert not [each for each in names if "__pycache__" in each or "/." in each or each.startswith(".")]


def test_the_action_group_lists_the_modules_that_take_a_connection() -> None:
    group = set(loaded("meta/runtime.yml")["action_groups"]["all"])
    assert group == {
        each.stem
        for each in (collection.CHECKOUT / "plugins" / "modules").glob("*.py")
        if "hardening.kubernetes.auth" in documentation(each).get("extends_documentation_fragment", [])
    }


def documentation(module: Path) -> dict[str, Any]:
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DOCUMENTATION":
            return dict(yaml.safe_load(ast.literal_eval(node.value)))
    return {}


def test_an_execution_environment_gets_the_same_requirements() -> None:
    def requirements(path: str) -> list[str]:
        lines = (collection.CHECKOUT / path).read_text().splitlines()
        return [line for line in lines if line and not line.startswith("#")]

    assert requirements("requirements.txt") == requirements("meta/ee-requirements.txt")
    assert all(">=" in each for each in requirements("requirements.txt"))
    assert all("==" in each for each in requirements("tests/requirements.txt"))


@pytest.mark.parametrize(("statuses", "status"), [([0, 0], 0), ([0, 1], 1), ([-9, 0], 1)])
def test_one_that_was_killed_has_not_passed(statuses: list[int], status: int) -> None:
    left = iter(statuses)
    assert collection.worst(left) == status
    assert list(left) == []


def test_no_sanity_test_is_ignored() -> None:
    lists = list((collection.CHECKOUT / "tests" / "sanity").glob("ignore-*.txt"))
    assert lists
    assert [each.name for each in lists if each.read_text()] == []
