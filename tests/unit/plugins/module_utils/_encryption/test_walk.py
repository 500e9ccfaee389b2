# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import (
    IDENTITY,
    Action,
    Facts,
    Goal,
    Histogram,
    Intent,
    Key,
    Server,
    State,
    Step,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._standing import (
    Class,
    class_of,
    final,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._walk import (
    FRESH_SECONDS,
    MOST_ROUNDS,
    next_step,
)

from tests.unit.plugins.module_utils._encryption.cluster import (
    GRACE,
    KEYS,
    RESOURCE,
    Cluster,
    Node,
    facts_of,
    letters_of,
    providers_of,
)

TO_B = Goal({RESOURCE: KEYS["B"]}, "rotate")
KEPT = frozenset("AB")


def facts(*loaded: str, stored: str, goal: Goal = TO_B, **changed: Any) -> Facts:
    """Servers that have loaded what lies on their nodes, long ago, and a scan of just now."""
    nodes = tuple(Node(each, each, kept=KEPT, settled=True, canary=True, listed=True) for each in loaded)
    made = facts_of(Cluster(nodes, frozenset(stored), scan=frozenset(stored), conclusive=True), goal)
    return replace(made, **changed)


def told(step: Step) -> tuple[Action, State, dict[str, str]]:
    return step.action, step.state, {name: letters_of(file) for name, file in step.files.items()}


def changed(known: Facts, place: int, **fields: Any) -> Facts:
    servers = list(known.servers)
    servers[place] = replace(servers[place], **fields)
    return replace(known, servers=tuple(servers))


@pytest.mark.parametrize(
    ("loaded", "stored", "expected"),
    [
        (["A", "A", "A"], "A", (Action.CONFIGURE, State.READ_NEW, {"0": "AB", "1": "AB", "2": "AB"})),
        (["A", "AB", "A"], "A", (Action.CONFIGURE, State.READ_NEW, {"0": "AB", "2": "AB"})),
        (["AB", "AB", "AB"], "A", (Action.CONFIGURE, State.WRITE_NEW, {"0": "BA"})),
        (["AB", "BA", "AB"], "A", (Action.CONFIGURE, State.WRITE_NEW, {"0": "BA", "2": "BA"})),
        (["AB", "BA", "AB"], "AB", (Action.CONFIGURE, State.WRITE_NEW, {"0": "BA", "2": "BA"})),
        (["BA", "BA", "BA"], "AB", (Action.REENCRYPT, State.REENCRYPT, {})),
        (["BA", "BA", "BA"], "B", (Action.CONFIGURE, State.DROP_OLD, {"0": "B"})),
        (["B", "BA", "BA"], "B", (Action.CONFIGURE, State.DROP_OLD, {"1": "B"})),
        (["B", "BA", "BA"], "AB", (Action.CONFIGURE, State.READ_NEW, {"0": "BA"})),
        (["A", "BA", "BA"], "AB", (Action.CONFIGURE, State.READ_NEW, {"0": "AB"})),
        (["A", "B", "BA"], "AB", (Action.CONFIGURE, State.READ_NEW, {"0": "AB", "1": "BA"})),
        (["B", "B", "B"], "B", (Action.SCRUB, State.SCRUB, {})),
    ],
)
def test_a_run_goes_on_from_what_it_finds(loaded: list[str], stored: str, expected: Any) -> None:
    assert told(next_step(facts(*loaded, stored=stored, scrubbed=False), TO_B)) == expected


@pytest.mark.parametrize(
    ("loaded", "stored", "back", "expected"),
    [
        (["AB", "A"], "A", "A", (Action.CONFIGURE, State.DROP_OLD, {"0": "A"})),
        (["AB", "BA"], "A", "A", (Action.CONFIGURE, State.WRITE_NEW, {"1": "AB"})),
        (["BA", "BA"], "AB", "A", (Action.CONFIGURE, State.WRITE_NEW, {"0": "AB"})),
        (["AB", "AB"], "AB", "A", (Action.REENCRYPT, State.REENCRYPT, {})),
        (["B", "BA"], "B", "A", (Action.CONFIGURE, State.READ_NEW, {"0": "BA"})),
        (["B", "B"], "B", "A", (Action.CONFIGURE, State.READ_NEW, {"0": "BA", "1": "BA"})),
        (["AI", "AI"], "AI", "I", (Action.CONFIGURE, State.WRITE_NEW, {"0": "IA"})),
        (["IA", ""], "I", "I", (Action.CONFIGURE, State.DROP_OLD, {"0": ""})),
    ],
)
def test_the_way_back_from_each_state(loaded: list[str], stored: str, back: str, expected: Any) -> None:
    goal = Goal({RESOURCE: KEYS[back]}, "roll_back")
    assert told(next_step(facts(*loaded, stored=stored, goal=goal), goal)) == expected


def test_nothing_is_done_where_all_is_as_it_should_be() -> None:
    step = next_step(facts("B", "B", stored="B", intent=None), TO_B)
    assert (step.action, step.state) == (Action.DONE, State.DONE)


def test_the_journal_is_open_before_anything_is_written() -> None:
    known = facts("A", "A", stored="A")
    assert next_step(replace(known, intent=None), TO_B).action is Action.BEGIN
    of_another_goal = Intent("rotate", {RESOURCE: KEYS["C"]}, {})
    assert next_step(replace(known, intent=of_another_goal), TO_B).action is Action.BEGIN
    assert next_step(known, TO_B).action is Action.CONFIGURE


def test_the_new_key_is_kept_everywhere_before_a_server_has_it() -> None:
    known = changed(facts("A", "A", stored="A", available=frozenset({KEYS["B"]})), 1, kept=frozenset())
    step = next_step(known, TO_B)
    assert (step.action, step.servers, step.keys) == (Action.KEEP_KEY, ("1",), (KEYS["B"],))
    in_vault = next_step(replace(facts("A", "A", stored="A"), escrow=frozenset()), TO_B)
    assert (in_vault.action, in_vault.servers, in_vault.keys) == (Action.KEEP_KEY, (), (KEYS["B"],))


def test_the_old_key_is_kept_for_backups_before_it_is_dropped() -> None:
    known = changed(facts("BA", "BA", stored="B"), 0, kept=frozenset())
    step = next_step(known, TO_B)
    assert (step.action, step.servers, step.keys) == (Action.KEEP_KEY, ("0",), (KEYS["A"],))
    in_vault = next_step(replace(known, escrow=frozenset({KEYS["A"], KEYS["B"]})), TO_B)
    assert in_vault.action is Action.CONFIGURE


def test_old_keys_leave_the_nodes_only_where_the_vault_has_them() -> None:
    known = facts("B", "B", stored="B")
    assert next_step(known, TO_B).keys == ()
    with_vault = next_step(replace(known, escrow=frozenset({KEYS["A"], KEYS["B"]})), TO_B)
    assert (with_vault.action, with_vault.keys) == (Action.FINISH, (KEYS["A"],))


def test_a_file_that_is_not_loaded_stops_all_that_builds_on_it() -> None:
    known = changed(facts("BA", "BA", stored="B"), 1, loaded=providers_of("AB"))
    step = next_step(known, TO_B)
    assert (step.action, step.state, step.servers) == (Action.LOAD, State.WRITE_NEW, ("1",))
    assert "loaded, and proved, by 1" in step.why


def test_the_others_follow_only_after_the_canary() -> None:
    known = changed(facts("BA", "AB", stored="A"), 0, canary=False)
    step = next_step(known, TO_B)
    assert (step.action, step.servers) == (Action.TRY, ("0",))


def test_a_former_write_may_be_on_its_way_until_the_grace_is_over() -> None:
    known = changed(facts("BA", "BA", stored="A"), 0, writes_for=GRACE - 7)
    step = next_step(known, TO_B)
    assert (step.action, step.seconds) == (Action.SETTLE, 7)


@pytest.mark.parametrize("age", [21, FRESH_SECONDS + 1])
def test_only_a_fresh_scan_of_after_the_grace_allows_to_drop(age: int) -> None:
    known = facts("BA", "BA", stored="B")
    if age > FRESH_SECONDS:
        known = replace(known, servers=tuple(replace(server, writes_for=10**6) for server in known.servers))
    assert known.histogram
    step = next_step(replace(known, histogram=replace(known.histogram, age=age)), TO_B)
    assert (step.action, step.state) == (Action.SCAN, State.VERIFY)


def test_each_server_lists_everything_before_the_next_drops() -> None:
    known = changed(facts("B", "BA", "BA", stored="B"), 0, listed=False)
    step = next_step(known, TO_B)
    assert (step.action, step.servers) == (Action.LIST, ("0",))


def test_a_value_of_a_former_kms_key_is_rewritten() -> None:
    plugin = Key("kms_v2", "vault")
    goal = Goal({RESOURCE: plugin})
    server = Server("a", {RESOURCE: (plugin,)}, {RESOURCE: (plugin,)}, writes_for=10 * GRACE)
    scan = Histogram({RESOURCE: {plugin.prefix: 5}}, {RESOURCE: 5}, outdated={RESOURCE: 3})
    step = next_step(Facts((server,), scan, grace=GRACE, intent=Intent("rotate", goal.write, {})), goal)
    assert (step.action, step.objects) == (Action.REENCRYPT, 3)


@pytest.mark.parametrize("restarting", ["", "A"])
def test_servers_that_must_restart_get_their_files_one_after_the_other(restarting: str) -> None:
    goal = Goal({RESOURCE: KEYS["B"]})
    stored = restarting or "I"
    known = facts(restarting, restarting, stored=stored, goal=goal)
    if restarting:
        known = replace(known, servers=tuple(replace(each, automatic_reload=False) for each in known.servers))
    assert told(next_step(known, goal)) == (Action.CONFIGURE, State.READ_NEW, {"0": stored + "B"})
    begun = changed(known, 0, file=providers_of(stored + "B"))
    assert (next_step(begun, goal).action, next_step(begun, goal).servers) == (Action.LOAD, ("0",))


def test_a_repair_does_not_wait_for_a_server_that_would_write_what_others_cannot_read() -> None:
    slow = [replace(each, automatic_reload=False) for each in facts("A", "A", stored="A").servers]
    known = replace(facts("A", "A", stored="A"), servers=(replace(slow[0], file=providers_of("BA")), slow[1]))
    assert told(next_step(known, TO_B)) == (Action.CONFIGURE, State.READ_NEW, {"1": "AB"})


def test_a_server_that_lost_its_flags_gets_them_though_it_is_not_ready() -> None:
    known = changed(facts("AI", "AI", stored="A"), 1, loaded={}, file={}, ready=False)
    step = next_step(known, TO_B)
    assert told(step) == (Action.CONFIGURE, State.READ_NEW, {"1": "IAB"})


def test_a_server_that_reads_everything_and_is_not_ready_stops_all_that_builds_on_it() -> None:
    known = changed(facts("A", "A", stored="A"), 1, ready=False, unready=("etcd", "ping"))
    step = next_step(known, TO_B)
    assert step.action is Action.REFUSE and "API server 1 (/readyz: etcd, ping) says that it is not ready" in step.why
    assert next_step(changed(known, 1, ready=True), TO_B).action is not Action.REFUSE


def test_several_resources_walk_together_and_each_keeps_its_own_keys() -> None:
    goal = Goal({"secrets": KEYS["B"], "configmaps": IDENTITY})
    loaded = {"secrets": (KEYS["A"],), "configmaps": (KEYS["C"], IDENTITY)}
    server = Server("a", loaded, loaded, kept=frozenset(KEYS.values()))
    scan = Histogram({"secrets": {KEYS["A"].prefix: 2}, "configmaps": {KEYS["C"].prefix: 1}}, {})
    known = Facts((server,), scan, intent=Intent("rotate", goal.write, {}))
    (file,) = next_step(known, goal).files.values()
    assert file == {"secrets": (KEYS["A"], KEYS["B"]), "configmaps": (KEYS["C"], IDENTITY)}
    (file,) = next_step(changed(known, 0, file=file, loaded=file), goal).files.values()
    assert file == {"secrets": (KEYS["B"], KEYS["A"]), "configmaps": (IDENTITY, KEYS["C"])}
    assert final(goal) == {"secrets": (KEYS["B"],), "configmaps": (IDENTITY,)}


def test_a_server_reads_a_resource_by_the_narrowest_name_that_it_has() -> None:
    goal = Goal({"secrets": KEYS["B"], "*.*": KEYS["B"]})
    wide, narrow = {"*.*": (KEYS["A"],)}, {"*.*": (KEYS["A"],), "secrets": (KEYS["C"],)}
    kept = frozenset(KEYS.values())
    servers = (Server("a", wide, wide, kept=kept), Server("b", narrow, narrow, kept=kept))
    scan = Histogram({"secrets": {KEYS["C"].prefix: 1}, "*.*": {KEYS["A"].prefix: 1}}, {})
    step = next_step(Facts(servers, scan, intent=Intent("rotate", goal.write, {})), goal)
    assert step.files == {
        "a": {"secrets": (KEYS["A"], KEYS["B"], KEYS["C"]), "*.*": (KEYS["A"], KEYS["B"])},
        "b": {"secrets": (KEYS["C"], KEYS["A"], KEYS["B"]), "*.*": (KEYS["A"], KEYS["B"])},
    }


def test_a_key_that_shall_stay_readable_is_read_in_the_end() -> None:
    goal = Goal({RESOURCE: KEYS["B"]}, keeps=(IDENTITY,))
    assert told(next_step(facts("BAI", stored="B", goal=goal), goal))[2] == {"0": "BI"}


@pytest.mark.parametrize(
    ("letters", "expected"),
    [("A", Class.OLD), ("AB", Class.READS_NEW), ("BA", Class.WRITES_NEW), ("B", Class.OLD_DROPPED), ("", Class.OLD)],
)
def test_how_far_a_configuration_is(letters: str, expected: Class) -> None:
    assert class_of(providers_of(letters), TO_B) is expected


def test_after_the_last_round_a_human_has_to_look() -> None:
    step = next_step(facts("BA", "BA", stored="AB", rounds=MOST_ROUNDS), TO_B)
    assert (step.action, step.state) == (Action.REFUSE, State.REENCRYPT)
    assert "the old key stays" in step.why


def test_what_cannot_be_rewritten_is_named_and_keeps_the_old_key() -> None:
    step = next_step(facts("BA", "BA", stored="AB", stuck=("default/one", "default/two")), TO_B)
    assert (step.action, step.state) == (Action.REFUSE, State.REENCRYPT)
    assert step.why.startswith("2 of the objects could not be rewritten: default/one, default/two.")


def test_fewer_values_than_the_api_counts_are_no_proof() -> None:
    known = facts("BA", "BA", stored="B")
    assert known.histogram
    step = next_step(replace(known, histogram=replace(known.histogram, counted={RESOURCE: 2})), TO_B)
    assert (step.action, step.state) == (Action.REFUSE, State.VERIFY)
    assert "secrets (1 and 2)" in step.why
