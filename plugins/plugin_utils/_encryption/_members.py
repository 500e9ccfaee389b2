# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the members of etcd, each asked for itself, and what speaks against giving them work.

A member is asked through the node whose API server uses it: with kubeadm it listens on that node's loopback, and may
be walled off from other nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import zip_longest
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._etcd import (
    NOT_TO_BE_LOOKED_INTO,
    PROGRAM,
    Etcds,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import NodeError, NodeRefused

COPIES = 2.4
"""How often the values may stand in etcd beside those that are there: rewritten twice, and a fifth for what it adds."""
STATUS_SECONDS = 30.0
_DEFAULT_QUOTA = 2 << 30
"""etcd's own, where neither it nor its process says another: ``DefaultQuotaBytes`` of ``server/storage/quota.go``."""
_MOST_BEHIND = 5000
"""Entries of the log that a member may lag; etcd itself takes a learner for ready at a tenth of all."""
_ALARMS = {
    "NOSPACE": (
        "its database has outgrown --quota-backend-bytes, and it takes no writes. Compact it and defragment it, or"
        " raise --quota-backend-bytes, then disarm the alarm (etcdctl alarm disarm)"
    ),
    "CORRUPT": "its members do not hold the same. Restore the one that is wrong before anything else",
}


@dataclass(frozen=True, slots=True)
class Member:
    """A member that has answered, and the node and endpoint by which it did. Sizes are in bytes.

    ``behind`` are the entries of the log that it has still to apply; ``quota`` is 0 where it does not say (before 3.6).
    """

    id: str
    name: str
    node: str
    endpoint: str
    leader: str
    learner: bool
    alarms: tuple[str, ...]
    db_size: int
    db_in_use: int
    quota: int
    raft_index: int
    raft_applied: int

    @property
    def is_leader(self) -> bool:
        return self.id == self.leader


@dataclass(slots=True)
class Members:
    """The members that answered, by id; ``silent`` says of each other, by name, why it did not."""

    answering: dict[str, Member] = field(default_factory=dict)
    silent: dict[str, str] = field(default_factory=dict)
    clusters: set[str] = field(default_factory=set)
    troubles: list[NodeError] = field(default_factory=list)

    @property
    def newest(self) -> int:
        """The index of the newest entry that any of them has seen committed."""
        return max((member.raft_index for member in self.answering.values()), default=0)

    def behind(self, member: Member) -> int:
        return self.newest - member.raft_applied


@dataclass(frozen=True, slots=True)
class Disk:
    """Where a member has its data as its node's root sees it, and the bytes that are free there."""

    directory: str
    free: int
    quota: int


def members_of(etcds: Etcds) -> Members:
    """Ask every member how it is. What could not be asked is told, not raised."""
    members = Members()
    listed: dict[str, Mapping[str, Any]] = {}
    asked: set[str] = set()
    for endpoints in zip_longest(*(etcd.endpoints for etcd in etcds.by_node.values()), fillvalue=""):
        by_node = {node: each for node, each in zip(etcds.by_node, endpoints, strict=True) if each}
        _ask(etcds, _once(by_node, asked), members, listed)
    for member in list(listed.values()):
        if member["id"] not in members.answering:
            _ask_elsewhere(etcds, member, members, listed)
    return members


def _once(by_node: Mapping[str, str], asked: set[str]) -> dict[str, str]:
    """Endpoints that are the same member from every node are asked from one of them."""
    chosen = {}
    for node, endpoint in by_node.items():
        if _is_loopback(endpoint) or endpoint not in asked:
            chosen[node] = endpoint
            asked.add(endpoint)
    return chosen


def _is_loopback(endpoint: str) -> bool:
    host = urlsplit(endpoint).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _ask(
    etcds: Etcds, endpoints: Mapping[str, str], members: Members, listed: dict[str, Mapping[str, Any]]
) -> list[NodeError]:
    calls = {node: [("status", {"etcd": etcds.by_node[node].reach([each])})] for node, each in endpoints.items()}
    troubles = []
    for node, answer in etcds.nodes.ask_each(calls, PROGRAM, timeout=STATUS_SECONDS).items():
        if isinstance(answer, NodeError):
            troubles.append(answer)
        else:
            said = answer[0]
            listed.update({each["id"]: each for each in said["members"]})
            members.clusters.add(said["cluster"])
            members.answering.setdefault(said["member"], _member(said, node, endpoints[node]))
    members.troubles += troubles
    return troubles


def _member(said: Mapping[str, Any], node: str, endpoint: str) -> Member:
    names = {each["id"]: each["name"] for each in said["members"]}
    return Member(
        said["member"],
        names.get(said["member"]) or said["member"],
        node,
        endpoint,
        said["leader"],
        said["learner"],
        tuple(said["alarms"]),
        said["db_size"],
        said["db_in_use"],
        said["quota"],
        said["raft_index"],
        said["raft_applied"],
    )


def _ask_elsewhere(
    etcds: Etcds, member: Mapping[str, Any], members: Members, listed: dict[str, Mapping[str, Any]]
) -> None:
    """A member that no API server names is asked where it says itself that clients reach it."""
    node = next(iter(etcds.by_node))
    why = "it has not said where clients reach it, so it has never been started"
    for endpoint in member["endpoints"]:
        troubles = _ask(etcds, {node: endpoint}, members, listed)
        if member["id"] in members.answering:
            return
        why = "; ".join(map(str, troubles)) or "another member answers there"
    members.silent[member["name"] or member["id"]] = why


def disks_of(etcds: Etcds, members: Iterable[Member]) -> dict[str, Disk | NodeError]:
    """By id of the member its disk, or why its node did not tell.

    Those are missing of which nobody can know it: their process does not run on the node, as an external etcd's, or has
    no whole path in its flags.
    """
    by_node = {member.node: member for member in members if _is_loopback(member.endpoint)}
    calls = [("processes", {"binary": "etcd"})]
    disks: dict[str, Disk | NodeError] = {}
    for node, answer in etcds.nodes.ask_each(dict.fromkeys(by_node, calls), "_files").items():
        member = by_node[node]
        if isinstance(answer, NodeError):
            disks[member.id] = answer
            continue
        arguments, pid = _process_of(member, answer[0])
        if (said := _flag(arguments, "data-dir")).startswith("/"):
            # As that process sees it, which may be in a container.
            directory = f"/proc/{pid}/root{said}"
            quota = _flag(arguments, "quota-backend-bytes")
            try:
                free = etcds.nodes.ask(node, "_files", [("free", {"path": directory})])[0]
                disks[member.id] = Disk(directory, free, int(quota) if quota.isdigit() else 0)
            except NodeError as error:
                disks[member.id] = error
    return disks


def _process_of(member: Member, processes: Iterable[Mapping[str, Any]]) -> tuple[Sequence[str], int]:
    """Arguments and pid of the process that is this member; no arguments where it does not run there."""
    running = list(processes)
    named = [each for each in running if _flag(each["arguments"], "name") == member.name]
    return next(((each["arguments"], each["pid"]) for each in named or running[:1]), ((), 0))


def _flag(arguments: Iterable[str], name: str) -> str:
    """The last value of a flag of etcd, which takes one dash or two, and ``=`` or the next argument."""
    value, is_next = "", False
    for argument in arguments:
        flag, equals, said = argument.lstrip("-").partition("=")
        if is_next:
            value, is_next = argument, False
        elif argument.startswith("-") and flag == name:
            value, is_next = said, not equals
    return value


def health(etcds: Etcds, size: int, tell: Callable[[str], None] = lambda _line: None) -> Iterator[str]:
    """What speaks against rewriting values of so many bytes, one sentence each.

    ``tell`` is given what nobody can look at, and does not speak against it. Where etcd may not be looked into at all,
    nothing is told: that is told of the scan.
    """
    members = members_of(etcds)
    if not members.answering:
        if not any(_is_told(error) for error in members.troubles):
            yield f"No member of etcd answers: {'; '.join(map(str, members.troubles))}"
        return
    disks = disks_of(etcds, members.answering.values())
    yield from _wrong(members)
    growth = int(size * COPIES)
    for member in members.answering.values():
        disk = disks.get(member.id)
        yield from _without_room(member, disk if isinstance(disk, Disk) else None, growth)
        if isinstance(disk, NodeError):
            yield (
                f"The disk of the etcd member {member.name} could not be looked at ({str(disk).rstrip('.')}): see that "
                "its node is well, and run again."
            )
        elif not disk:
            tell(
                f"where the etcd member {member.name} has its data is not in the flags of an etcd on a control plane "
                f"node, so its disk is not looked at: see that it has {_mib(_needed(member, growth))} free"
            )


def _is_told(error: NodeError) -> bool:
    return isinstance(error, NodeRefused) and error.kind in NOT_TO_BE_LOOKED_INTO


def _wrong(members: Members) -> Iterator[str]:
    """What is wrong with the members, however much they have to take."""
    if len(members.clusters) > 1:
        yield (
            "The control plane nodes use different etcd clusters, so their API servers do not serve the same objects:"
            " name the nodes of one cluster alone."
        )
    for name, why in members.silent.items():
        yield (
            f"The etcd member {name} does not answer ({why.rstrip('.')}): bring it back, or take it out (etcdctl member"
            " remove)."
        )
    for alarm in sorted({alarm for member in members.answering.values() for alarm in member.alarms}):
        yield f"etcd has raised the alarm {alarm}: {_ALARMS.get(alarm, 'see etcdctl alarm list')}."
    for member in members.answering.values():
        if not member.leader:
            yield f"The etcd member {member.name} knows of no leader: see that most of the members are up."
        if member.learner:
            yield f"The etcd member {member.name} is a learner still: promote it, or take it out (etcdctl member)."
        if members.behind(member) > _MOST_BEHIND:
            yield f"The etcd member {member.name} is {members.behind(member)} entries behind: let it catch up."


def _without_room(member: Member, disk: Disk | None, growth: int) -> Iterator[str]:
    quota = member.quota or (disk.quota if disk else 0) or _DEFAULT_QUOTA
    if member.db_size + growth >= quota:
        helps = member.db_in_use + growth < quota
        yield (
            f"The etcd member {member.name} has {_mib(member.db_size)} of the {_mib(quota)} that it may have, and"
            f" needs {_mib(growth)} more to rewrite every value twice:"
            f" {'defragment it (etcdctl defrag)' if helps else 'raise --quota-backend-bytes'}."
        )
    needed = _needed(member, growth)
    if disk and disk.free < needed:
        yield (
            f"The disk of the etcd member {member.name} has {_mib(disk.free)} free, and rewriting every value and"
            f" defragmenting takes up to {_mib(needed)}: make room."
        )


def _needed(member: Member, growth: int) -> int:
    """What its disk has to have free: to defragment, a member writes its whole database anew beside the old one."""
    return 2 * growth + member.db_in_use


def _mib(size: int) -> str:
    return f"{size / (1 << 20):.0f} MiB"
