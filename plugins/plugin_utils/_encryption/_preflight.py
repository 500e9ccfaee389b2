# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what speaks against a walk before it has touched anything, one sentence each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._kubeadm import with_encryption
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._manifest import place_in, user_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._resources import parsed
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._standing import final
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Question
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import KubeError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._beside import foreign_files
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._canary import (
    canary_questions,
    refused_canary,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._context import Context
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import Seen
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._finish import cluster_configuration
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._members import health
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._migrations import unended
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._rewrite import refused_rewrites
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._scan import etcds
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._program import Call
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import NodeError

MOST_SKEW_SECONDS = 5.0

_OURS = (
    Question("create", "coordination.k8s.io", "leases", "kube-system"),
    Question("patch", "coordination.k8s.io", "leases", "kube-system", "hardening-encryption"),
    Question("patch", "", "configmaps", "kube-system", "kubeadm-config"),
)
"""What a walk does beside writing what is encrypted."""
_CLUSTER_ROLE = "bind the ClusterRole hardening-encryption, which the playbook cluster_roles installs"
_ROLE = "bind the Role hardening-kube-system, which the playbook cluster_roles installs"
_TO_REWRITE = "grant it, since to rewrite objects takes list, get and patch on them"
_TO_TRY = "grant it, since the first write with a new key is tried there"
_SOCKET = "unix://"


def obstacles(context: Context, seen: Seen) -> Iterator[str]:
    """What speaks against any change at all."""
    yield from _other_servers(context, seen)


def hindrances(context: Context, seen: Seen) -> Iterator[str]:
    """What speaks against changing keys, all at once, so that a user has to correct things only once."""
    for look in _LOOKS:
        yield from look(context, seen)


def _clocks(_context: Context, seen: Seen) -> Iterator[str]:
    for name, node in seen.on_node.items():
        if abs(node.skew) > MOST_SKEW_SECONDS:
            yield (
                f"The clock of the node {name} is {abs(node.skew):.0f} s {'ahead of' if node.skew > 0 else 'behind'} "
                "this machine's, and locks and proofs are judged by time: set the clocks."
            )


def _foreign_files(context: Context, seen: Seen) -> Iterator[str]:
    yield from foreign_files(context.nodes, seen.on_node)


def _users(context: Context, seen: Seen) -> Iterator[str]:
    """The files with keys are root's alone."""
    users = {name: user_of((node.manifest.content or b"").decode()) for name, node in seen.on_node.items()}
    others = {name: user for name, user in users.items() if user}
    if others and final(context.goal):
        told = ", ".join(f"{name} ({user})" for name, user in others.items())
        yield (
            f"The manifest of the API server {told} has it run as another user than root, who could not read the "
            "configuration with the keys, which is root's alone (0600): let it run as root, by runAsUser: 0."
        )


def _permissions(context: Context, _seen: Seen) -> Iterator[str]:
    rewriting = [
        Question(verb, *parsed(resource))
        for name in sorted(context.goal.write)
        for resource in context.meant_by(name)
        for verb in ("list", "get", "patch")
    ]
    granted_by = dict.fromkeys(_OURS, _ROLE)
    granted_by |= {each: _granted_by(each, _TO_TRY) for each in canary_questions(context.goal)}
    granted_by |= {each: _granted_by(each, _TO_REWRITE) for each in rewriting}
    asked = list(granted_by)
    for question, allowed in zip(asked, context.client.allowed(asked), strict=True):
        if not allowed:
            what = ".".join(filter(None, (question.resource, question.group)))
            what += f" in {question.namespace}" if question.namespace else ""
            yield f"This user may not {question.verb} {what}: {granted_by[question]}."


def _granted_by(question: Question, else_do: str) -> str:
    return _CLUSTER_ROLE if (question.group, question.resource) == ("", "secrets") else else_do


def _plugins(context: Context, seen: Seen) -> Iterator[str]:
    """A KMS plugin answers at a socket of the node; a server that finds none there writes nothing."""
    for key, plugin in context.options.plugins.items():
        if seen.ring.get(key, plugin) != plugin:
            yield (
                f"The {key} has another endpoint or timeout on the nodes than the one asked for, and values in etcd do "
                "not tell them apart: give the plugin that is asked for another name, or leave it as it is."
            )
        path = plugin.endpoint.removeprefix(_SOCKET)
        if path == plugin.endpoint or not path.startswith("/"):
            yield f"The endpoint {plugin.endpoint} of the KMS is not one: write {_SOCKET}/ and the path of its socket."
            continue
        for name, node in seen.on_node.items():
            if place_in((node.manifest.content or b"").decode(), path).node_path != path:
                yield (
                    f"The API server {name} does not see the socket {path} of the KMS: mount its directory from the "
                    "node into the server's pod, under the same path."
                )
        calls: list[Call] = [("read", {"paths": [path]})]
        for name, answer in context.nodes.ask_each(dict.fromkeys(seen.on_node, calls), "_files").items():
            if isinstance(answer, NodeError):
                yield f"Whether there is a socket {path} of the KMS could not be seen: {answer}"
            elif (answer[0][path] or {}).get("kind") != "other":
                yield f"There is no socket {path} of the KMS on the node {name}: start the plugin there first."


def _refusals(context: Context, _seen: Seen) -> Iterator[str]:
    """What an admission webhook or policy would refuse later, tried by dry runs: a walk has to write and to rewrite."""
    try:
        yield from refused_canary(context.client, context.goal)
        for name in sorted(context.goal.write):
            for resource in context.meant_by(name):
                yield from refused_rewrites(context.client, resource)
    except KubeError as error:
        yield f"What admission would refuse could not be tried: {error}"


def _migrations(context: Context, _seen: Seen) -> Iterator[str]:
    """Others that write the same objects anew: each would run into the other's conflicts."""
    meant = {each for name in context.goal.write for each in context.meant_by(name)}
    try:
        for migration, resource in unended(context.client, meant):
            yield (
                f"The storage version migration {migration} writes all {resource} anew, and has not ended: wait until "
                "it has, or delete it, and create it again afterwards."
            )
    except KubeError as error:
        yield f"Whether a storage version migration runs could not be seen: {error} To list them, {_CLUSTER_ROLE}."


def _etcd_members(context: Context, seen: Seen) -> Iterator[str]:
    yield from health(etcds(context, seen), context.memory.bytes, context.tell)


def _etcd_elsewhere(context: Context, seen: Seen) -> Iterator[str]:
    meant = {each for name in context.goal.write for each in context.meant_by(name)}
    elsewhere = {each for etcd in etcds(context, seen).by_node.values() for each in etcd.elsewhere}
    if meant & elsewhere:
        yield (
            f"--etcd-servers-overrides keeps {', '.join(sorted(meant & elsewhere))} in another etcd, whose health, "
            "room and leftovers are not looked after here: leave these resources out, or keep them in the same etcd."
        )


def _other_servers(context: Context, seen: Seen) -> Iterator[str]:
    """The API servers that say in etcd itself that they run, whatever the API knows of them."""
    known = {hint for node in seen.on_node.values() for hint in node.hints}
    try:
        others = etcds(context, seen).servers() - known
    except HardeningError as error:
        # What keeps the run from looking into etcd at all is told of the scan.
        if not context.memory.unscannable:
            yield (
                f"Which API servers etcd knows could not be asked: {str(error).removesuffix('.')}. One that is not "
                "named could fail to read what is written: see that etcd answers on the control plane nodes, and run "
                "again."
            )
        return
    if others:
        yield (
            f"etcd knows an API server at {', '.join(sorted(others))} that is on none of the nodes named: name its "
            "node too, or stop it."
        )


def _kubeadm(context: Context, seen: Seen) -> Iterator[str]:
    """What kubeadm has to write at its next upgrade or join must be something that can be said."""
    try:
        text = cluster_configuration(context.client)[1]
        for node in list(seen.on_node.values())[:1]:
            if text and final(context.goal):
                with_encryption(text, node.settings)
    except HardeningError as error:
        yield str(error)


_LOOKS: tuple[Callable[[Context, Seen], Iterator[str]], ...] = (
    _clocks,
    _foreign_files,
    _users,
    _permissions,
    _plugins,
    _refusals,
    _migrations,
    _etcd_members,
    _etcd_elsewhere,
    _kubeadm,
)
