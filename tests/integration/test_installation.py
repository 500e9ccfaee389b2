# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways to get the collection: the built and installed tarball, and a checkout; each in a folder with a space."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.tooling.collection import build, copy, environment, install, tool


@dataclass(frozen=True, slots=True)
class Installation:
    """Where ansible-playbook is run, which one, with which settings, and how the playbook is called there."""

    folder: Path
    command: str
    settings: dict[str, str]
    playbook: str

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.command, self.playbook, *arguments],
            cwd=self.folder,
            env=self.settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("a folder with a space")


@pytest.fixture(scope="module")
def installed(elsewhere: Path) -> Installation:
    """The tarball under a collections path that is no checkout's."""
    collections = elsewhere / "my collections"
    install(build(), collections)
    no_settings = elsewhere / "empty.cfg"
    no_settings.touch()
    settings = environment(ANSIBLE_CONFIG=str(no_settings), ANSIBLE_COLLECTIONS_PATH=str(collections))
    return Installation(elsewhere, tool("ansible-playbook"), settings, "hardening.kubernetes.harden_cluster")


@pytest.fixture(scope="module")
def checkout(elsewhere: Path) -> Installation:
    """A fresh checkout after `make setup`, and nothing in the environment that helps to find the collection."""
    folder = copy(elsewhere / "my checkouts")
    settings = {name: value for name, value in environment().items() if not name.startswith("ANSIBLE_")}
    subprocess.run(["make", "setup"], cwd=folder, env=settings, check=True)
    return Installation(folder, str(folder / ".venv" / "bin" / "ansible-playbook"), settings, "harden-cluster.yml")


@pytest.fixture(params=["installed", "checkout"])
def installation(request: pytest.FixtureRequest) -> Installation:
    found: Installation = request.getfixturevalue(request.param)
    return found


def test_the_playbook_is_found(installation: Installation) -> None:
    run = installation.run("--syntax-check")
    assert run.returncode == 0, run.stdout
    assert "playbook: " in run.stdout


def test_the_collection_comes_from_this_installation(installation: Installation) -> None:
    listed = subprocess.run(
        [Path(installation.command).with_name("ansible-galaxy"), "collection", "list", "--format", "json"],
        cwd=installation.folder,
        env=installation.settings,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    paths = [Path(path) for path, found in json.loads(listed).items() if "hardening.kubernetes" in found]
    assert [path.is_relative_to(installation.folder) for path in paths] == [True]


def test_it_hardens_a_namespace(installation: Installation, kubeconfig: Path, namespace: str, tmp_path: Path) -> None:
    policy, report = tmp_path / "one policy.yml", tmp_path / "one report.json"
    pod_security = {"enforce": "baseline", "warn": "restricted"}
    wanted: dict[str, Any] = {"namespaces": {namespace: {"pod_security": pod_security}}}
    policy.write_text(json.dumps({"policy_version": 1, "name": "installation-test", **wanted}))
    variables = {"policy": str(policy), "report": str(report), "kubeconfig": str(kubeconfig)}
    run = installation.run("--extra-vars", json.dumps(variables))
    assert run.returncode == 0, run.stdout
    findings = {each["control"]: each for each in json.loads(report.read_text())["findings"]}
    enforced = findings["pod_security.enforced"]
    assert (enforced["status"], enforced["proof"]) == ("pass", "effect")
