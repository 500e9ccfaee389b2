# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the next step towards a goal, decided from facts alone.

Kubernetes' «Rotate a decryption key» gives the order for several API servers: read key everywhere, write key
everywhere, rewrite all, drop the old key. Here this is a list of rules, and the first one that has something to do says
the next step. None of them knows what was done before, so a run that was cut off anywhere goes on from what it finds,
and enabling, rotating, disabling and rolling back are one walk with different keys.

1. Refuse what is unsound or unknown. Nothing is decided before etcd was scanned, and nothing done before the journal is
   open.
2. What is used is read everywhere: a server that could not read a value that is in etcd, or that another server may
   write, gets that key first. Its own write key stays.
3. Every server has loaded what lies on its node, and proves it, before anything builds on it.
4. The new key is kept on every node and in the vault before any server may write with it.
5. Every server reads the new key before one writes with it.
6. One server writes with it, and the others read what it wrote, before the others write with it.
7. No request of a server that wrote with another key is on its way any more.
8. Every value that another key wrote is rewritten.
9. A scan that began after all this finds no value of another key, and as many values as the API counts.
10. One server after the other drops what is not needed, each after all have listed every object and etcd was scanned
    once more.
11. Old bytes are removed from etcd, then the journal is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._configuration import keys_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._refusals import (
    AFTER_SCAN,
    BEFORE_ANYTHING,
    Refusal,
    refused,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import (
    Action,
    Facts,
    Goal,
    Key,
    Server,
    State,
    Step,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._standing import (
    Standing,
    final,
    on_disk,
    possible,
    standing,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._steps import configure, keep, load

FRESH_SECONDS = 60
"""A scan that ended earlier does not allow to drop a key: it is the last that is done before."""
MOST_ROUNDS = 3
"""How often the objects are gone through before a human has to look."""


def next_step(facts: Facts, goal: Goal) -> Step:
    """What is to be done now."""
    seen = standing(facts, goal)
    for rule in _RULES:
        if step := rule(seen):
            return step
    return Step(Action.DONE, State.DONE, "Every value is as it should be, and every server has loaded the same.")


def _refuse_unsound(seen: Standing) -> Step | None:
    return _refused(seen, BEFORE_ANYTHING)


def _scan_first(seen: Standing) -> Step | None:
    if seen.facts.histogram:
        return None
    written = all(seen.writers(server) == seen.goal.write for server in seen.facts.servers)
    state = State.VERIFY if written else State.PREFLIGHT
    return Step(Action.SCAN, state, "It is not known which keys wrote the values that are in etcd now.")


def _refuse_unreadable(seen: Standing) -> Step | None:
    return _refused(seen, AFTER_SCAN)


def _refused(seen: Standing, refusals: Iterable[Refusal]) -> Step | None:
    reasons = refused(seen, refusals)
    return Step(Action.REFUSE, State.PREFLIGHT, "\n".join(reasons)) if reasons else None


def _refuse_hindered(seen: Standing) -> Step | None:
    """Where there is anything to do, unless a server cannot read what is used: that comes first, whatever hinders."""
    is_work = _not_final(seen) or seen.stragglers() or seen.facts.intent
    if not seen.facts.hindrances or not is_work or seen.lacking(seen.used) or seen.pending():
        return None
    return Step(Action.REFUSE, State.PREFLIGHT, "\n".join(seen.facts.hindrances))


def _begin(seen: Standing) -> Step | None:
    intent = seen.facts.intent
    is_open = intent is not None and intent.write == seen.goal.write
    if is_open or seen.facts.hindrances or not (_not_final(seen) or seen.stragglers()):
        return None
    return Step(Action.BEGIN, State.PLAN, "Another run has to know what was begun, should this one not finish.")


def _read_what_is_used(seen: Standing) -> Step | None:
    """A server that comes back with an old file is repaired here too, before it starts."""
    files = {server.name: seen.reading_all(seen.writers(server)) for server in seen.lacking(seen.used)}
    why = "Values in etcd, or what another server may write, could not be read by all servers: they get the keys first."
    return configure(seen, files, State.READ_NEW, why)


def _refuse_stopped(seen: Standing) -> Step | None:
    """A server that is off may start at any moment, and cannot prove what it will load."""
    stopped = [server.name for server in seen.facts.servers if server.state == "stopped"]
    if not stopped:
        return None
    why = (
        f"The API server {', '.join(stopped)} is not running, so it cannot prove what it loads. Its file reads every"
        " value: start it, or remove its node from the cluster, and run again."
    )
    return Step(Action.REFUSE, State.PREFLIGHT, why)


def _load_files(seen: Standing) -> Step | None:
    pending = seen.pending()
    return load(seen, pending) if pending else None


def _refuse_not_ready(seen: Standing) -> Step | None:
    """Not before its repair: a server that cannot read its own Secrets is not ready for that."""
    not_ready = [_with_checks(server) for server in seen.facts.servers if not server.ready]
    if not not_ready:
        return None
    why = (
        f"The API server {', '.join(not_ready)} says that it is not ready, though it has loaded a configuration that"
        " reads every value: see what its log complains of, correct that, and run again."
    )
    return Step(Action.REFUSE, State.PREFLIGHT, why)


def _with_checks(server: Server) -> str:
    return f"{server.name} (/readyz: {', '.join(server.unready)})" if server.unready else server.name


def _keep_new(seen: Standing) -> Step | None:
    keys = {key for key in seen.goal.write.values() if key.has_material}
    why = "The new key has to lie on every node, and in the vault, before anything is written with it."
    return keep(seen, lambda server: keys - on_disk(server), keys, State.PLAN, why)


def _read_new(seen: Standing) -> Step | None:
    new = {resource: frozenset({key}) for resource, key in seen.goal.write.items()}
    files = {server.name: seen.reading_all(seen.writers(server)) for server in seen.lacking(new)}
    why = "Every server has to read the new key before one writes with it."
    return configure(seen, files, State.READ_NEW, why)


def _write_new(seen: Standing) -> Step | None:
    """One server first: what it writes shows whether the others can read it."""
    writing = [server for server in seen.facts.servers if seen.writers(server) == seen.goal.write]
    rest = [server.name for server in seen.facts.servers if server not in writing]
    if not rest:
        return None
    files = dict.fromkeys(rest, seen.reading_all(seen.goal.write))
    if not writing:
        why = "Every server reads the new key: one writes with it first, and the others show that they read that."
        return configure(seen, dict(list(files.items())[:1]), State.WRITE_NEW, why)
    if not any(server.canary for server in writing):
        why = "What the first server writes has to be read by every other, and seen in etcd, before the others follow."
        return Step(Action.TRY, State.WRITE_NEW, why, (writing[0].name,))
    why = "What the first server writes with the new key is read by all: the others write with it too."
    return configure(seen, files, State.WRITE_NEW, why)


def _settle(seen: Standing) -> Step | None:
    seconds = seen.facts.grace - min(server.writes_for for server in seen.facts.servers)
    if seconds <= 0:
        return None
    why = "A request that a server accepted with its former configuration may still write with the former key."
    return Step(Action.SETTLE, State.WRITE_NEW, why, seconds=seconds)


def _rewrite(seen: Standing) -> Step | None:
    objects = seen.stragglers()
    if not objects:
        return None
    if seen.facts.stuck:
        return Step(Action.REFUSE, State.REENCRYPT, _told_stuck(seen.facts.stuck))
    if seen.facts.rounds >= MOST_ROUNDS:
        why = (
            f"After {MOST_ROUNDS} rounds, {objects} of the values are still not written with the new key, so something"
            " writes them anew with another one. Every value is readable, and the old key stays: find what writes them,"
            " and run again."
        )
        return Step(Action.REFUSE, State.REENCRYPT, why)
    why = f"Values in etcd that another key than the new one wrote: {objects}."
    return Step(Action.REENCRYPT, State.REENCRYPT, why, objects=objects)


def _told_stuck(stuck: tuple[str, ...]) -> str:
    listed = ", ".join(stuck)
    return (
        f"{len(stuck)} of the objects could not be rewritten: {listed}. Every value is readable, and the old key stays:"
        " let what refuses them pass an update without changes, and run again."
    )


def _verify(seen: Standing) -> Step | None:
    scan = seen.facts.histogram
    settled_for = min(server.writes_for for server in seen.facts.servers) - seen.facts.grace
    if scan is None or scan.age > settled_for:
        why = "Only a scan that began after the last former write may show that no value needs an old key."
        return Step(Action.SCAN, State.VERIFY, why)
    found = {resource: sum(scan.counts.get(resource, {}).values()) for resource in seen.goal.write}
    differing = [resource for resource in sorted(found) if found[resource] != scan.counted.get(resource)]
    if not differing:
        return None
    told = ", ".join(f"{each} ({found[each]} and {scan.counted.get(each, 'none known')})" for each in differing)
    why = (
        f"etcd holds another number of values than the API counts at the same revision: {told}. Not all of them were"
        " seen, so nothing is dropped: compare the API servers' --etcd-prefix with what was scanned."
    )
    return Step(Action.REFUSE, State.VERIFY, why)


def _keep_old(seen: Standing) -> Step | None:
    """Backups of etcd need the old key after it is in no configuration: in the vault, else on every node."""
    has_vault = seen.facts.escrow is not None
    keys = {key for key in _dropped(seen) if key.has_material and key in seen.obtainable}
    why = "Backups of etcd that were made before still need the old key: it is kept before it is dropped."
    return keep(seen, lambda server: set() if has_vault else keys - server.kept, keys, State.VERIFY, why)


def _list_everything(seen: Standing) -> Step | None:
    silent = tuple(server.name for server in seen.facts.servers if not server.listed)
    if not silent or not (seen.facts.intent or _not_final(seen)):
        return None
    why = "Every server has to answer a LIST of every object with what it has loaded before a key is dropped."
    return Step(Action.LIST, State.VERIFY, why, silent)


def _scan_again(seen: Standing) -> Step | None:
    """The last thing that is done before a key is dropped."""
    scan = seen.facts.histogram
    if not _not_final(seen) or (scan and scan.age - scan.took <= FRESH_SECONDS):
        return None
    why = "What etcd holds is looked at once more right before a key is dropped."
    return Step(Action.SCAN, State.VERIFY, why)


def _drop_old(seen: Standing) -> Step | None:
    wanted = final(seen.goal)
    files = {server.name: wanted for server in _not_final(seen)[:1]}
    why = "No value needs the old key any more: the servers drop it, one after the other."
    return configure(seen, files, State.DROP_OLD, why)


def _scrub(seen: Standing) -> Step | None:
    if not seen.facts.intent or not seen.goal.scrub or seen.facts.scrubbed:
        return None
    return Step(Action.SCRUB, State.SCRUB, "etcd's file still holds what was there before the values were rewritten.")


def _finish(seen: Standing) -> Step | None:
    if not seen.facts.intent:
        return None
    ours = {key for keys in final(seen.goal).values() for key in keys}
    kept = {key for server in seen.facts.servers for key in server.kept}
    forgettable = tuple(sorted((kept & (seen.facts.escrow or set())) - ours))
    why = "All is proved: what kubeadm writes at its next upgrade is brought up to date, and the journal is closed."
    return Step(Action.FINISH, State.DONE, why, keys=forgettable)


_RULES: tuple[Callable[[Standing], Step | None], ...] = (
    _refuse_unsound,
    _scan_first,
    _refuse_unreadable,
    _refuse_hindered,
    _begin,
    _read_what_is_used,
    _refuse_stopped,
    _load_files,
    _refuse_not_ready,
    _keep_new,
    _read_new,
    _write_new,
    _settle,
    _rewrite,
    _verify,
    _keep_old,
    _list_everything,
    _scan_again,
    _drop_old,
    _scrub,
    _finish,
)


def _not_final(seen: Standing) -> list[Server]:
    wanted = final(seen.goal)
    return [server for server in seen.facts.servers if server.file != wanted]


def _dropped(seen: Standing) -> set[Key]:
    """The keys that a server reads now and will not read in the end."""
    wanted = final(seen.goal)
    return {
        key
        for server in seen.facts.servers
        for providers in possible(server)
        for resource in seen.goal.write
        for key in keys_of(providers, resource)
        if key not in keys_of(wanted, resource)
    }
