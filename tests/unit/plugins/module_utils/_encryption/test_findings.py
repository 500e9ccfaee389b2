# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of a cluster's encryption: what was seen in etcd and at each server counts, and nothing else passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._findings import (
    by_benchmark,
    findings_of,
    previewed,
    unseen_findings,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._inspected import (
    Demanded,
    Inspected,
    NodeFile,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._records import Snapshot
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import (
    IDENTITY,
    Facts,
    Histogram,
    Intent,
    Key,
    Providers,
    Server,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._soundness import Remark
from ansible_collections.hardening.kubernetes.plugins.module_utils._node._etcd import PLAIN, UNRECOGNISED
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NEW = Key("secretbox", "k20261101000000-0a1b2c3d", "0a1b2c3d00000000")
OLD = Key("secretbox", "k20250101000000-11112222", "1111222200000000")
HAND_MADE = Key("aescbc", "key1", "ffffffffffffffff")
KMS = Key("kms_v2", "vault")
TIGHT = (NodeFile("/e", "0700", 0, "directory"), NodeFile("/e/c.json", "0600", 0, "file"))
SECRETS = Demanded(("secrets",), age_days=365)
NAMES = ("cp1", "cp2", "cp3")

Counts = Mapping[str, int]


def server(name: str, providers: Providers, **changes: Any) -> Server:
    return Server(name, **({"loaded": providers, "file": providers} | changes))


def inspected(
    providers: Providers, counts: Mapping[str, Counts], *, names: tuple[str, ...] = NAMES, **changes: Any
) -> Inspected:
    """A cluster whose servers all have loaded the same, and with a scan that saw everything."""
    counted = {resource: sum(found.values()) for resource, found in counts.items()}
    facts = Facts(tuple(server(name, providers) for name in names), Histogram(counts, counted))
    seen = Inspected(
        facts,
        NOW,
        remarks=dict.fromkeys(names, ()),
        files=dict.fromkeys(names, TIGHT if providers else ()),
        upgrade="kept" if providers else "lost",
    )
    return replace(seen, **changes)


def with_facts(seen: Inspected, **changes: Any) -> Inspected:
    return replace(seen, facts=replace(seen.facts, **changes))


def with_server(seen: Inspected, name: str, **changes: Any) -> Inspected:
    servers = tuple(replace(each, **changes) if each.name == name else each for each in seen.facts.servers)
    return with_facts(seen, servers=servers)


def found(seen: Inspected, control: str, demanded: Demanded = SECRETS) -> list[Finding]:
    return [each for each in findings_of(seen, demanded) if each.control == f"encryption.{control}"]


def only(seen: Inspected, control: str, demanded: Demanded = SECRETS) -> Finding:
    (finding,) = found(seen, control, demanded)
    return finding


def status(seen: Inspected, control: str, demanded: Demanded = SECRETS) -> str:
    statuses = {each.status for each in found(seen, control, demanded)}
    assert len(statuses) == 1, found(seen, control, demanded)
    return statuses.pop()


GOOD = inspected({"secrets": (NEW,)}, {"secrets": {NEW.prefix: 10_000}})
PLAIN_CLUSTER = inspected({}, {"secrets": {PLAIN: 7}})


def test_all_is_in_order_where_every_value_and_every_server_is() -> None:
    told = findings_of(GOOD, SECRETS)
    assert {each.status for each in told} == {"pass"}
    assert all(each.evidence and each.remedy == "" for each in told)
    assert len({each.control for each in told}) == 13
    assert by_benchmark(told) == {"CIS 1.12": {"1.2.27": "pass", "1.2.28": "pass"}}
    at_rest = only(GOOD, "at_rest")
    assert (at_rest.subject, at_rest.proof) == ("Resource/secrets", "effect")
    assert at_rest.evidence == f"etcd holds 10000 values: 10000 under «{NEW.prefix}»"


def test_a_cluster_that_encrypts_nothing_fails_by_what_lies_in_etcd() -> None:
    at_rest = only(PLAIN_CLUSTER, "at_rest")
    assert (at_rest.status, at_rest.proof) == ("fail", "effect")
    assert "7 in plain text" in at_rest.evidence
    assert "enforce" in at_rest.remedy
    assert status(PLAIN_CLUSTER, "provider") == "fail"
    assert by_benchmark(findings_of(PLAIN_CLUSTER, SECRETS))["CIS 1.12"] == {"1.2.27": "fail", "1.2.28": "fail"}
    for silent in ("servers", "old_keys", "plain_text", "stragglers", "keys", "files", "upgrade"):
        assert status(PLAIN_CLUSTER, silent) == "not_applicable", silent
    assert found(PLAIN_CLUSTER, "backups") == found(PLAIN_CLUSTER, "key_age") == []


@pytest.mark.parametrize("control", ["at_rest", "provider", "stragglers", "prefixes"])
def test_nothing_passes_that_was_not_seen_whole(control: str) -> None:
    scan = GOOD.facts.histogram
    assert scan is not None
    for unseen in (
        with_facts(GOOD, histogram=None, unscannable="the gateway of etcd is off (--enable-grpc-gateway)"),
        with_facts(GOOD, histogram=None),
        with_facts(GOOD, histogram=replace(scan, counts={})),
        with_facts(GOOD, histogram=replace(scan, counted={})),
        with_facts(GOOD, histogram=replace(scan, counted={"secrets": 10_001})),
    ):
        finding = only(unseen, control)
        assert finding.status == "unknown", finding
        assert finding.evidence
        assert finding.remedy
    off = with_facts(GOOD, histogram=None, unscannable="the gateway of etcd is off (--enable-grpc-gateway)")
    assert "--enable-grpc-gateway" in only(off, control).evidence


@pytest.mark.parametrize("control", ["at_rest", "provider", "stragglers", "prefixes"])
def test_where_there_are_no_objects_there_is_nothing_to_judge(control: str) -> None:
    assert status(inspected({"secrets": (NEW,)}, {"secrets": {}}), control) == "not_applicable"


def test_without_objects_it_counts_what_the_servers_would_write() -> None:
    for providers in ({}, {"secrets": (IDENTITY, NEW)}, {"secrets": (Key("aesgcm", "g", "00"),)}):
        finding = only(inspected(providers, {"secrets": {}}), "provider")
        assert (finding.status, finding.proof) == ("fail", "server"), providers


def test_every_group_is_judged_and_not_only_the_first_one() -> None:
    seen = inspected(
        {"secrets": (NEW,), "configmaps": (IDENTITY, NEW), "*.apps": (Key("aesgcm", "g", "00"),)},
        {"secrets": {NEW.prefix: 5}, "configmaps": {PLAIN: 3}, "*.apps": {"k8s:enc:aesgcm:v1:g:": 2}},
    )
    demanded = Demanded(("secrets", "configmaps"))
    at_rest = {each.subject: each.status for each in found(seen, "at_rest", demanded)}
    assert at_rest == {"Resource/secrets": "pass", "Resource/configmaps": "fail", "Resource/*.apps": "pass"}
    provider = {each.subject: each.status for each in found(seen, "provider", demanded)}
    assert provider == {"Resource/secrets": "pass", "Resource/configmaps": "fail", "Resource/*.apps": "fail"}
    assert by_benchmark(findings_of(seen, demanded))["CIS 1.12"] == {"1.2.27": "fail", "1.2.28": "fail"}


def test_what_is_left_out_on_purpose_is_not_judged_unless_it_is_demanded() -> None:
    seen = inspected(
        {"events": (IDENTITY,), "*.*": (NEW,)}, {"events": {PLAIN: 9}, "*.*": {NEW.prefix: 50}}, names=("cp1",)
    )
    told = {(each.control, each.subject): each.status for each in findings_of(seen, Demanded(("*.*",)))}
    assert told["encryption.at_rest", "Resource/events"] == "not_applicable"
    assert told["encryption.provider", "Resource/events"] == "not_applicable"
    assert told["encryption.at_rest", "Resource/*.*"] == "pass"
    assert [each.status for each in found(seen, "at_rest", Demanded(("events", "*.*")))] == ["pass", "fail"]


@pytest.mark.parametrize(
    ("key", "wanted", "expected"),
    [
        (NEW, "", "pass"),
        (HAND_MADE, "", "pass"),
        (KMS, "", "pass"),
        (KMS, "kms", "pass"),
        (Key("kms_v1", "vault"), "", "pass"),
        (Key("kms_v1", "vault"), "kms", "fail"),
        (HAND_MADE, "secretbox", "fail"),
        (Key("aesgcm", "g", "00"), "", "fail"),
        (Key("aesgcm", "g", "00"), "aesgcm", "fail"),
        (IDENTITY, "", "fail"),
    ],
)
def test_a_provider_is_judged_by_what_it_wrote(key: Key, wanted: str, expected: str) -> None:
    seen = inspected({"secrets": (key,)}, {"secrets": {key.prefix: 4}})
    finding = only(seen, "provider", Demanded(("secrets",), provider=wanted))
    assert (finding.status, finding.proof) == (expected, "effect")


def test_aesgcm_tells_how_long_its_key_lasts() -> None:
    finding = only(inspected({"secrets": (Key("aesgcm", "g", "0"),)}, {"secrets": {}}, aesgcm_writes=1234), "provider")
    assert "is spent after 200,000 writes, at least 1,234 are done" in finding.evidence
    assert "waive" in finding.remedy


def test_values_of_a_former_key_or_of_a_former_key_of_the_kms_are_stragglers() -> None:
    seen = inspected({"secrets": (NEW, OLD)}, {"secrets": {NEW.prefix: 8, OLD.prefix: 2}})
    finding = only(seen, "stragglers")
    assert (finding.status, finding.proof) == ("fail", "effect")
    assert f"2 under «{OLD.prefix}»" in finding.evidence
    assert only(seen, "at_rest").status == "pass"
    within = inspected({"secrets": (KMS,)}, {"secrets": {KMS.prefix: 8}})
    scan = Histogram({"secrets": {KMS.prefix: 8}}, {"secrets": 8}, outdated={"secrets": 3})
    assert (
        "3 were written under a former key of the KMS"
        in only(with_facts(within, histogram=scan), "stragglers").evidence
    )


def test_which_are_stragglers_is_not_known_while_servers_differ() -> None:
    seen = with_server(GOOD, "cp2", loaded={"secrets": (OLD, NEW)}, file={"secrets": (OLD, NEW)})
    assert only(seen, "stragglers").status == "unknown"
    assert only(with_server(GOOD, "cp2", loaded=None), "stragglers").status == "unknown"


def test_a_prefix_that_no_key_writes_is_a_failure_that_names_it() -> None:
    seen = inspected({"secrets": (NEW,)}, {"secrets": {NEW.prefix: 8, "k8s:enc:secretbox:v1:gone:": 1}})
    finding = only(seen, "prefixes")
    assert finding.status == "fail"
    assert "k8s:enc:secretbox:v1:gone:" in finding.evidence
    assert only(seen, "at_rest").status == "pass"
    assert only(with_facts(seen, escrow=frozenset({Key("secretbox", "gone", "12")})), "prefixes").status == "pass"


def test_a_value_that_is_neither_is_never_a_pass() -> None:
    seen = inspected({"secrets": (NEW,)}, {"secrets": {NEW.prefix: 8, UNRECOGNISED: 1}})
    assert only(seen, "prefixes").status == "fail"
    assert only(seen, "at_rest").status == only(seen, "provider").status == "unknown"


@pytest.mark.parametrize(
    ("changes", "expected", "words"),
    [
        ({"state": "unanswered", "trouble": "connection refused"}, "unknown", "connection refused"),
        ({"state": "stopped", "loaded": None}, "unknown", "stopped"),
        ({"loaded": None, "trouble": "sha256:12 is on no node"}, "unknown", "sha256:12"),
        ({"file": None, "trouble": "it is not base64"}, "fail", "not base64"),
        ({"loaded": {"secrets": (OLD,)}}, "fail", "cannot read 10000 values of secrets"),
        ({"loaded": {"secrets": (NEW, OLD)}}, "fail", "on its node lies"),
        ({"loaded": {"secrets": (NEW, OLD)}, "file": {"secrets": (NEW, OLD)}}, "fail", "something else"),
        ({"loaded": {}, "file": {}}, "fail", "cannot read"),
    ],
)
def test_a_server_that_is_otherwise_than_the_rest_is_told(changes: dict[str, Any], expected: str, words: str) -> None:
    seen = with_server(GOOD, "cp2", **changes)
    (finding,) = [each for each in found(seen, "servers") if each.subject == "APIServer/cp2"]
    assert finding.status == expected
    assert words in finding.evidence
    assert finding.remedy


def test_a_server_that_is_too_old_to_say_what_it_has_loaded_is_to_be_upgraded() -> None:
    seen = with_server(GOOD, "cp2", loaded=None, trouble="v1.33.9 does not say it", version="v1.33.9")
    (finding,) = [each for each in found(seen, "servers") if each.subject == "APIServer/cp2"]
    assert finding.status == "unknown" and "v1.33.9" in finding.evidence
    assert finding.remedy == "Upgrade the control plane to 1.34 or newer."


def test_what_a_server_has_loaded_is_told_with_fingerprints() -> None:
    (first, *_rest) = found(GOOD, "servers")
    assert first.evidence == f"it says itself that it has loaded secrets written with {NEW} ({NEW.fingerprint})"


def test_a_server_that_only_some_sources_know_is_not_proved() -> None:
    seen = with_facts(GOOD, sources={"EndpointSlice": frozenset(NAMES), "inventory": frozenset({"cp1", "cp2"})})
    (finding,) = [each for each in found(seen, "servers") if each.subject == "Cluster/kube-apiserver"]
    assert finding.status == "unknown"
    assert "inventory does not know the API server cp3" in finding.evidence


def test_where_nobody_tells_which_servers_there_are_it_is_not_known_whether_all_were_asked() -> None:
    (finding,) = [
        each for each in found(replace(GOOD, untold="Leases may not be listed"), "servers") if each.status != "pass"
    ]
    assert (finding.subject, finding.status, finding.proof) == ("Cluster/kube-apiserver", "unknown", "none")
    assert finding.evidence == "Leases may not be listed"


def test_a_former_key_is_to_be_dropped_once_nothing_needs_it() -> None:
    unneeded = inspected({"secrets": (NEW, OLD)}, {"secrets": {NEW.prefix: 8}})
    finding = only(unneeded, "old_keys")
    assert finding.status == "fail"
    assert OLD.fingerprint in finding.evidence
    needed = inspected({"secrets": (NEW, OLD)}, {"secrets": {NEW.prefix: 8, OLD.prefix: 1}})
    assert only(needed, "old_keys").status == "pass"
    assert only(with_facts(unneeded, histogram=None), "old_keys").status == "unknown"
    assert only(with_facts(GOOD, histogram=None), "old_keys").status == "pass"
    assert only(with_server(GOOD, "cp1", loaded=None), "old_keys").status == "unknown"


def test_the_key_of_a_change_that_lies_open_is_no_old_one() -> None:
    seen = with_facts(
        inspected({"secrets": (OLD, NEW)}, {"secrets": {OLD.prefix: 8}}),
        intent=Intent("rotate", {"secrets": NEW}, {"secrets": OLD}),
    )
    assert only(seen, "old_keys").status == "pass"
    assert "encryption.finished" in only(seen, "old_keys").evidence
    assert only(with_facts(seen, intent=None), "old_keys").status == "fail"


def test_plain_text_among_the_readers_is_told_unless_it_is_asked_for() -> None:
    seen = inspected({"secrets": (NEW, IDENTITY)}, {"secrets": {NEW.prefix: 8}})
    assert only(seen, "plain_text").status == "fail"
    assert only(seen, "old_keys").status == "pass"
    assert only(seen, "plain_text", replace(SECRETS, plain_text=True)).status == "not_applicable"


def test_a_change_of_keys_that_lies_open_is_told() -> None:
    intent = Intent("rotate", {"secrets": NEW}, {"secrets": OLD})
    finding = only(with_facts(GOOD, intent=intent), "finished")
    assert finding.status == "fail"
    assert "rotate" in finding.evidence
    assert only(replace(GOOD, files={"cp1": TIGHT}), "finished").status == "unknown"


def test_the_age_of_a_key_is_in_its_name() -> None:
    assert "21 days" in only(GOOD, "key_age").evidence
    old = inspected({"secrets": (OLD,)}, {"secrets": {OLD.prefix: 1}})
    finding = only(old, "key_age")
    assert (finding.status, finding.subject) == ("fail", f"Key/secretbox/{OLD.name}")
    assert "rotate_encryption_key" in finding.remedy
    assert only(old, "key_age", Demanded(("secrets",))).status == "not_applicable"


def test_the_age_of_a_foreign_key_is_known_only_to_be_too_high() -> None:
    seen = inspected({"secrets": (HAND_MADE,)}, {"secrets": {HAND_MADE.prefix: 1}})
    assert only(seen, "key_age").status == "unknown"
    lately = replace(seen, since={HAND_MADE: datetime(2026, 11, 1, tzinfo=UTC)})
    assert only(lately, "key_age").status == "unknown"
    long_ago = replace(seen, since={HAND_MADE: datetime(2025, 11, 1, tzinfo=UTC)})
    assert only(long_ago, "key_age").status == "fail"
    nonsense = Key("secretbox", "k99999999999999-0a1b2c3d", "00")
    assert only(inspected({"secrets": (nonsense,)}, {"secrets": {}}), "key_age").status == "unknown"
    assert only(inspected({"secrets": (KMS,)}, {"secrets": {}}), "key_age").status == "not_applicable"


def test_keys_that_look_typed_are_told_and_remarks_on_resources_left_to_their_controls() -> None:
    typed = Remark("The key looks typed.", "Rotate it now.")
    plain = Remark("secrets are read in plain text too.", "Take it out.", "secrets")
    seen = replace(GOOD, remarks={"cp1": (typed, plain), "cp2": (plain,)})
    assert [each.status for each in found(seen, "keys")] == ["fail", "pass", "unknown"]
    assert found(seen, "keys")[0].evidence == typed.told


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (NodeFile("/e/c.json", "0600", 0, "file"), "pass"),
        (NodeFile("/e/c.json", "0400", 0, "file"), "pass"),
        (NodeFile("/e/c.json", "0640", 0, "file"), "fail"),
        (NodeFile("/e/c.json", "0600", 1000, "file"), "fail"),
        (NodeFile("/e", "0755", 0, "directory"), "fail"),
        (NodeFile("/e/c.json", "0600", 0, "link"), "fail"),
    ],
)
def test_nobody_but_root_may_read_files_with_keys(file: NodeFile, expected: str) -> None:
    seen = replace(GOOD, files={"cp1": (file,), "cp2": TIGHT})
    assert [each.status for each in found(seen, "files")] == [expected, "pass", "unknown"]
    assert f"{file.path} {file.mode}" in found(seen, "files")[0].evidence


