# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ``ansible-test sanity`` on everything in the checkout: ``python -m tests.tooling.sanity RESULTS``.

ansible-test wants the folder ``ansible_collections/hardening/kubernetes`` as its real working directory, so it gets a
copy in a temporary folder. Its virtual environments stay in the cache folder, not in the user's home.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.tooling.collection import copy, environment, tool
from tests.tooling.environment import cache_folder

# Left to itself ansible-test takes every Python whose command it finds, also a version manager's empty stand-in.
PYTHON = "{}.{}".format(*sys.version_info)

# ansible-test makes environments without pip and fetches a script that puts pip in, from a host of its own. This is
# such a script out of what Python carries. ensurepip runs in a process of its own: it switches pip's configuration off.
PIP_SCRIPT = """\
import subprocess
import sys

packages = [each for each in sys.argv[1:] if not each.startswith("--no-")]
subprocess.run([sys.executable, "-m", "ensurepip", "--default-pip"], check=True, stdout=subprocess.DEVNULL)
sys.exit(subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *packages]).returncode)
"""


def main(results: Path) -> int:
    home = cache_folder() / "ansible-test"
    script = home / ".ansible" / "test" / "cache" / "get_pip_24_2.py"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(PIP_SCRIPT)
    settings = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    with tempfile.TemporaryDirectory(prefix="sanity-") as folder:
        collection = copy(Path(folder))
        status = subprocess.run(
            [
                tool("ansible-test"),
                "sanity",
                "--local",
                "--requirements",
                "--python",
                PYTHON,
                "--junit",
                "--color",
                "no",
            ],
            cwd=collection,
            env=environment(HOME=str(home), XDG_CONFIG_HOME=settings, LC_ALL="C.UTF-8"),
            check=False,
        ).returncode
        shutil.copytree(collection / "tests" / "output" / "junit", results, dirs_exist_ok=True)
    return status


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
