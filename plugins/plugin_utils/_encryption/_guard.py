# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: sees to it that one run alone changes a cluster's encryption.

A Lease in the cluster, renewed by a thread, keeps others from beginning. A lock on each node is looked at by whatever
writes there, in the moment of the write: a run that was stopped, and wakes when another has long taken over, changes
nothing any more.
"""

from __future__ import annotations

import getpass
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import KubeError
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import NodeError, Nodes

NAMESPACE, NAME = "kube-system", "hardening-encryption"
LEASE_SECONDS = 120
LOCK_SECONDS = 300
_RENEW_SECONDS = 15
_LOOK_AGAIN_SECONDS = 2
_MANAGER = "hardening.kubernetes/encryption_at_rest"
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


class OtherRun(HardeningError):
    """Another run changes the encryption of this cluster, or has taken it over from this one."""


class Guard:
    """Held while a walk goes on: ``with Guard(…) as guard``, and :meth:`check` before whatever changes something."""

    def __init__(self, client: Client, nodes: Nodes, run: str, waiting: Callable[[str], None]) -> None:
        """Take the cluster, its nodes, the name of this run, and what tells the user that it waits."""
        self._clients = [client]
        self._nodes = nodes
        self._run = run
        self._waiting = waiting
        self._holder = f"{run} {getpass.getuser()}@{socket.gethostname()} {os.getpid()} {_start_of(os.getpid())}"
        # Ansible's workers outlive a playbook that is killed: nobody hears what they do then.
        self._playbook = os.getppid()
        self._lease: dict[str, Any] = {}
        self._renewed = 0.0
        self._lost = ""
        self._busy = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="encryption-lease", daemon=True)

    def __enter__(self) -> Guard:
        """Wait for a run that has died, refuse one that lives, then lock every node."""
        former = self._acquire()
        before = former.partition(" ")[0]
        arguments = {"run": self._run, "holder": self._holder, "seconds": LOCK_SECONDS, "instead_of": before}
        try:
            self._on_nodes("take", arguments)
        except HardeningError:
            self._release(former or self._holder)
            raise
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let others begin. What cannot be released now ends by itself a few minutes later."""
        self._ended.set()
        self._thread.join()
        if not self._lost:
            self._release(self._holder)

    def check(self) -> None:
        """Raise OtherRun unless this run certainly holds the Lease now, and its playbook still runs."""
        self.check_playbook()
        if _now() - self._renewed > LEASE_SECONDS - _RENEW_SECONDS:
            self._renew()
        if self._lost:
            raise OtherRun(self._lost)
        if _now() - self._renewed > LEASE_SECONDS:
            raise OtherRun(
                f"The Lease {NAMESPACE}/{NAME} could not be renewed for {LEASE_SECONDS} s, so another run may have "
                "begun. This one stops here, where every value can be read: see that the API servers answer, and run "
                "the same command again to go on."
            )

    def check_playbook(self) -> None:
        """Raise OtherRun if the playbook of this run was killed; for times in which no server can be asked."""
        if self._is_orphan():
            raise OtherRun("The playbook of this run has ended, so it stops here. Run the same command again to go on.")

    def ask_these(self, clients: Iterable[Client]) -> None:
        """The servers through which the Lease may be renewed: the one that the kubeconfig names may be away."""
        self._clients = [self._clients[0], *clients]

    def _is_orphan(self) -> bool:
        return os.getppid() != self._playbook

    def _on_nodes(self, operation: str, arguments: Mapping[str, Any]) -> None:
        answers = self._nodes.ask_each({name: [(operation, arguments)] for name in self._nodes.names}, "_files")
        for answer in answers.values():
            if isinstance(answer, NodeError):
                raise answer

    def _acquire(self) -> str:
        """Take the Lease; the run that held it and has not released it, as the Lease names it, empty where none did."""
        seen, since = "", _now()
        while True:
            lease = _read(self._clients[0])
            holder, renewed = _said(lease)
            if seen and renewed != seen:
                raise OtherRun(
                    f"Another run changes the encryption of this cluster: {holder}, which renewed its Lease "
                    f"{NAMESPACE}/{NAME} at {renewed}. Wait until it has ended, then run again."
                )
            if _is_free(holder) or _now() - since > LEASE_SECONDS:
                if self._take(lease):
                    return holder
                seen, since = "", _now()
                continue
            seen = renewed
            left = LEASE_SECONDS - (_now() - since)
            self._waiting(f"waiting up to {left:.0f} s, whether {holder} still lives, which holds the Lease {NAME}")
            time.sleep(_LOOK_AGAIN_SECONDS)

    def _take(self, lease: dict[str, Any] | None) -> bool:
        now = datetime.now(UTC).strftime(_TIME)
        spec = {
            "holderIdentity": self._holder,
            "leaseDurationSeconds": LEASE_SECONDS,
            "acquireTime": now,
            "renewTime": now,
        }
        began = _now()
        if lease is None:
            metadata = {"name": NAME, "namespace": NAMESPACE}
            made = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
            answer = self._clients[0].create(made, manager=_MANAGER)
        else:
            answer = self._clients[0].merge(lease, {"spec": spec}, manager=_MANAGER)
        if answer.status == 409:
            return False
        self._lease, self._renewed = self._clients[0].checked(answer, "Lease").object, began
        return True

    def _keep(self) -> None:
        rounds = 0
        while not self._ended.wait(_RENEW_SECONDS) and not self._is_orphan():
            self._renew()
            rounds += 1
            if rounds % 4 == 0:
                keep = [("keep", {"run": self._run, "seconds": LOCK_SECONDS})]
                self._nodes.ask_each(dict.fromkeys(self._nodes.names, keep), "_files")

    def _renew(self) -> None:
        """Renew the Lease. A server that does not answer is no loss; a Lease of somebody else is."""
        with self._busy:
            for client in self._clients[1:] or self._clients:
                with suppress(KubeError):
                    self._renew_through(client)
                    return

    def _renew_through(self, client: Client) -> None:
        began = _now()
        patch = {"spec": {"renewTime": datetime.now(UTC).strftime(_TIME)}}
        answer = client.merge(self._lease, patch, manager=_MANAGER)
        if answer.status not in (404, 409):
            self._lease, self._renewed = client.checked(answer, "Lease").object, began
            return
        self._lease = _read(client) or {}
        holder, _renewed = _said(self._lease)
        if holder != self._holder:
            self._lost = (
                f"{holder or 'Nobody'} holds the Lease {NAMESPACE}/{NAME} now, which this run held: it was stopped or "
                "cut off for too long. It changes nothing any more; run again to see what is left."
            )

    def _release(self, locking: str) -> None:
        """The nodes first: who gets the Lease may take them all.

        On a node that does not answer the lock of the run ``locking`` stays. The Lease goes on naming that then, so
        that the next run sees that it is dead, and takes over what it left.
        """
        release = [("release", {"run": self._run})]
        answers = self._nodes.ask_each(dict.fromkeys(self._nodes.names, release), "_files")
        left = locking if any(isinstance(answer, NodeError) for answer in answers.values()) else ""
        for client in reversed(self._clients):
            with suppress(KubeError):
                client.merge(self._lease, {"spec": {"holderIdentity": left}}, manager=_MANAGER)
                return


