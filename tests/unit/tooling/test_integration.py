# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from tests.tooling.integration import phases, up_command


def test_every_test_runs_in_just_one_phase() -> None:
    chosen_by = {name: options[options.index("-m") + 1] for name, options, _tests in phases([])}
    assert chosen_by == {"together": "not alone", "alone": "alone"}


def test_chosen_tests_run_as_they_come() -> None:
    assert phases(["tests/integration/test_apply.py"]) == [("chosen", [], ["tests/integration/test_apply.py"])]


@pytest.mark.parametrize(
    ("variables", "more"),
    [
        ({}, []),
        ({"KUBECONFIG": "/home/jane/.kube/config"}, []),
        ({"K8S_VERSION": "1.35"}, ["--k8s-version", "1.35"]),
        ({"CLUSTER": "existing", "K8S_VERSION": "1.35"}, ["--existing"]),
    ],
)
def test_the_cluster_is_never_somebodys_own_by_accident(variables: dict[str, str], more: list[str]) -> None:
    assert up_command(variables)[3:] == ["up", *more]
