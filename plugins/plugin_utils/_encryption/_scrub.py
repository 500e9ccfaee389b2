# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: takes what was there before out of etcd's database, as far as that can be done.

A value that was overwritten stays in the database file until it is compacted away and the file is written anew. While
a member writes its file anew it answers nobody, so it is one member at a time, and the leader last.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from http import HTTPStatus

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import KubeError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._context import Context
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._etcd import Etcds
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import Seen
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._members import (
    Disk,
    Member,
    Members,
    disks_of,
    members_of,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import NodeError

_COMPACT_SECONDS = 700.0
_DEFRAGMENT_SECONDS = 1900.0
_HEALTHY_SECONDS = 120.0
_LOOK_AGAIN_SECONDS = 0.5
_WAIT_SECONDS = 5.0
_UNNOTICED_SECONDS = 3.0
"""No load balancer that is set up with care leaves a server for so short a silence."""
_NOTICED_BYTES = 256 << 20
_MOST_BEHIND = 100
"""Entries that a member may lag: API servers write a few every second."""
_AGAIN = "Every value is encrypted as it should be already; run the same command again to go on."


def scrub(context: Context, seen: Seen) -> Iterator[str]:
    """Compact and defragment every member; tells what was done as it is done, and last of all what remains."""

    def settle(member: Member, seconds: float) -> None:
        _let_settle(context, seen, member, seconds)

    yield from scrubbed(Etcds.of(context.nodes, seen.on_node), context.guard.check, context.waiting, settle)
    snapshots = sorted({f"{each.path} on {each.node}" for node in seen.on_node.values() for each in node.snapshots})
    if snapshots:
        yield (
            "snapshots hold what was there when they were taken, in plain text what was not encrypted then: "
            f"{', '.join(snapshots)}; move them to where backups are kept, or delete them"
        )


def scrubbed(
    etcds: Etcds,
    still_allowed: Callable[[], None],
    waiting: Callable[[str], None] = lambda _told: None,
    settle: Callable[[Member, float], None] = lambda _member, _seconds: None,
) -> Iterator[str]:
    """The same with etcd alone. ``still_allowed`` raises when somebody else has taken over.

    ``settle`` is given each member that others follow, and for how many seconds it has answered nobody. Raises
    HardeningError where a member is not healthy, before the next one is touched.
    """
    done: set[str] = set()
    while True:
        still_allowed()
        members = _healthy(etcds, waiting)
        left = [member for member in members.answering.values() if member.id not in done]
        if not left:
            break
        member = min(left, key=lambda each: (each.is_leader, each.name))
        _refuse_full(member, disks_of(etcds, [member]).get(member.id))
        if member.db_in_use > _NOTICED_BYTES:
            yield (
                f"the etcd member {member.name} writes its {member.db_in_use / 1e6:.0f} MB anew; it, and the API "
                "server that uses it, answer nobody in the meantime"
            )
        began = time.monotonic()
        yield from _defragmented(etcds, member)
        done.add(member.id)
        if len(left) > 1:
            settle(member, time.monotonic() - began)
    yield from _remains(etcds, members)


def _let_settle(context: Context, seen: Seen, member: Member, seconds: float) -> None:
    """Until the API server that uses the member is ready again, and load balancers that left it know of it."""
    client = seen.clients.get(member.node)
    until = time.monotonic() + _HEALTHY_SECONDS
    while client and not _is_ready(client):
        context.guard.check()
        if time.monotonic() >= until:
            raise HardeningError(
                f"etcd is not defragmented further, since the API server of {member.node} is not ready again. {_AGAIN}"
            )
        context.waiting(f"waiting for the API server of {member.node} to be ready again")
        time.sleep(_LOOK_AGAIN_SECONDS)
    until = time.monotonic() + (context.options.ready_seconds if seconds > _UNNOTICED_SECONDS else 0)
    while (left := until - time.monotonic()) > 0:
        context.guard.check()
        context.waiting(f"waiting until load balancers know that {member.node} is back, {left:.0f} s")
        time.sleep(min(left, _WAIT_SECONDS))


def _is_ready(client: Client) -> bool:
    try:
        # A user who may not ask that is refused by a server that is back.
        return client.request("GET", "/readyz", accept="text/plain").status < HTTPStatus.INTERNAL_SERVER_ERROR
    except KubeError:
        return False


def _defragmented(etcds: Etcds, member: Member) -> Iterator[str]:
    at = member.node, [member.endpoint]
    # Each member compacts in its own time, and only a request to itself waits for it.
    revision = etcds.at(*at, "compact", _COMPACT_SECONDS)
    yield f"the etcd member {member.name} is compacted to revision {revision}"
    began = time.monotonic()
    sizes = etcds.at(*at, "defragment", _DEFRAGMENT_SECONDS)
    yield (
        f"the etcd member {member.name} is defragmented in {time.monotonic() - began:.1f} s: "
        f"{sizes['before'] / 1e6:.1f} MB before, {sizes['after'] / 1e6:.1f} MB after"
    )


def _healthy(etcds: Etcds, waiting: Callable[[str], None]) -> Members:
    """All members, once each answers, has no alarm and has applied what the others have."""
    until = time.monotonic() + _HEALTHY_SECONDS
    while True:
        members = members_of(etcds)
        wrong = [*_wrong(members)]
        if not wrong:
            return members
        if time.monotonic() >= until:
            raise HardeningError(f"etcd is not defragmented further, since {'; '.join(wrong)}. {_AGAIN}")
        waiting(f"waiting for etcd: {wrong[0]}")
        time.sleep(_LOOK_AGAIN_SECONDS)


def _wrong(members: Members) -> Iterator[str]:
    if not members.answering:
        yield f"no member answers ({'; '.join(map(str, members.troubles))})"
    for name, why in members.silent.items():
        yield f"the member {name} does not answer ({why})"
    for member in members.answering.values():
        if member.alarms:
            yield f"it has raised the alarm {', '.join(member.alarms)}"
        if not member.leader:
            yield f"the member {member.name} knows of no leader"
        if members.behind(member) > _MOST_BEHIND:
            yield f"the member {member.name} is {members.behind(member)} entries behind"


def _refuse_full(member: Member, disk: Disk | NodeError | None) -> None:
    if isinstance(disk, Disk) and disk.free < member.db_in_use:
        raise HardeningError(
            f"The disk of the etcd member {member.name} has {disk.free / 1e6:.0f} MB free, and the database that is "
            f"written anew has {member.db_in_use / 1e6:.0f} MB: make room. {_AGAIN}"
        )


def _remains(etcds: Etcds, members: Members) -> Iterator[str]:
    """What still holds former bytes, and for how long; nothing can take it out of backups."""
    counted = []
    disks = disks_of(etcds, members.answering.values())
    for member in members.answering.values():
        disk = disks.get(member.id)
        if isinstance(disk, Disk):
            calls = [("names", {"directory": f"{disk.directory}/member/{each}"}) for each in ("wal", "snap")]
            try:
                wal, snap = etcds.nodes.ask(member.node, "_files", calls)
            except NodeError:
                continue
            logs = sum(name.endswith(".wal") for name in wal or ())
            snapshots = sum(name.endswith(".snap") for name in snap or ())
            counted.append(f"{member.name} has {logs} files of its log and {snapshots} snapshots")
    told = f" ({'; '.join(counted)})" if counted else ""
    yield (
        "what was there before is out of etcd's database, and remains in its write-ahead log and snapshots"
        f"{told} until etcd has removed these files in its own time (--max-wals, --max-snapshots), in blocks of the"
        " disk that were freed and not yet overwritten, and in every backup that was made before"
    )
