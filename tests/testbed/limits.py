# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's limit that several nodes on one machine meet: inotify instances, which all of them share."""

from __future__ import annotations

from pathlib import Path

from .engine import Engine
from .errors import SetupError
from .shell import say

INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")
PROCESSES = Path("/proc")
INOTIFY = "anon_inode:inotify"
PER_NODE = 30
ENOUGH = 1024
TOO_FEW = (
    f"This machine allows {{limit}} inotify instances, of which {{used}} are in use, and each node takes up to "
    f"{PER_NODE}: raise the limit by `sysctl -w fs.inotify.max_user_instances={ENOUGH}` as root, or stop a cluster."
)


def ensure_instances(engine: Engine, nodes: int) -> None:
    """See that these nodes can start; the limit is raised only where the engine is ours too."""
    if not INSTANCES.exists():
        return
    limit = int(INSTANCES.read_text())
    if limit >= ENOUGH:
        return
    if engine.own:
        say(f"Raising fs.inotify.max_user_instances from {limit} to {ENOUGH}, for each node takes up to {PER_NODE}.")
        try:
            INSTANCES.write_text(str(ENOUGH))
        except OSError as error:
            say(f"It cannot be raised: {error.strerror}.")
        else:
            return
    used = instances_in_use(PROCESSES)
    if limit - used < nodes * PER_NODE:
        raise SetupError(TOO_FEW.format(limit=limit, used=used))


def instances_in_use(processes: Path) -> int:
    """The instances that can be seen: those of other users' processes cannot, but for root."""
    return sum(is_instance(file) for folder in processes.glob("[0-9]*/fd") for file in files_of(folder))


def files_of(folder: Path) -> list[Path]:
    """The open files of a process; none where it has ended or may not be looked at."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def is_instance(file: Path) -> bool:
    """Whether an open file is an inotify instance."""
    try:
        return str(file.readlink()) == INOTIFY
    except OSError:
        return False
