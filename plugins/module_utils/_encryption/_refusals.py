# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what a walk refuses, each as a function from what is known to the sentences that say so.

Where a walk is refused it has touched nothing since, and may stay there for ever: every value is readable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import FIRST_THAT_TELLS, Key
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._standing import (
    Standing,
    clashes,
    possible,
)

Refusal = Callable[[Standing], Iterator[str]]


def _obstacles(seen: Standing) -> Iterator[str]:
    yield from seen.facts.obstacles


def _no_servers(seen: Standing) -> Iterator[str]:
    if not seen.facts.servers:
        yield "No kube-apiserver was found, so there is none whose configuration could be proved."


def _differing_sources(seen: Standing) -> Iterator[str]:
    every = frozenset().union(*seen.facts.sources.values())
    for source, names in sorted(seen.facts.sources.items()):
        if names != every:
            missing = ", ".join(sorted(every - names))
            yield (
                f"{source} does not know the API server {missing}, which other sources know: a server that is not asked"
                " could fail to read what is written. Bring it back; where it is gone for good, take it out of the"
                " inventory and of etcd, and delete its Lease in kube-system."
            )


def _unanswered(seen: Standing) -> Iterator[str]:
    for server in seen.facts.servers:
        if server.state == "unanswered":
            yield (
                f"The API server {server.name} could not be asked{_because(server.trouble)}: what it has loaded is not"
                " known. Make it answer this machine at its own address (a firewall or proxy may be in between); where"
                " its node is gone for good, remove that from the cluster. Then run again."
            )


def _too_old(seen: Standing) -> Iterator[str]:
    """One without encryption too: it could not prove what it loads when the walk is under way."""
    for server in seen.facts.servers:
        if server.state == "running" and server.is_too_old:
            yield (
                f"The API server {server.name} is of version {server.version}, and API servers say from"
                f" {'.'.join(map(str, FIRST_THAT_TELLS))} on what they have loaded, which nothing else proves. Upgrade"
                " the control plane first."
            )


def _unknown_loaded(seen: Standing) -> Iterator[str]:
    for server in seen.facts.servers:
        # Of a file that cannot be used it is told that it has to be corrected: then the server loads it.
        told = server.file is None or server.is_too_old
        if server.state == "running" and server.loaded is None and not told:
            yield (
                f"The API server {server.name} has loaded a configuration that is on no node"
                f"{_because(server.trouble)}. Put the file that it loaded back on its node, or restart it with the file"
                " that lies there if that one reads every value, and run again."
            )


def _unsound_file(seen: Standing) -> Iterator[str]:
    for server in seen.facts.servers:
        if server.file is None:
            yield (
                f"The encryption configuration on the node of {server.name} cannot be used{_because(server.trouble)}."
                " Correct it there, and run again."
            )


def _clashing_keys(seen: Standing) -> Iterator[str]:
    for one, other in clashes(seen.facts, seen.goal):
        yield (
            f"There are two different keys with the name of the {one} (fingerprints {one.fingerprint} and"
            f" {other.fingerprint}): values in etcd do not tell which one wrote them. Give one of them another name."
        )


def _unnamed_resources(seen: Standing) -> Iterator[str]:
    said = {each for server in seen.facts.servers for providers in possible(server) for each in providers}
    for resource in sorted(said - seen.goal.write.keys()):
        yield (
            f"A server's configuration names the resource {resource}, and nothing says with which key it shall be"
            " written. Name it too."
        )


def _unscannable(seen: Standing) -> Iterator[str]:
    if seen.facts.unscannable:
        yield f"What etcd holds cannot be seen: {seen.facts.unscannable}"


def _unknown_prefixes(seen: Standing) -> Iterator[str]:
    for resource, counts in sorted(seen.facts.histogram.counts.items() if seen.facts.histogram else ()):
        for prefix, number in sorted(counts.items()):
            if number and prefix not in seen.known:
                yield (
                    f"{number} values of {resource} in etcd start with «{prefix}», and no server, node or vault has"
                    " such a key. Look for it where keys are kept, and in backups of /etc/kubernetes of all nodes:"
                    " until it is back, these objects are lost, and the API cannot list their resource."
                )


def _lost_keys(seen: Standing) -> Iterator[str]:
    needed: set[Key] = set().union(*seen.used.values(), seen.goal.write.values(), seen.goal.keeps)
    for key in sorted(key for key in needed if key.has_material and key not in seen.obtainable):
        yield (
            f"The {key} (fingerprint {key.fingerprint}) is needed, and its bytes are on no node and in no vault that"
            " this run was given. Bring it back from where keys are kept, and run again."
        )


BEFORE_ANYTHING: tuple[Refusal, ...] = (
    _obstacles,
    _no_servers,
    _differing_sources,
    _unanswered,
    _too_old,
    _unknown_loaded,
    _unsound_file,
    _clashing_keys,
    _unnamed_resources,
    _unscannable,
)
"""What needs no scan of etcd to be told."""

AFTER_SCAN: tuple[Refusal, ...] = (_unknown_prefixes, _lost_keys)


def refused(seen: Standing, refusals: Iterable[Refusal]) -> list[str]:
    """Every reason at once, so that a user has to correct things only once."""
    return [reason for refusal in refusals for reason in refusal(seen)]


def _because(trouble: str) -> str:
    return f" ({trouble.removesuffix('.')})" if trouble else ""
