# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import socket
import subprocess
import sys

from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._guard import (
    _here,
    _is_dead,
    _is_free,
    _start_of,
)

HOST = socket.gethostname()


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_lease_of_nobody_is_free() -> None:
    assert _is_free("")


def test_this_process_lives() -> None:
    assert not _is_dead(f"run root@{HOST} {os.getpid()} {_start_of(os.getpid())}")


def test_a_process_of_this_machine_that_has_ended_is_dead() -> None:
    assert _is_dead(f"run root@{HOST} {ended_process()} {_here()}/12345")


def test_a_process_whose_number_came_again_is_dead() -> None:
    assert _is_dead(f"run root@{HOST} {os.getpid()} {_here()}/1")


def test_a_process_of_another_machine_or_container_is_nothing_that_can_be_seen_here() -> None:
    process = ended_process()
    assert not _is_dead(f"run root@another {process} {_here()}/1")
    assert not _is_dead(f"run root@{HOST} {process} another-boot/pid:[4026531836]/1")
    assert not _is_dead(f"run root@{HOST} {process} {_here()}0/1")
    assert not _is_dead("somebody else's words")
