# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: findings about the values in etcd, of one resource each.

What counts is with which prefix each value starts, seen in etcd itself: a flag, a file and an object that can be read
say nothing of it. A scan that has not seen as many values as the API counts proves nothing either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._inspected import Demanded, Inspected
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import IDENTITY, Key
from ansible_collections.hardening.kubernetes.plugins.module_utils._node._etcd import PLAIN, UNRECOGNISED
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._controls import Proof
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding, Status, judged

STRONG = ("secretbox", "aescbc", "kms_v2", "kms_v1")
"""What CIS 1.2.28 accepts. aesgcm, whose nonces are drawn at random, is spent after 200,000 writes: «Providers» of
«Encrypting Confidential Data at Rest»."""
_AESGCM_WRITES = 200_000
PROVIDERS_MEANT = {"kms": ("kms_v2",)}
"""Which providers a user's word means, where it is not that provider alone."""

ENFORCE = "Run harden_cluster, or the role encryption_at_rest in enforce mode."
_LOOK = "Let the check see what it names, then check again."
_PROVIDER = re.compile(r"k8s:enc:(aescbc|aesgcm|secretbox|kms):(v[12]):")


@dataclass(frozen=True, slots=True)
class _Stored:
    """The values of one resource that a scan saw, by prefix, and how many the API counts at the same revision."""

    by_prefix: dict[str, int]
    counted: int | None

    @property
    def total(self) -> int:
        return sum(self.by_prefix.values())

    @property
    def incomplete(self) -> str:
        """Why the scan is not known to have seen everything; empty where it has."""
        if self.counted is None:
            return "how many the API counts at the same revision is not known"
        if self.total != self.counted:
            return f"the API counts {self.counted} at the same revision"
        return ""

    def __str__(self) -> str:
        told = ", ".join(f"{number} {_told(prefix)}" for prefix, number in sorted(self.by_prefix.items()))
        values = "value" if self.total == 1 else "values"
        return f"etcd holds {self.total} {values}" + (f": {told}" if told else "")


def subject_of(resource: str) -> str:
    """How findings name a resource."""
    return f"Resource/{resource}"


def stored_findings(seen: Inspected, demanded: Demanded, resource: str) -> list[Finding]:
    """All that the values of a resource tell."""
    found = _stored(seen, resource)
    if found is None:
        told = seen.facts.unscannable or "it was not scanned"
        return [
            judged(control, subject_of(resource), "unknown", f"what etcd holds is not known: {told}", "none", _LOOK)
            for control in ("encryption.at_rest", "encryption.provider", "encryption.stragglers", "encryption.prefixes")
        ]
    return [
        _at_rest(seen, demanded, resource, found),
        _provider(seen, demanded, resource, found),
        _stragglers(seen, resource, found),
        _prefixes(seen, resource, found),
    ]


def _stored(seen: Inspected, resource: str) -> _Stored | None:
    scan = seen.facts.histogram
    if scan is None or resource not in scan.counts or seen.facts.unscannable:
        return None
    by_prefix = {prefix: number for prefix, number in scan.counts[resource].items() if number}
    return _Stored(by_prefix, scan.counted.get(resource))


def _at_rest(seen: Inspected, demanded: Demanded, resource: str, found: _Stored) -> Finding:
    control, subject = "encryption.at_rest", subject_of(resource)
    if _is_left_out(seen, demanded, resource):
        return Finding(control, subject, "not_applicable", _LEFT_OUT, "server")
    if PLAIN in found.by_prefix:
        return judged(control, subject, "fail", str(found), "effect", f"{ENFORCE} It rewrites every value.")
    if UNRECOGNISED in found.by_prefix:
        return judged(control, subject, "unknown", str(found), "effect", _FOREIGN)
    return _of_all(control, subject, found)


_LEFT_OUT = "an entry of the configuration leaves it in plain text, and it is not among what is to be encrypted"
_FOREIGN = "Find out what writes into etcd beside the API servers, and take these values out."
_COMPARE = (
    "Compare the API servers' --etcd-prefix with what was scanned, and let the user of this check list the resource."
)


def _of_all(control: str, subject: str, found: _Stored, evidence: str = "") -> Finding:
    """Nothing speaks against it: a pass, where the scan has seen everything and there is anything."""
    if found.incomplete:
        return judged(control, subject, "unknown", f"{found}; {found.incomplete}", "effect", _COMPARE)
    if not found.total:
        return Finding(control, subject, "not_applicable", "there are no objects of it", "effect")
    return judged(control, subject, "pass", evidence or str(found), "effect")


