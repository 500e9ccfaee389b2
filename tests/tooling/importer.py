# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the built tarball as Galaxy and Automation Hub do on upload: ``python -m tests.tooling.importer``.

galaxy-importer itself fails on errors of form alone; here any warning of it fails as well.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile

from tests.tooling.collection import build, environment

CHECKS = {
    "CHECK_CHANGELOG": "true",
    "CHECK_REQUIRED_TAGS": "true",
    "OFFLINE_ANSIBLE_LINT": "true",
    "REQUIRE_V1_OR_GREATER": "true",
    "RUN_ANSIBLE_DOC": "true",
    "RUN_ANSIBLE_LINT": "true",
    "RUN_ANSIBLE_TEST": "false",  # `make sanity` does that
    "RUN_FLAKE8": "false",
}


def main() -> int:
    tarball = build()
    with tempfile.TemporaryDirectory(prefix="importer-") as folder:
        run = subprocess.run(
            [sys.executable, "-m", "galaxy_importer.main", str(tarball)],
            cwd=folder,
            env=environment(**{f"GALAXY_IMPORTER_{name}": value for name, value in CHECKS.items()}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    print(run.stdout, end="")
    complaints = [line for line in run.stdout.splitlines() if line.startswith(("WARNING:", "ERROR:"))]
    return 1 if run.returncode or complaints else 0


if __name__ == "__main__":
    sys.exit(main())
