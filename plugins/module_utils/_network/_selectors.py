# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the pods that none of some LabelSelectors select, as LabelSelectors.

After the API reference of meta/v1 LabelSelectorRequirement: the requirements of a selector must all be met, ``NotIn``
is met by a pod without the label too, and each of the four operators has another one that is its opposite.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import Selector

MOST_SELECTORS = 32


@dataclass(frozen=True, slots=True)
class _Values:
    """What a label may be: missing or not, and one of the ``listed`` values, or any but these (``others``)."""

    missing: bool
    others: bool
    listed: frozenset[str] = frozenset()

    def both(self, other: _Values) -> _Values:
        match self.others, other.others:
            case True, True:
                listed = self.listed | other.listed
            case True, False:
                listed = other.listed - self.listed
            case False, True:
                listed = self.listed - other.listed
            case _:
                listed = self.listed & other.listed
        return _Values(self.missing and other.missing, self.others and other.others, listed)

    @property
    def impossible(self) -> bool:
        return not (self.missing or self.others or self.listed)

    def told(self, key: str) -> Iterator[dict[str, Any]]:
        listed = sorted(self.listed)
        if not self.others:
            yield {"key": key, "operator": "In", "values": listed} if listed else _bare(key, "DoesNotExist")
            return
        if not self.missing:
            yield _bare(key, "Exists")
        if listed:
            yield {"key": key, "operator": "NotIn", "values": listed}


_OPPOSITES: Mapping[str, tuple[bool, bool]] = {
    "In": (True, True),
    "NotIn": (False, False),
    "Exists": (True, False),
    "DoesNotExist": (False, True),
}
"""Of each operator, whether what does not meet it may be missing, and may be another value than those it lists."""

_Pods = dict[str, _Values]


def selecting_none_of(selectors: Iterable[Selector]) -> list[Selector]:
    """Selectors that together select just the pods that none of these selects; none where these select every pod.

    Where more than ``MOST_SELECTORS`` would be needed, some pods are left out; one that these select never is meant.
    """
    found: list[_Pods] = [{}]
    for selector in selectors:
        found = _widest(
            narrowed
            for pods in found
            for key, values in _unmet(selector)
            if (narrowed := _narrowed(pods, key, values)) is not None
        )
    return [_selector(pods) for pods in found]


def _unmet(selector: Selector) -> Iterator[tuple[str, _Values]]:
    """What a label must be for a pod not to be selected: any one of these is enough."""
    for key, value in (selector.get("matchLabels") or {}).items():
        yield key, _Values(True, True, frozenset({value}))
    for each in selector.get("matchExpressions") or ():
        yield each["key"], _Values(*_OPPOSITES[each["operator"]], frozenset(each.get("values") or ()))


def _narrowed(pods: _Pods, key: str, values: _Values) -> _Pods | None:
    both = pods[key].both(values) if key in pods else values
    return None if both.impossible else {**pods, key: both}


def _widest(found: Iterable[_Pods]) -> list[_Pods]:
    """Without those whose pods another one means too."""
    kept: list[_Pods] = []
    for pods in sorted(found, key=lambda each: (len(each), str(_selector(each)))):
        if not any(_means_all_of(wide, pods) for wide in kept):
            kept.append(pods)
    return kept[:MOST_SELECTORS]


def _means_all_of(wide: _Pods, narrow: _Pods) -> bool:
    return all(key in narrow and narrow[key].both(values) == narrow[key] for key, values in wide.items())


def _selector(pods: _Pods) -> Selector:
    told = [each for key in sorted(pods) for each in pods[key].told(key)]
    return {"matchExpressions": told} if told else {}


def _bare(key: str, operator: str) -> dict[str, Any]:
    return {"key": key, "operator": operator}


def told_selector(selector: Selector) -> str:
    """A selector in the form of ``kubectl --selector``."""
    labels = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    return ",".join([*labels, *(_told_requirement(each) for each in selector.get("matchExpressions") or ())])


def _told_requirement(requirement: Mapping[str, Any]) -> str:
    values = ",".join(requirement.get("values") or ())
    return _TOLD[requirement["operator"]].format(key=requirement["key"], values=values)


_TOLD: Mapping[str, str] = {
    "In": "{key} in ({values})",
    "NotIn": "{key} notin ({values})",
    "Exists": "{key}",
    "DoesNotExist": "!{key}",
}