def _provider(seen: Inspected, demanded: Demanded, resource: str, found: _Stored) -> Finding:
    control, subject = "encryption.provider", subject_of(resource)
    if _is_left_out(seen, demanded, resource):
        return Finding(control, subject, "not_applicable", _LEFT_OUT, "server")
    accepted = _accepted(demanded)
    stored = sorted({_provider_of(prefix, seen) for prefix in found.by_prefix} - {*accepted, ""})
    if stored:
        return _weak(seen, subject, str(found), stored, demanded, "effect")
    writing = sorted({key.provider for key in seen.writers(resource)} - {*accepted})
    if writing:
        told = " and ".join(map(_said, sorted(seen.writers(resource))))
        return _weak(seen, subject, f"the next value will be written with {told}; {found}", writing, demanded, "server")
    if UNRECOGNISED in found.by_prefix:
        return judged(control, subject, "unknown", str(found), "effect", _FOREIGN)
    return _of_all(control, subject, found)


def _weak(
    seen: Inspected, subject: str, evidence: str, providers: list[str], demanded: Demanded, proof: Proof
) -> Finding:
    if "aesgcm" in providers and demanded.provider in ("", "aesgcm"):
        evidence += (
            f"; a key of aesgcm is spent after {_AESGCM_WRITES:,} writes, at least {seen.aesgcm_writes:,} are done"
        )
        remedy = "Change to secretbox, aescbc or a KMS, or waive it and rotate the key before that many writes."
    else:
        wanted = demanded.provider or "secretbox"
        remedy = f"{ENFORCE} It changes to {wanted} and rewrites every value."
    return judged("encryption.provider", subject, "fail", evidence, proof, remedy)


def _accepted(demanded: Demanded) -> tuple[str, ...]:
    """aesgcm is a failure also for whoever wants it: that takes a waiver."""
    wanted = PROVIDERS_MEANT.get(demanded.provider, (demanded.provider,)) if demanded.provider else STRONG
    return tuple(each for each in wanted if each in STRONG)


def _provider_of(prefix: str, seen: Inspected) -> str:
    """The provider that wrote a value, empty where it cannot be told."""
    if prefix == PLAIN:
        return IDENTITY.provider
    if prefix in seen.known:
        return seen.known[prefix].provider
    found = _PROVIDER.match(prefix)
    if not found:
        return ""
    return f"kms_{found[2]}" if found[1] == "kms" else found[1]


def _stragglers(seen: Inspected, resource: str, found: _Stored) -> Finding:
    control, subject = "encryption.stragglers", subject_of(resource)
    writers = sorted(seen.writers(resource))
    unproved = seen.unproved()
    if writers == [IDENTITY] and not unproved:
        return Finding(control, subject, "not_applicable", "it is written in plain text", "server")
    if len(writers) != 1 or unproved:
        told = f"which key {', '.join(unproved)} writes with is not known" if unproved else _differing(writers)
        return judged(control, subject, "unknown", told, "server", "See encryption.servers.")
    (present,) = writers
    former = _Stored({each: n for each, n in found.by_prefix.items() if each not in (present.prefix, PLAIN)}, None)
    outdated = seen.facts.histogram.outdated.get(resource, 0) if seen.facts.histogram else 0
    if former.total or outdated:
        within = f"; {outdated} were written under a former key of the KMS" if outdated else ""
        return judged(
            control, subject, "fail", f"{present} writes now; {found}{within}", "effect", f"{ENFORCE} It rewrites them."
        )
    return _of_all(control, subject, found, f"{present} wrote every value; {found}")


def _differing(writers: Iterable[Key]) -> str:
    return f"the API servers write it with different keys: {', '.join(map(str, writers))}"


def _prefixes(seen: Inspected, resource: str, found: _Stored) -> Finding:
    control, subject = "encryption.prefixes", subject_of(resource)
    foreign = sorted(prefix for prefix in found.by_prefix if prefix not in seen.known)
    if foreign:
        return judged(
            control,
            subject,
            "fail",
            f"{found}; no server, node or vault has a key that writes {' or '.join(f'«{each}»' for each in foreign)}",
            "effect",
            "Bring the key back from where keys are kept; until then nobody can read these, nor list the resource.",
        )
    return _of_all(control, subject, found, f"every key is known; {found}")


def _is_left_out(seen: Inspected, demanded: Demanded, resource: str) -> bool:
    """Whether a configuration names the resource to leave it in plain text, and nobody demands otherwise."""
    return resource not in demanded.resources and seen.writers(resource) == {IDENTITY}


def _said(key: Key) -> str:
    return "no key, in plain text" if key == IDENTITY else str(key)


def _told(prefix: str) -> str:
    if prefix == PLAIN:
        return "in plain text"
    return prefix if prefix == UNRECOGNISED else f"under «{prefix}»"


def worst(statuses: Iterable[Status]) -> Status:
    """What several findings on one thing come to."""
    found = set(statuses)
    return next((each for each in _WORST_FIRST if each in found), "not_applicable")


_WORST_FIRST: tuple[Status, ...] = ("fail", "unknown", "waived", "pass", "not_applicable")