@pytest.mark.parametrize(
    ("upgrade", "expected"),
    [("kept", "pass"), ("lost", "fail"), ("unseen", "unknown"), ("not_kubeadm", "not_applicable")],
)
def test_kubeadm_has_to_keep_the_encryption(upgrade: str, expected: str) -> None:
    assert status(replace(GOOD, upgrade=upgrade, upgrade_told="because"), "upgrade") == expected


def test_a_key_that_something_needs_lies_in_more_than_one_place() -> None:
    assert status(GOOD, "backups") == "pass"
    lone = inspected({"secrets": (NEW,)}, {"secrets": {NEW.prefix: 1}}, names=("cp1",))
    finding = only(lone, "backups")
    assert finding.status == "fail"
    assert "escrow" in finding.remedy
    for cluster in (lone, GOOD):
        assert status(with_facts(cluster, escrow=frozenset({NEW})), "backups") == "pass"
        assert status(with_facts(cluster, escrow=frozenset()), "backups") == "fail"
        assert status(replace(cluster, vault_trouble="its password is wrong"), "backups") == "unknown"
    unreached = with_facts(lone, servers=(*lone.facts.servers, Server("cp2", None, {}, "unanswered", "gone")))
    assert status(unreached, "backups") == "unknown"


def test_a_snapshot_without_its_key_is_told() -> None:
    snapshot = Snapshot("cp1", "/snapshots/1.db", 7, "sha256:12", "2026-11-22T12:00:00+00:00", (OLD,))
    seen = replace(GOOD, snapshots=(snapshot,))
    told = {each.subject: each for each in found(seen, "backups")}
    finding = told[f"Key/secretbox/{OLD.name}"]
    assert finding.status == "fail"
    assert "/snapshots/1.db on cp1 needs it; it lies on no node" in finding.evidence


