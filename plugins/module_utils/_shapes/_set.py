# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: how objects are marked as a set's, and what becomes of those that it no longer names.

1. A set is all that one policy, or one use of a role, made. Its name is the label ``hardening.kubernetes/set``, and the
   annotation ``hardening.kubernetes/origin`` says whether the set created the object or found it there and adopted it.
2. The label alone is not enough: an object is a set's where our field manager owns a part of it as well.
3. What a set no longer names is deleted where it was created. What was adopted is handed back: our fields and marks go,
   everybody else's stay. Where nobody else owns anything but metadata any more, there is nothing to hand back.
4. Whoever names no set is in the one called ``default``, which many may share: nothing is looked for, or pruned,
   outside the namespaces that are given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding, judged

SET_LABEL = "hardening.kubernetes/set"
"""The label on every object that a policy made; its value is the policy's name."""

ORIGIN = "hardening.kubernetes/origin"
"""The annotation beside it: ``created`` or ``adopted``."""

UNNAMED_SET = "default"
"""The set of whoever names none. Many may share it, so that nobody can tell whose an object of it is."""

NAMESPACE_MANAGER = "hardening.kubernetes/namespaces"
"""The field manager of the marks on namespaces that ``create: true`` made, whichever part of a policy made them."""

LEFTOVERS = "policy.leftovers"

Origin = Literal["created", "adopted"]
Leaving = Literal["keep", "delete", "hand_back"]
Object = Mapping[str, Any]

_SET_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_NAMED_AT_MOST = 3


def check_set_name(name: str) -> None:
    """Raise :class:`HardeningError` for a name that cannot be the value of a label."""
    if not _SET_NAME.fullmatch(name):
        raise HardeningError(
            f"set: {name!r} cannot be a label; use at most 63 letters, digits, dots, dashes and underscores, "
            "with a letter or a digit at both ends."
        )


def reaches_everywhere(set_name: str, prune: bool = True) -> bool:
    """Whether what this set has outside the given namespaces is looked for, and pruned."""
    return prune and set_name != UNNAMED_SET


def set_of(obj: Object, label: str = SET_LABEL) -> str:
    """The set that an object is marked with; empty where it is not marked."""
    return str(((obj.get("metadata") or {}).get("labels") or {}).get(label, ""))


def is_of_set(obj: Object, set_name: str, manager: str, label: str = SET_LABEL) -> bool:
    """Whether a live object is this set's: by its label, and by our field manager where managers are told."""
    managers = {entry.get("manager") for entry in _managed(obj)}
    return set_of(obj, label) == set_name and (not managers or manager in managers)


def origin(live: Object | None, set_name: str) -> Origin:
    """Which mark an object gets. The first run decides: later ones find the mark and keep it.

    An object that lost it counts as adopted: what somebody else owns a part of is then not deleted.
    """
    if live is None:
        return "created"
    said = ((live.get("metadata") or {}).get("annotations") or {}).get(ORIGIN)
    return "created" if set_of(live) == set_name and said == "created" else "adopted"


def marked(obj: Object, set_name: str, made: Origin) -> dict[str, Any]:
    """The object with both marks."""
    metadata = obj.get("metadata") or {}
    labels = {**(metadata.get("labels") or {}), SET_LABEL: set_name}
    annotations = {**(metadata.get("annotations") or {}), ORIGIN: made}
    return {**obj, "metadata": {**metadata, "labels": labels, "annotations": annotations}}


