# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as it is handed out, built and installed: ``python -m tests.tooling.collection`` builds it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
BUILT = CHECKOUT / "build" / "collection"
NAMES_OF_CLUSTERS = ("K8S_AUTH_", "KUBECONFIG")
INSTALLED = Path("ansible_collections", "hardening", "kubernetes")


def tool(name: str) -> str:
    """The path of a command of the virtual environment that runs this."""
    return str(Path(sys.executable).with_name(name))


def environment(**more: str) -> dict[str, str]:
    """The environment for tools that call one another by bare name; it names no cluster but by CLUSTER=existing."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    hidden = () if os.environ.get("CLUSTER") == "existing" else NAMES_OF_CLUSTERS
    ours = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    return {**ours, "PATH": path, **more}


def worst(statuses: Iterable[int]) -> int:
    """The exit status for all of these, each of which is waited for; one that a signal ended is a failure too."""
    return int(any([*statuses]))


def build() -> Path:
    """Build the tarball from the checkout and return its path."""
    shutil.rmtree(BUILT, ignore_errors=True)
    command = [tool("ansible-galaxy"), "collection", "build", "--force", "--output-path", str(BUILT), str(CHECKOUT)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=CHECKOUT)
    (tarball,) = BUILT.glob("hardening-kubernetes-*.tar.gz")
    return tarball


def install(tarball: Path, collections: Path) -> Path:
    """Install ``tarball`` under the collections path ``collections`` and return the collection's folder."""
    command = [tool("ansible-galaxy"), "collection", "install", "--offline", "--force", "--no-deps"]
    command += ["--collections-path", str(collections), str(tarball)]
    settings = environment(ANSIBLE_COLLECTIONS_PATH=str(collections))
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=CHECKOUT, env=settings)
    return collections / INSTALLED


def copy(collections: Path) -> Path:
    """Copy all that git knows or would take in under the collections path, and return the collection's folder."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT).stdout
    for name in filter(None, listed.split("\0")):
        source, target = CHECKOUT / name, collections / INSTALLED / name
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    return collections / INSTALLED


if __name__ == "__main__":
    print(build())
