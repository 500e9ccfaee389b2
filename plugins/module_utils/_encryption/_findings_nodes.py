# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: findings about the keys themselves, the files that hold them, and what outlasts a node."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._findings_stored import ENFORCE
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._inspected import (
    Demanded,
    Inspected,
    NodeFile,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import IDENTITY, Key
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._standing import on_disk
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding, judged

KUBEADM = "ConfigMap/kube-system/kubeadm-config"

_OUR_NAME = re.compile(r"k(\d{14})-[0-9a-f]{8}")
_ROTATE = "Rotate it: ansible-playbook hardening.kubernetes.rotate_encryption_key"
_PUT_THERE = (
    "It puts the keys there that are in use. One that only a snapshot needs is in keys.json of "
    "/etc/kubernetes/hardening on these nodes: put it there yourself."
)
_LOOSEST = {"file": 0o600, "directory": 0o700}
_SAFE_PLACES = 2


def born(key: Key) -> datetime | None:
    """When a key was made, which the names of ours tell."""
    found = _OUR_NAME.fullmatch(key.name)
    try:
        return datetime.strptime(found[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC) if found else None
    except ValueError:
        return None


def subject_of(key: Key) -> str:
    """How findings name a key."""
    return f"Key/{key.provider}/{key.name}"


def age_findings(seen: Inspected, demanded: Demanded, resources: frozenset[str]) -> Iterator[Finding]:
    """``encryption.key_age`` of each key that any server writes with."""
    writers = frozenset(key for resource in resources for key in seen.writers(resource)) - {IDENTITY}
    for key in sorted(writers):
        yield _age(seen, key, demanded.age_days)


def _age(seen: Inspected, key: Key, most: int) -> Finding:
    control, subject = "encryption.key_age", subject_of(key)
    if not most:
        return Finding(control, subject, "not_applicable", "any age is allowed", "none")
    if not key.has_material:
        return Finding(control, subject, "not_applicable", "the KMS itself rotates its keys", "none")
    made, first_seen = born(key), seen.since.get(key)
    known = made or first_seen
    days = (seen.now - known).days if known else 0
    told = (
        f"it was {'made' if made else 'first seen'} {days} days ago, {most} are allowed (fingerprint {key.fingerprint})"
    )
    if known and days > most:
        return judged(control, subject, "fail", told, "config", _ROTATE)
    if made:
        return judged(control, subject, "pass", told, "config")
    return judged(
        control,
        subject,
        "unknown",
        f"its name does not tell when it was made{', ' + told if known else f' (fingerprint {key.fingerprint})'}",
        "none",
        f"{_ROTATE}. The names of keys that it makes tell their time.",
    )


def configuration_findings(seen: Inspected) -> Iterator[Finding]:
    """``encryption.keys`` of each node: what is to be said against its file, apart from single resources."""
    control = "encryption.keys"
    for server in seen.facts.servers:
        subject = f"Node/{server.name}"
        remarks = seen.remarks.get(server.name)
        if remarks is None:
            told = f"its configuration could not be read ({server.trouble or 'it was not looked at'})"
            yield judged(control, subject, "unknown", told, "none", "Make the file readable, then check again.")
            continue
        about_keys = [remark for remark in remarks if not remark.resource]
        if about_keys:
            evidence = " ".join(remark.told for remark in about_keys)
            remedy = " ".join(dict.fromkeys(remark.remedy for remark in about_keys))
            yield judged(control, subject, "fail", evidence, "config", remedy)
        elif not server.file:
            yield Finding(control, subject, "not_applicable", "it has no encryption configuration", "config")
        else:
            count = len({key for keys in server.file.values() for key in keys if key.has_material})
            told = f"of {count} {'key' if count == 1 else 'keys'} none looks typed, and none is there twice"
            yield judged(control, subject, "pass", told, "config")


def file_findings(seen: Inspected) -> Iterator[Finding]:
    """``encryption.files`` of each node."""
    control = "encryption.files"
    for server in seen.facts.servers:
        subject, files = f"Node/{server.name}", seen.files.get(server.name)
        if files is None:
            told = "its files could not be looked at"
            yield judged(control, subject, "unknown", told, "none", "Make the node reachable, then check again.")
            continue
        wrong = [_file_said(file) for file in files if not _is_tight(file)]
        if wrong:
            remedy = "As root: chown root:root, chmod 0600 the files and 0700 the directories."
            yield judged(control, subject, "fail", ", ".join(wrong), "config", remedy)
        elif not files:
            yield Finding(control, subject, "not_applicable", "it has no files with keys", "config")
        else:
            yield judged(control, subject, "pass", ", ".join(map(_file_said, files)), "config")


def _is_tight(file: NodeFile) -> bool:
    loosest = _LOOSEST.get(file.kind)
    return loosest is not None and file.owner == 0 and not int(file.mode, 8) & ~loosest


def _file_said(file: NodeFile) -> str:
    owner = "root" if file.owner == 0 else f"user {file.owner}"
    strange = "" if file.kind in _LOOSEST else f", a {file.kind}"
    return f"{file.path} {file.mode} of {owner}{strange}"


def upgrade_finding(seen: Inspected) -> Finding:
    """Whether what kubeadm writes at its next upgrade has the encryption too."""
    control = "encryption.upgrade"
    if seen.upgrade == "not_kubeadm":
        return Finding(control, KUBEADM, "not_applicable", "kubeadm does not look after this cluster", "config")
    if not seen.configured:
        return Finding(control, KUBEADM, "not_applicable", "no server has an encryption configuration", "config")
    if seen.upgrade == "kept":
        return judged(control, KUBEADM, "pass", "it has the flags and the mount of the directory", "config")
    if seen.upgrade == "lost":
        told = f"the next upgrade, and a node that joins, would go without the encryption: {seen.upgrade_told}"
        return judged(control, KUBEADM, "fail", told, "config", f"{ENFORCE} It writes them there as its last step.")
    told = f"it could not be read: {seen.upgrade_told or 'it was not looked at'}"
    return judged(control, KUBEADM, "unknown", told, "none", "Let the user of this check get it, then check again.")


def backup_findings(seen: Inspected) -> Iterator[Finding]:
    """``encryption.backups`` of each key without which something in etcd, or in a snapshot of it, is lost."""
    scan = seen.facts.histogram
    stored = {prefix for counts in (scan.counts.values() if scan else ()) for prefix, n in counts.items() if n}
    needed = {key for prefix, key in seen.known.items() if prefix in stored}
    needed |= {key for resource in seen.configured for key in seen.writers(resource)}
    by_snapshot = {key: snapshot for snapshot in seen.snapshots for key in snapshot.keys}
    for key in sorted(each for each in needed.union(by_snapshot) if each.has_material):
        what = "" if key in needed else f"the snapshot {by_snapshot[key].path} on {by_snapshot[key].node} needs it; "
        yield _backup(seen, key, what)


def _backup(seen: Inspected, key: Key, what: str) -> Finding:
    control, subject = "encryption.backups", subject_of(key)
    nodes = [server.name for server in seen.facts.servers if key in on_disk(server)]
    fingerprint = f" (fingerprint {key.fingerprint})"
    if key in (seen.facts.escrow or ()):
        return judged(control, subject, "pass", f"{what}the vault has it{fingerprint}", "config")
    where = f"it lies on {', '.join(nodes)}" if nodes else "it lies on no node"
    if seen.vault_trouble:
        told = f"{what}{where}; the vault could not be looked into: {seen.vault_trouble}"
        return judged(control, subject, "unknown", told, "none", "Make the vault answer, then check again.")
    if seen.facts.escrow is not None:
        told = f"{what}{where}{fingerprint}, and the vault does not have it"
        return judged(control, subject, "fail", told, "config", f"{ENFORCE} {_PUT_THERE}")
    if len(nodes) >= _SAFE_PLACES:
        told = f"{what}{where}{fingerprint}; no vault is named, so whatever takes these nodes takes all backups too"
        return judged(control, subject, "pass", told, "config")
    if len(nodes) + len(seen.unproved()) >= _SAFE_PLACES:
        told = f"{what}{where}; not every node could be looked at"
        return judged(control, subject, "unknown", told, "none", "Make every node reachable, then check again.")
    told = f"{what}{where}{' alone' if nodes else ''}{fingerprint}: with that disk every backup of etcd is lost"
    remedy = "Name a vault by escrow, or keep a copy of the key where backups are kept, then waive this."
    return judged(control, subject, "fail", told, "config", remedy)