def marked_namespace(name: str, set_name: str) -> dict[str, Any]:
    """The Namespace that ``create: true`` asks for; :data:`NAMESPACE_MANAGER` applies it, and it is never deleted."""
    return marked({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, set_name, "created")


def of_another_set(live: Object, set_name: str, label: str = SET_LABEL, belongs: str = "It belongs") -> str:
    """Why this set may not write an object, in a sentence that says what to do; empty where it may."""
    other = set_of(live, label)
    if other in ("", set_name):
        return ""
    return (
        f"{belongs} to the set {other}, and this is the set {set_name}: say all of it in one of them, "
        f"or remove the other first (state: absent, set: {other})."
    )


def leaving(live: Object, set_name: str, manager: str) -> Leaving:
    """What becomes of a live object that the set is to have no longer: ``keep`` where it is not the set's."""
    if not is_of_set(live, set_name, manager):
        return "keep"
    return "hand_back" if stays_when_left(live, set_name, manager) else "delete"


def stays_when_left(live: Object, set_name: str, manager: str) -> bool:
    """Whether an object stays once the set leaves it: it was adopted, and somebody else owns a part of its content."""
    return origin(live, set_name) == "adopted" and any(
        entry.get("manager") != manager
        and not entry.get("subresource")
        and any(field != "f:metadata" for field in entry.get("fieldsV1") or ())
        for entry in _managed(live)
    )


def left_over(listed: Iterable[Object], wanted: Iterable[Object], set_name: str, manager: str) -> list[dict[str, Any]]:
    """What of the listed live objects is the set's and is not wanted any more, as much of each as a removal needs.

    What is being deleted already is not among it.
    """
    keys = {_key(each) for each in wanted}
    return [
        {
            "apiVersion": each["apiVersion"],
            "kind": each["kind"],
            "metadata": {key: each["metadata"][key] for key in ("name", "namespace") if each["metadata"].get(key)},
        }
        for each in listed
        if is_of_set(each, set_name, manager) and _key(each) not in keys and "deletionTimestamp" not in each["metadata"]
    ]


def leftover_findings(
    set_name: str,
    left: Mapping[str, Sequence[str]],
    unseen: str,
    what: str,
    *,
    preview: bool = False,
    only: Sequence[str] = (),
) -> list[Finding]:
    """The findings of ``policy.leftovers`` about one kind of thing that sets have.

    ``left`` are subjects (``Namespace/x``, or an object of the cluster) and what of the set each still has, as
    ``Kind/namespace/name``. ``unseen`` says why nobody could look, empty where somebody did. ``what`` is the kind of
    thing, in plural. ``preview``: whether a run that prunes is being previewed. ``only``: names and globs outside of
    which nobody looked.
    """
    if unseen:
        evidence = f"could not look for {what} that the set {set_name} left elsewhere, so none is pruned: {unseen}"
        remedy = "Give the permission that is named, then check again."
        return [judged(LEFTOVERS, f"Set/{set_name}", "unknown", evidence, "none", remedy, _would("unknown", preview))]
    if not left:
        where = f" in {', '.join(only)}; nobody looked elsewhere" if only else ""
        evidence = f"no {what} of the set {set_name} but those that are named{where}"
        return [judged(LEFTOVERS, f"Set/{set_name}", "pass", evidence, "server", "", _would("pass", preview))]
    return [
        judged(
            LEFTOVERS,
            subject,
            "fail",
            f"{_some(told)} of the set {set_name}, though nothing names {'it' if len(told) == 1 else 'them'} any more",
            "server",
            "Run in enforce mode, which prunes what is left, or name it again.",
            _would("pass", preview),
        )
        for subject, told in sorted(left.items())
    ]


def _would(expected: Literal["pass", "unknown"], preview: bool) -> Literal["pass", "unknown"] | None:
    return expected if preview else None


def _some(told: Sequence[str]) -> str:
    more = len(told) - _NAMED_AT_MOST
    named = ", ".join(told[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
    return f"{named} {'is' if len(told) == 1 else 'are'}"


def _managed(obj: Object) -> Sequence[Mapping[str, Any]]:
    return (obj.get("metadata") or {}).get("managedFields") or ()


def _key(obj: Object) -> tuple[str, str, str, str]:
    metadata = obj["metadata"]
    return obj["apiVersion"], obj["kind"], metadata.get("namespace", ""), metadata["name"]
