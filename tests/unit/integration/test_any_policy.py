# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random policies for the tests: each is valid, each differs from the one before, and together they have everything."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from random import Random

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._document import Source
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._load import load

from tests.integration.any_policy import HOLDERS, KINDS, SECTIONS, History, Names, history, others

NAMES = Names("any-1a2b", ("any-1a2b-a", "any-1a2b-b", "any-1a2b-c"), ("any-1a2b-new", "any-1a2b-newer"))


@pytest.mark.parametrize("seed", range(3))
def test_fifty_and_more_changes_have_every_kind_and_leave_valid_policies(seed: int) -> None:
    told = history(Random(seed), NAMES, 50, 4)
    assert len(told.kinds) >= 50 and set(told.kinds) == KINDS.keys()
    assert len(told.versions) == 5
    assert all(before != after for before, after in zip(told.versions, told.versions[1:], strict=False))
    for version in told.versions:
        load([Source("cluster-policy.yml", json.dumps(version))])
    assert told == history(Random(seed), NAMES, 50, 4)


def test_the_kinds_reach_every_section_wherever_it_can_be_said() -> None:
    said = {
        f"{verb} {section} of {place}" for verb in ("say", "alter", "drop") for section in SECTIONS for place in HOLDERS
    }
    assert said < KINDS.keys()


def test_names_that_begin_otherwise_are_others() -> None:
    globs = others(NAMES.name)

    def is_other(name: str) -> bool:
        return any(fnmatchcase(name, glob) for glob in globs)

    assert not any(map(is_other, (*NAMES.standing, *NAMES.coming)))
    assert all(map(is_other, ("default", "kube-system", "any-1a2c-a", "anything", "b")))


def test_a_namespace_that_was_left_out_is_nobodys() -> None:
    create = {"create": True}
    versions = [
        {"namespaces": names} for names in ({"a": create, "b": create}, {"b": create}, {"a": create, "c": create})
    ]
    assert History(tuple(versions), ()).made() == ({"a", "b", "c"}, {"c"})