def _now() -> float:
    """Seconds that go on while the machine sleeps, where the system has such a clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _read(client: Client) -> dict[str, Any] | None:
    return client.get(KNOWN["coordination.k8s.io/v1", "Lease"], NAME, NAMESPACE)


def _said(lease: dict[str, Any] | None) -> tuple[str, str]:
    spec = (lease or {}).get("spec") or {}
    return str(spec.get("holderIdentity") or ""), str(spec.get("renewTime") or "")


def _is_free(holder: str) -> bool:
    """Nobody's, or certainly of a process that has died. Clocks of two machines are never compared."""
    return not holder or _is_dead(holder)


def _is_dead(holder: str) -> bool:
    """Whether a process held it that ran here, by host, boot and namespace of process numbers, and is no more."""
    words = holder.split(" ")
    if len(words) != 4 or words[1].rpartition("@")[2] != socket.gethostname():
        return False
    _run, _user, process, start = words
    here = _here()
    return bool(here) and start.startswith(f"{here}/") and process.isdigit() and _start_of(int(process)) != start


def _start_of(process: int) -> str:
    """Where and when a process was started, in the kernel's ticks: numbers of processes come again."""
    try:
        ticks = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
    return f"{_here()}/{ticks}"


def _here() -> str:
    """The boot of this machine and the namespace of its process numbers; containers share a hostname, not these."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""
