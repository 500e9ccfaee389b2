# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: does what a walk says. Each may be done again, and be cut off anywhere.

Nothing here decides: what came of a step is read anew from the servers, and the walk goes on from that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._configuration_rules import KmsPlugin
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._goals import intent_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._keys import KeyMaterial
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._records import (
    Journal,
    journal_bytes,
    keys_bytes,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import Action, Key, State, Step
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._standing import is_pending
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import KubeError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._canary import try_canary
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._context import Context
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._crew import Limits
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._drop import before_drop
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._escrow import refuse_lost
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._evidence import evidence
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import Seen
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._files import configuring, replacing
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._finish import finish, update_kubeadm
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._look import JOURNAL, KEYS
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._preflight import hindrances
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._reading import read_all
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._restart import restart
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._rewrite import rewrite
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._scan import scanned
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._scrub import scrub
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._snapshots import take_snapshot
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._telling import Rate

_RELOAD_SECONDS = 180
"""A server looks at its file once a minute; three times that, and it does not."""
_LOOK_AGAIN_SECONDS = 2.0
_WAIT_SECONDS = 5.0
_MOST_TOLD = 10


def carry_out(context: Context, seen: Seen, step: Step) -> None:
    """Do it. Raises HardeningError where it cannot be done; the same command goes on from there."""
    context.guard.check()
    _DOING[step.action](context, seen, step)


def _begin(context: Context, seen: Seen, _step: Step) -> None:
    """The snapshot first: a run that is cut off in it has begun nothing, and the next one takes it anew."""
    if context.options.snapshot:
        take_snapshot(context, seen)
    began = datetime.now(UTC).isoformat(timespec="seconds")
    paths = {name: node.settings.path for name, node in seen.on_node.items()}
    content = journal_bytes(Journal(intent_of(seen.facts, context.goal), context.run, began, paths))
    context.write({name: [replacing(node.files[JOURNAL], content)] for name, node in seen.on_node.items()})


def _keep_key(context: Context, seen: Seen, step: Step) -> None:
    """On the nodes first, then in the vault; the next look at both reads the fingerprints back."""
    ring = _ring(context, seen, step.keys)
    keys = {key: material for key in step.keys if isinstance(material := ring[key], KeyMaterial)}
    files = {}
    for name in step.servers:
        node = seen.on_node[name]
        files[name] = [replacing(node.files[KEYS], keys_bytes({**node.kept, **keys}))]
    context.write(files)
    escrow = context.options.escrow
    if escrow:
        for key in sorted(keys.keys() - (context.memory.escrow or frozenset())):
            escrow.put(key, keys[key])
            refuse_lost(escrow, {key: keys[key]})
        context.memory.escrow = escrow.known()


def _configure(context: Context, seen: Seen, step: Step) -> None:
    named = {key for wanted in step.files.values() for keys in wanted.values() for key in keys}
    ring = _ring(context, seen, named)
    writings = {name: configuring(seen.on_node[name], wanted, ring) for name, wanted in step.files.items()}
    if step.state is State.WRITE_NEW and any(step.files.values()):
        # From now on a server that lost its flags could not read what is written, and every node has its file.
        update_kubeadm(context, next(iter(seen.on_node.values())).settings, encrypts=True)
    if step.state is State.DROP_OLD:
        before_drop(context, seen, named)
    context.write({name: each.before for name, each in writings.items()})
    context.write({name: each.files for name, each in writings.items() if not each.restarts})
    off = {server.name for server in seen.facts.servers if server.state == "stopped"}
    # The walk writes to one only to have it read what is used, without which it does not become ready.
    not_ready = {server.name for server in seen.facts.servers if not server.ready}
    for name, each in writings.items():
        if each.restarts and name in off:
            context.write({name: each.files})
        elif each.restarts:
            restart(context, seen, name, each, repairs=name in not_ready)


def _ring(context: Context, seen: Seen, keys: Iterable[Key]) -> dict[Key, KeyMaterial | KmsPlugin]:
    """The bytes of these keys: from any node, made by this run, or out of the vault."""
    ring = {**seen.ring, **context.memory.fresh, **context.options.plugins}
    escrow, kept = context.options.escrow, context.memory.escrow or frozenset()
    for key in keys:
        if key.has_material and key not in ring and escrow and key in kept:
            ring[key] = escrow.get(key)
    return ring


def _load(context: Context, _seen: Seen, step: Step) -> None:
    until = time.monotonic() + _RELOAD_SECONDS
    while True:
        context.guard.check()
        seen = context.gatherer.seen(context.memory)
        pending = [each.name for each in seen.facts.servers if each.name in step.servers and is_pending(each)]
        if not pending:
            # What was waited for in vain may be well with what it has loaded now.
            context.memory.waited_for -= {*step.servers}
            if context.memory.hindrances:
                # Some may have been there only because a server could not read what it has to.
                context.memory.hindrances = tuple(hindrances(context, seen))
            return
        if time.monotonic() > until:
            raise HardeningError(
                f"The API server {', '.join(pending)} has not loaded the encryption configuration of its node within "
                f"{_RELOAD_SECONDS} s: look at its log there for «encryption». It goes on with its former one, which "
                "reads every value. Correct what it complains of, and run the same command again."
            )
        context.waiting(f"waiting for the API server {', '.join(pending)} to load its configuration")
        time.sleep(_LOOK_AGAIN_SECONDS)
        while not _says_loaded(seen, pending) and time.monotonic() <= until:
            context.guard.check()
            context.waiting(f"waiting for the API server {', '.join(pending)} to load its configuration")
            time.sleep(_LOOK_AGAIN_SECONDS)


def _says_loaded(seen: Seen, names: Iterable[str]) -> bool:
    """Whether it is time to look at everything again, which costs the nodes more than a question to the servers does.

    Also where a server cannot be asked now, or starts anew: then only the node can tell.
    """
    for name in names:
        if name not in seen.clients or not seen.on_node[name].said.path:
            return True
        with suppress(KubeError):
            if evidence(seen.clients[name]).loaded != seen.on_node[name].configuration.hash:
                return False
    return True


def _settle(context: Context, _seen: Seen, step: Step) -> None:
    until = time.monotonic() + step.seconds
    while (left := until - time.monotonic()) > 0:
        context.guard.check()
        context.waiting(f"waiting for requests that began before, {left:.0f} s")
        time.sleep(min(left, _WAIT_SECONDS))


def _try(context: Context, seen: Seen, step: Step) -> None:
    (name,) = step.servers
    try_canary(context, seen, name)
    context.memory.tried.add(seen.proved(name))


def _scan(context: Context, seen: Seen, _step: Step) -> None:
    scan_now(context, seen)


def scan_now(context: Context, seen: Seen) -> None:
    """Make the histogram anew; where etcd cannot be looked into, remember why."""
    began = time.monotonic()
    memory = context.memory
    try:
        found = scanned(context, seen)
        memory.histogram, memory.bytes, memory.unscannable = found.histogram, found.bytes, ""
    except HardeningError as error:
        memory.histogram, memory.unscannable = None, str(error)
    memory.scanned, memory.scan_took = began, time.monotonic() - began


def _reencrypt(context: Context, seen: Seen, _step: Step) -> None:
    memory = context.memory
    histogram, memory.histogram = seen.facts.histogram, None
    memory.forgotten = False
    memory.rounds += 1
    context.look_at_resources(seen)
    stuck: list[str] = []
    for resource, key in sorted(context.goal.write.items()):
        counts = histogram.counts.get(resource, {}) if histogram else {}
        outdated = histogram.outdated.get(resource, 0) if histogram else 0
        if outdated or any(number for prefix, number in counts.items() if prefix != key.prefix):
            for each in context.meant_by(resource):
                stuck += [f"{name} ({why})" for name, why in rewritten(context, seen, each)]
    memory.stuck = tuple(stuck)


def rewritten(context: Context, seen: Seen, resource: str) -> tuple[tuple[str, str], ...]:
    """Have every object of a resource written anew; those that could not be, with why."""
    done = rewrite(
        list(seen.clients.values()),
        resource,
        Limits(context.options.workers, context.options.most_per_second),
        Rate(f"re-encrypt {resource}", context.waiting),
        context.guard.check,
    )
    context.memory.rewritten += done.done - done.unchanged
    context.tell(
        f"  {done.done - done.unchanged} of {done.done} {resource} rewritten, {done.gone} gone meanwhile, "
        f"{done.stuck_count} refused, in {done.seconds:.1f} s"
    )
    return done.stuck


def _list(context: Context, seen: Seen, step: Step) -> None:
    limits = Limits(context.options.workers, context.options.most_per_second)
    context.look_at_resources(seen)
    for name in step.servers:
        for each in (served for resource in sorted(context.goal.write) for served in context.meant_by(resource)):
            rate = Rate(f"read {each} through {name}", context.waiting)
            found = read_all(seen.clients[name], each, limits, rate, context.guard.check)
            if found.unreadable_count:
                told = "; ".join(f"{name} ({why})" for name, why in found.unreadable[:_MOST_TOLD])
                raise HardeningError(
                    f"The API server {name} cannot read {found.unreadable_count} objects of {each}: {told}. Nothing "
                    "more is dropped. Run the same command again: it gives the server back every key that a node or "
                    "the vault has. If it stays so, look for the key in backups of /etc/kubernetes of all nodes."
                )
            if not found.is_proved and _is_another(seen, name):
                return
            if found.left:
                raise HardeningError(
                    f"The API server {name} failed for a minute while {each} were read through it, so {found.left} "
                    "were not tried. Nothing more is dropped: see that it is well, and run the same command again."
                )
            if found.errors and name not in context.memory.doubted:
                # A KMS may have failed for a moment, or somebody asked for a revision of long ago.
                context.memory.doubted.add(name)
                return
            if found.errors:
                raise HardeningError(
                    f"The API server {name} read all {found.read} objects of {each}, and says again that of whatever "
                    f"else it read meanwhile, {found.errors} values could not be decrypted. Nothing more is dropped: "
                    "see its log for which, and run the same command again."
                )
            if not found.is_proved and _encrypts(seen, name):
                raise HardeningError(
                    f"The API server {name} answered for {found.read} objects of {each}, and says that it has "
                    f"decrypted only {found.decrypted} values meanwhile: it cannot be shown that it reads them all. "
                    "Nothing more is dropped: run the same command again."
                )
        context.memory.listed.add(seen.proved(name))


def _is_another(seen: Seen, name: str) -> bool:
    """Whether the server was started anew meanwhile: it counts from nothing then, and has to be asked again."""
    return evidence(seen.clients[name]).started_at != seen.told[name].started_at


def _encrypts(seen: Seen, name: str) -> bool:
    return any(server.loaded for server in seen.facts.servers if server.name == name)


def _scrub(context: Context, seen: Seen, _step: Step) -> None:
    """A snapshot that is taken then holds no former value, and needs no former key."""
    for line in scrub(context, seen):
        context.tell(line)
    if context.options.snapshot:
        take_snapshot(context, seen, "-scrubbed")
    context.memory.scrubbed = True


_DOING: Mapping[Action, Callable[[Context, Seen, Step], None]] = {
    Action.BEGIN: _begin,
    Action.KEEP_KEY: _keep_key,
    Action.CONFIGURE: _configure,
    Action.LOAD: _load,
    Action.TRY: _try,
    Action.SETTLE: _settle,
    Action.SCAN: _scan,
    Action.REENCRYPT: _reencrypt,
    Action.LIST: _list,
    Action.SCRUB: _scrub,
    Action.FINISH: finish,
}
