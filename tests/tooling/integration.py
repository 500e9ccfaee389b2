# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get a cluster and run the tests that need one: ``python -m tests.tooling.integration RESULTS [TEST …]``.

First files of tests side by side, for most of a test's time is waiting; then alone those that change what the others
stand on, or that make clusters of their own.

The cluster is the test bed's, of the version K8S_VERSION, or with CLUSTER=existing that of KUBECONFIG. Without that
word a KUBECONFIG in the environment is not looked at: nobody's own cluster is tested by accident.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from tests.tooling.collection import CHECKOUT, environment, tool, worst

WORKERS = 3


def main(results: str, tests: Sequence[str]) -> int:
    up = subprocess.run(up_command(os.environ), cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=False)
    print(up.stdout, end="", flush=True)
    if up.returncode:
        return up.returncode
    kubeconfig = up.stdout.splitlines()[-1]
    return worst(
        subprocess.run(
            [tool("pytest"), "--quiet", "--durations=10", f"--junitxml={results}/{name}.xml", *options, *chosen],
            cwd=CHECKOUT,
            env=environment(HARDENING_KUBECONFIG=kubeconfig),
            check=False,
        ).returncode
        for name, options, chosen in phases(tests)
    )


def phases(tests: Sequence[str]) -> list[tuple[str, list[str], list[str]]]:
    """Name, options and tests of each run of pytest. Chosen tests run as they come."""
    if tests:
        return [("chosen", [], [*tests])]
    every = ["tests/integration"]
    return [
        ("together", ["-m", "not alone", f"--numprocesses={WORKERS}", "--dist=loadfile"], every),
        ("alone", ["-m", "alone"], every),
    ]


def up_command(variables: Mapping[str, str]) -> list[str]:
    """How the test bed is asked for the cluster."""
    command = [sys.executable, "-m", "tests.testbed", "up"]
    if variables.get("CLUSTER") == "existing":
        return [*command, "--existing"]
    if variables.get("K8S_VERSION"):
        command += ["--k8s-version", variables["K8S_VERSION"]]
    return command


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
