# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: puts what was discovered into one policy file that the collection itself takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._document import Source
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._load import load
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._mistakes import PolicyError
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._write import (
    PolicyFile,
    Sections,
    Written,
    policy_text,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._cluster_components import (
    holds_cluster_components,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import is_meant
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._discover._access import access_settings
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._discover._network import network_settings
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._discover._part import Part
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._discover._pod_security import (
    Levels,
    Progress,
    pod_security_settings,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._discover._resources import resources_settings
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._settings import live_namespaces

Object = dict[str, Any]

_TODAY = (
    "What is in force in the cluster today, as a policy. Applying it changes nothing but adds marks: every object that "
    "it names gets a label and an annotation, and stays as it is."
)
_POSSIBLE = (
    "What is in force in the cluster today, as a policy, with the strictest Pod Security level that no running pod and "
    "no pod template breaks. Applying it sets these levels; to all else it only adds marks."
)
_HOW_ON = "Comments say what could be tightened. Tighten here, then run it with --check --diff before you run it."


@dataclass(frozen=True, slots=True)
class Discovered:
    """A starter policy: its text, the namespaces that it speaks of, those left out, and what could not be read."""

    text: str
    namespaces: Sequence[str]
    left_out: Sequence[str]
    unseen: Sequence[str]


def discover(client: Client, name: str, only: Sequence[str], levels: Levels, progress: Progress) -> Discovered:
    """Look at the whole cluster, or at the namespaces that ``only`` means; raises HardeningError where that is none."""
    live, unlisted = live_namespaces(client, {"only": only, "namespaces": {}, "selected": [], "default": {}})
    meant = _meant(live, only, unlisted)
    components = sorted(each for each in meant if holds_cluster_components(each) and each not in only)
    chosen = [each for each_name, each in sorted(meant.items()) if each_name not in components]
    parts = {
        "pod_security": pod_security_settings(client, chosen, name, levels, progress),
        "network": network_settings(client, chosen, name),
        "access": access_settings(client, chosen, name),
        "resources": resources_settings(client, chosen, name),
    }
    names = [_name(each) for each in chosen]
    unseen = [sentence for part in parts.values() for sentence in part.unseen]
    unseen += [f"Namespaces could not be listed, there may be others: {unlisted}"] if unlisted else []
    head = [_TODAY if levels == "today" else _POSSIBLE, _HOW_ON, *_about(only, components)]
    head += [f"Not seen: {sentence}" for sentence in unseen]
    if unseen and not any(part.settings or part.cluster for part in parts.values()):
        raise HardeningError(
            f"Nothing of the cluster could be read, so that no policy was written. {'. '.join(unseen)}"
        )
    file = PolicyFile(name, {each: _sections(parts, each) for each in names}, _cluster(parts), head)
    return Discovered(_valid_text(file), names, components, unseen)


def _meant(live: Iterable[Object], only: Sequence[str], unlisted: str) -> dict[str, Object]:
    by_name = {_name(each): each for each in live if "deletionTimestamp" not in each["metadata"]}
    for glob in only:
        if not any(is_meant(name, [glob]) for name in by_name):
            near = did_you_mean(glob, by_name)
            hint = f"; did you mean {near}?" if near else f". {unlisted}".rstrip()
            raise HardeningError(f"only: there is no namespace {glob}{hint}")
    if not by_name:
        raise HardeningError(f"There is no namespace to look at: name some with only=NAMESPACE,…. {unlisted}")
    return {name: each for name, each in by_name.items() if is_meant(name, only)}


def _about(only: Sequence[str], components: Sequence[str]) -> list[str]:
    told = [f"Limited to {', '.join(only)}: nobody looked at other namespaces."] if only else []
    if components:
        told.append(f"Left out, since they hold components of the cluster itself: {', '.join(components)}.")
    return told


def _sections(parts: Mapping[str, Part], name: str) -> Sections:
    written = {
        section: Written(part.settings.get(name, {}), part.comments.get(name, ())) for section, part in parts.items()
    }
    return {section: each for section, each in written.items() if each.said or each.comments}


def _cluster(parts: Mapping[str, Part]) -> Sections:
    written = {section: Written(part.cluster, part.comments.get("", ())) for section, part in parts.items()}
    return {section: each for section, each in written.items() if each.said or each.comments}


def _valid_text(file: PolicyFile) -> str:
    """The text, without the sections that a policy would not take, which are said in their places."""
    text = policy_text(file)
    if not _mistakes(file.name, text):
        return text
    text = policy_text(
        PolicyFile(
            file.name,
            {name: _taken(file.name, name, sections) for name, sections in file.namespaces.items()},
            file.cluster,
            file.head,
        )
    )
    if wrong := _mistakes(file.name, text):
        raise HardeningError(f"What was found cannot be said in a policy, so that nothing was written: {wrong}")
    return text


def _taken(policy: str, name: str, sections: Sections) -> Sections:
    return {section: _or_why_not(policy, name, section, written) for section, written in sections.items()}


def _or_why_not(policy: str, name: str, section: str, written: Written) -> Written:
    alone = PolicyFile(policy, {name: {section: written}})
    wrong = _mistakes(policy, policy_text(alone)) if written.said else ""
    return (
        Written({}, [*written.comments, f"It is left out, since a policy cannot say it: {wrong}"]) if wrong else written
    )


def _mistakes(name: str, text: str) -> str:
    try:
        load([Source(name, text)])
    except PolicyError as error:
        return "; ".join(f"{each.path}: {each.text}" for each in error.mistakes[:3])
    return ""


def _name(namespace: Object) -> str:
    return str(namespace["metadata"]["name"])
