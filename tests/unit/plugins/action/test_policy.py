# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding policy files and reading them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.collections import ImmutableDict
from ansible_collections.hardening.kubernetes.plugins.action import policy

from .conftest import Perform

POLICY = "policy_version: 1\nname: {}\nnamespaces: {{shop: {{create: true}}}}\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with nothing called on the command line."""
    monkeypatch.setattr(policy.context, "CLIARGS", ImmutableDict(args=()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(file: Path, name: str = "here") -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(POLICY.format(name), encoding="utf-8")
    return str(file)


def test_the_default_is_in_the_current_folder(perform: Perform, here: Path) -> None:
    file = write(here / "cluster-policy.yml")
    told = perform(policy)
    assert (told["policy"]["name"], told["files"], told["changed"]) == ("here", [file], False)
    assert told["namespaces"][0]["metadata"]["name"] == "shop"


def test_then_beside_the_playbook_that_was_called(
    perform: Perform, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    playbook = here / "called" / "site.yml"
    write(here / "called" / "cluster-policy.yml", "called")
    write(here / "running" / "cluster-policy.yml", "running")
    playbook.write_text("", encoding="utf-8")
    variables = {"playbook_dir": str(here / "running")}
    assert perform(policy, task_vars=variables)["policy"]["name"] == "running"
    monkeypatch.setattr(policy.context, "CLIARGS", ImmutableDict(args=("called/site.yml",)))
    assert perform(policy, task_vars=variables)["policy"]["name"] == "called"


def test_several_files_and_folders_in_the_order_of_their_names(perform: Perform, here: Path) -> None:
    write(here / "b.yml")
    (here / "teams").mkdir()
    for name in ("2.yaml", "1.yml", ".hidden.yml", "hardening-report.json", "notes.txt"):
        (here / "teams" / name).write_text('{"accept_unknown": []}', encoding="utf-8")
    told = perform(policy, path="b.yml,teams")
    assert [Path(file).name for file in told["files"]] == ["b.yml", "1.yml", "2.yaml"]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("absent.yml", "There is no policy file {here}/absent.yml: name yours with `-e policy=FILE`."),
        ("empty", "The folder empty holds no policy: no file in it ends in .yml or .yaml."),
        ("", "The path of the policy is empty: name a file with `-e policy=FILE`, or leave it out."),
        ("x" * 300, f"The policy file {'x' * 300} cannot be read: File name too long."),
        ("latin.yml/a.yml", "There is no policy file {here}/latin.yml/a.yml"),
        ("latin.yml", "The policy file latin.yml is not UTF-8 text: save it as UTF-8."),
        ("vault.yml", "The policy file vault.yml is encrypted, and no vault password that was given opens it"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(perform: Perform, here: Path, path: str, told: str) -> None:
    (here / "empty").mkdir()
    (here / "latin.yml").write_bytes(b"name: \xe9\n")
    (here / "vault.yml").write_text("$ANSIBLE_VAULT;1.1;AES256\n3131\n", encoding="utf-8")
    result = perform(policy, path=path, task_vars={"playbook_dir": str(here)})
    assert result["failed"] is True
    assert result["msg"].startswith(told.format(here=here))


def test_mistakes_name_files_from_where_the_user_stands(perform: Perform, here: Path) -> None:
    (here / "p").mkdir()
    (here / "p" / "a.yml").write_text("policy_version: 2\n", encoding="utf-8")
    result: dict[str, Any] = perform(policy, path=str(here / "p" / "a.yml"))
    assert "  p/a.yml:1: policy_version: found 2; allowed: 1." in result["msg"]


def test_variables_that_would_replace_the_policy_are_refused(
    perform: Perform, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(here / "cluster-policy.yml")
    extra = {"policy": "x", "pod_security_namespaces": {}, "hardening_mode": "enforce", "my_hardening_mode": "x"}
    monkeypatch.setattr(policy, "load_extra_vars", lambda _loader: extra)
    told = perform(policy, reserved_variables=["hardening_", "pod_security_"])
    assert told["failed"] is True
    assert told["msg"].startswith("Take hardening_mode, pod_security_namespaces out of the extra variables (-e)")
    assert "failed" not in perform(policy)


def test_what_cannot_be_looked_at_is_one_sentence(
    perform: Perform, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(_path: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", denied)
    told = perform(policy, path="locked/policy.yml", task_vars={"playbook_dir": str(here)})
    assert (told["failed"], told["msg"]) == (
        True,
        "The policy file locked/policy.yml cannot be read: Permission denied.",
    )


def test_a_limit_narrows_what_is_created(perform: Perform, here: Path) -> None:
    write(here / "cluster-policy.yml")
    told = perform(policy, only="web, team-*", canary=["web"])
    assert (told["only"], told["canary"]) == (["web", "team-*"], ["web"])
    assert (told["policy"]["create"], told["namespaces"], told["parts"], told["named"]) == ([], [], [], [])
    assert perform(policy, only="sh*")["policy"]["create"] == ["shop"]
    assert perform(policy)["only"] == []


@pytest.mark.parametrize("option", ["only", "canary"])
@pytest.mark.parametrize("said", ["", [], ",", "shop,", "Shop"])
def test_a_limit_that_names_nobody_never_means_all(perform: Perform, here: Path, option: str, said: Any) -> None:
    write(here / "cluster-policy.yml")
    told = perform(policy, **{option: said})
    assert told["failed"] is True
    assert told["msg"].startswith(f"{option}: ")
    assert "correct it, or leave it out to mean all" in told["msg"]
