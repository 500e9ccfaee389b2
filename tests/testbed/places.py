# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things are: the checkout, the cache that all clones share, and the own daemon's run-time folder."""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
MODULES = HERE / "modules"
PROGRAMS = HERE / "programs"
MANIFESTS = HERE / "manifests"

# Socket paths may have 107 bytes at most, which a path below a home folder can exceed.
DAEMON_RUN = Path("/run/hardening-testbed")
DAEMON_SOCKET = DAEMON_RUN / "docker.sock"
DAEMON_PID = DAEMON_RUN / "docker.pid"


def cache() -> Path:
    """The folder for everything slow to make; outside the checkout, so that fresh clones are warm."""
    chosen = os.environ.get("HARDENING_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().absolute() / "hardening-kubernetes"


def kubeconfig(cluster: str) -> Path:
    """Where `up` writes the kubeconfig of a cluster; git ignores it."""
    return CHECKOUT / "build" / "clusters" / cluster / "kubeconfig"
