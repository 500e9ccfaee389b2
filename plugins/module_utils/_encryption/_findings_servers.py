# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: findings about what the API servers have loaded, each asked at its own address."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._configuration import keys_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._findings_stored import (
    ENFORCE,
    subject_of,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._inspected import Demanded, Inspected
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import (
    FIRST_THAT_TELLS,
    IDENTITY,
    Key,
    Providers,
    Server,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding, judged

CLUSTER = "Cluster/kube-apiserver"
_UPGRADE = f"Upgrade the control plane to {'.'.join(map(str, FIRST_THAT_TELLS))} or newer."
_REPEAT = "Start it, or make it answer at its own address; where its node is gone, remove what is left of it."


def server_findings(seen: Inspected) -> Iterator[Finding]:
    """``encryption.servers`` of each server, and of those that somebody knows and nobody could ask."""
    for server in seen.facts.servers:
        yield _server(seen, server)
    if seen.untold:
        remedy = "Let the user of this check list EndpointSlices, and Leases in kube-system, then check again."
        yield judged("encryption.servers", CLUSTER, "unknown", seen.untold, "none", remedy)
    everywhere = frozenset().union(*seen.facts.sources.values())
    for source, names in sorted(seen.facts.sources.items()):
        missing = ", ".join(sorted(everywhere - names))
        if missing:
            yield judged(
                "encryption.servers",
                CLUSTER,
                "unknown",
                f"{source} does not know the API server {missing}, which others know",
                "server",
                "Name every control plane node; where one is gone, remove what is left of it.",
            )


def _server(seen: Inspected, server: Server) -> Finding:
    control, subject = "encryption.servers", f"APIServer/{server.name}"
    if server.state != "running":
        told = f"it could not be asked ({server.trouble or server.state})"
        return judged(control, subject, "unknown", told, "none", _REPEAT)
    if server.loaded is None:
        told = f"what it has loaded is not known ({server.trouble or 'it does not say'})"
        remedy = f"{ENFORCE} Or restart it with the file of its node."
        return judged(control, subject, "unknown", told, "none", _UPGRADE if server.is_too_old else remedy)
    if server.file is None:
        told = f"the file on its node cannot be used, and it would not start with it ({server.trouble})"
        return judged(control, subject, "fail", told, "server", "Correct the file, or put that of another node there.")
    unread = _unread(seen, server.loaded)
    if unread:
        told = f"it cannot read {', '.join(unread)}"
        return judged(control, subject, "fail", told, "server", f"{ENFORCE} It gives every server these keys first.")
    if server.loaded != server.file:
        told = f"it has loaded {_said(server.loaded)}, and on its node lies {_said(server.file)}"
        return judged(control, subject, "fail", told, "server", f"{ENFORCE} Where it was just run, wait a minute.")
    others = [other for other, loaded in seen.loaded() if loaded != server.loaded]
    if others:
        names = ", ".join(other.name for other in others)
        told = f"it has loaded {_said(server.loaded)}, and {names} something else"
        return judged(control, subject, "fail", told, "server", ENFORCE)
    if not server.loaded:
        return Finding(
            control, subject, "not_applicable", "it has no encryption configuration, nor has another", "server"
        )
    return judged(control, subject, "pass", f"it says itself that it has loaded {_said(server.loaded)}", "server")


def _unread(seen: Inspected, loaded: Providers) -> list[str]:
    """What lies in etcd under keys that are known, and that such a server cannot read."""
    scan, known = seen.facts.histogram, seen.known
    return [
        f"{number} values of {resource} under the {known[prefix]}"
        for resource, counts in sorted(scan.counts.items() if scan else ())
        for prefix, number in sorted(counts.items())
        if number and prefix in known and known[prefix] not in keys_of(loaded, resource)
    ]


def reader_findings(seen: Inspected, demanded: Demanded, resource: str) -> list[Finding]:
    """What servers read besides what they write: former keys, and plain text."""
    controls = ("encryption.old_keys", "encryption.plain_text")
    subject, unproved = subject_of(resource), seen.unproved()
    if unproved or not seen.facts.servers:
        told = f"what {', '.join(unproved) or 'any server'} has loaded is not known"
        return [judged(each, subject, "unknown", told, "none", "See encryption.servers.") for each in controls]
    if seen.writers(resource) == {IDENTITY}:
        return [Finding(each, subject, "not_applicable", "it is written in plain text", "server") for each in controls]
    return [_old_keys(seen, resource), _plain_text(seen, demanded, resource)]


def _old_keys(seen: Inspected, resource: str) -> Finding:
    control, subject = "encryption.old_keys", subject_of(resource)
    former = _readers(seen, resource) - seen.writers(resource) - {IDENTITY}
    if not former:
        told = f"it is read with {' and '.join(map(str, sorted(seen.writers(resource))))} alone"
        return judged(control, subject, "pass", told, "server")
    scan = seen.facts.histogram
    stored = scan.counts.get(resource) if scan and not seen.facts.unscannable else None
    if stored is None:
        told = f"servers read it with {_list(former)} too, and whether anything needs that is not known"
        return judged(
            control, subject, "unknown", told, "server", "Let the check see what etcd holds, then check again."
        )
    intent = seen.facts.intent
    on_the_way = {*intent.write.values(), *intent.former.values()} if intent else set()
    unneeded = {key for key in former - on_the_way if not stored.get(key.prefix)}
    if unneeded:
        told = f"servers still read it with {_list(unneeded)}, under which etcd holds nothing"
        return judged(control, subject, "fail", told, "server", f"{ENFORCE} It drops what nothing needs any more.")
    needs = "a run that has not finished needs (encryption.finished)"
    if not former & on_the_way:
        needs = "values in etcd need (encryption.stragglers)"
    told = f"servers read it with {_list(former)} too, which {needs}"
    return judged(control, subject, "pass", told, "server")


def _plain_text(seen: Inspected, demanded: Demanded, resource: str) -> Finding:
    control, subject = "encryption.plain_text", subject_of(resource)
    reading = [server.name for server, loaded in seen.loaded() if IDENTITY in keys_of(loaded, resource)]
    if not reading:
        return judged(control, subject, "pass", "every server refuses to read plain text", "server")
    if demanded.plain_text:
        return Finding(control, subject, "not_applicable", "plain text is read as well, as it is asked for", "server")
    told = f"{', '.join(reading)} would read plain text without a word, so whoever writes into etcd can plant objects"
    return judged(control, subject, "fail", told, "server", f"{ENFORCE} It takes identity out once nothing needs it.")


def finished_finding(seen: Inspected) -> Finding:
    """Whether a walk lies open."""
    control, intent = "encryption.finished", seen.facts.intent
    if intent is not None:
        written = ", ".join(f"{resource} to {_key_said(key)}" for resource, key in sorted(intent.write.items()))
        return judged(
            control,
            CLUSTER,
            "fail",
            f"a run that was to {intent.asked.replace('_', ' ')} has not finished: {written}",
            "config",
            "Give the same command again, which goes on where it stopped, or roll it back.",
        )
    unseen = [server.name for server in seen.facts.servers if server.name not in seen.files]
    if unseen or not seen.facts.servers:
        told = f"whether a run has not finished is not known of {', '.join(unseen) or 'any node'}"
        return judged(control, CLUSTER, "unknown", told, "none", "Make these nodes reachable, then check again.")
    return judged(control, CLUSTER, "pass", "no node holds the journal of a run", "config")


def _readers(seen: Inspected, resource: str) -> frozenset[Key]:
    return frozenset(key for _server, loaded in seen.loaded() for key in keys_of(loaded, resource))


def _said(providers: Providers) -> str:
    """A configuration in few words, each key with its fingerprint."""
    if not providers:
        return "no configuration"
    return "; ".join(
        f"{resource} written with {_key_said(keys[0])}" + (f", read with {_list(keys[1:])} too" if keys[1:] else "")
        for resource, keys in sorted(providers.items())
    )


def _key_said(key: Key) -> str:
    return f"{key} ({key.fingerprint})" if key.fingerprint else str(key)


def _list(keys: frozenset[Key] | set[Key] | tuple[Key, ...]) -> str:
    return ", ".join(map(_key_said, sorted(keys)))