def test_where_no_node_can_be_looked_at_nothing_passes() -> None:
    told = unseen_findings(("secrets", "configmaps"), "no node was named", "Name them.")
    assert {each.status for each in told} == {"unknown"}
    assert {each.proof for each in told} == {"none"}
    assert by_benchmark(told) == {"CIS 1.12": {"1.2.27": "unknown", "1.2.28": "unknown"}}


def test_a_preview_tells_what_a_walk_would_mend_and_nothing_else() -> None:
    before = findings_of(PLAIN_CLUSTER, SECRETS)
    expected = {each.control: each.would for each in previewed(before, refused=False, new_key=True)}
    assert expected["encryption.at_rest"] == expected["encryption.provider"] == "pass"
    assert all(each.would == each.status for each in previewed(before, refused=True, new_key=True))
    lost = replace(GOOD, facts=replace(GOOD.facts, histogram=None, unscannable="it is off"))
    assert {each.would for each in previewed(findings_of(lost, SECRETS), False, False)} == {"pass", "unknown"}
    old = inspected({"secrets": (OLD,)}, {"secrets": {OLD.prefix: 1}})
    for new_key, would in ((True, "pass"), (False, "fail")):
        (aged,) = [each for each in previewed(findings_of(old, SECRETS), False, new_key) if "age" in each.control]
        assert aged.would == would
