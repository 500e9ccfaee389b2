# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import subprocess

import pytest

from tests.testbed import places

SETTINGS = ("CLUSTER", "NODES", "CNI", "K8S_VERSION", "NAME", "MAKEFLAGS", "MAKELEVEL")


def make(*words: str) -> subprocess.CompletedProcess[str]:
    """What make would run."""
    env = {key: value for key, value in os.environ.items() if key not in SETTINGS}
    command = ["make", "--dry-run", *words]
    return subprocess.run(command, cwd=places.CHECKOUT, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ([], "tests.testbed up"),
        (["CLUSTER=existing"], "tests.testbed up --existing"),
        (
            ["NODES=3", "CNI=plain", "K8S_VERSION=1.35", "NAME=a b"],
            'tests.testbed up --nodes "3" --cni "plain" --k8s-version "1.35" --name "a b"',
        ),
    ],
)
def test_settings_reach_the_test_bed(words: list[str], command: str) -> None:
    assert " ".join(make("cluster", *words).stdout.split()).endswith(command)


@pytest.mark.parametrize("target", ["cluster", "test"])
def test_a_cluster_of_another_kind_is_refused_before_one_is_made(target: str) -> None:
    done = make(target, "CLUSTER=exisitng")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "CLUSTER=exisitng is not offered" in done.stderr
