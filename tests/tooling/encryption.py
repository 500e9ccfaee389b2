# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the tests of encryption: ``python -m tests.tooling.encryption RESULTS``.

Those on one node wait for most of their time, which those on three can use: both go on at once. What the first have to
say comes when the others have ended.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.tooling.collection import CHECKOUT, environment, tool, worst

PARTS = {"one": "one_node", "three": "not one_node"}


def main(results: Path) -> int:
    with subprocess.Popen(
        command("one", results),
        cwd=CHECKOUT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as aside:
        status = subprocess.run(command("three", results), cwd=CHECKOUT, env=environment(), check=False).returncode
        print(aside.communicate()[0], flush=True)
    return worst([status, aside.returncode])


def command(part: str, results: Path) -> list[str]:
    return [
        tool("pytest"),
        *("--quiet", "--durations=10", f"--junitxml={results}/{part}.xml"),
        *("-m", PARTS[part], "tests/encryption"),
    ]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
