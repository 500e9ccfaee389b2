# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resources are named and matched as an API server does."""

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._resources import (
    covers,
    refuse_unserved,
    wanted_resources,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (["secrets"], ("secrets",)),
        (["secrets", "secrets.", "configmaps"], ("configmaps", "secrets")),
        (["secrets", "*."], ("*.",)),
        (["secrets", "*.apps", "deployments.apps"], ("secrets", "*.apps")),
        (["*.*", "secrets", "*.apps", "*."], ("*.*",)),
        (["widgets.example.com", "*.", "*.apps"], ("widgets.example.com", "*.", "*.apps")),
    ],
)
def test_what_is_asked_is_reduced_to_what_is_needed(asked: list[str], wanted: tuple[str, ...]) -> None:
    assert wanted_resources(asked) == wanted


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "it is empty"),
        (".apps", "it is empty"),
        ("Secret", "capital letters"),
        ("*", r"write \*\. for all of the core group"),
        ("serviceipallocations", "has no API"),
        ("events.events.k8s.io", "write events"),
        ("*.events.k8s.io", "write events"),
        ("ingresses.extensions", "was removed"),
        ("secrets.*", "name its group"),
    ],
)
def test_what_a_server_refuses_is_refused(name: str, told: str) -> None:
    with pytest.raises(HardeningError, match=told):
        wanted_resources(["secrets", name])


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("secret", "no resource secret; did you mean secrets"),
        ("deployments", "did you mean deployments.apps"),
        ("gadgets.example.com", "no resource gadgets.example.com"),
        ("*.example.com", "no resource .*example.com: correct the name, or install what brings it"),
    ],
)
def test_what_the_server_does_not_have_is_refused(name: str, told: str) -> None:
    served = ["secrets", "deployments.apps"]
    refuse_unserved(["secrets", "*.", "*.apps", "deployments.apps", "*.*"], served)
    with pytest.raises(HardeningError, match=told):
        refuse_unserved([name], served)


def test_something_has_to_be_named() -> None:
    with pytest.raises(HardeningError, match="at least secrets"):
        wanted_resources([])


@pytest.mark.parametrize(
    ("wide", "name", "does"),
    [
        ("secrets", "secrets", True),
        ("*.", "secrets", True),
        ("*.", "deployments.apps", False),
        ("*.apps", "deployments.apps", True),
        ("*.*", "*.apps", True),
        ("*.apps", "*.*", False),
        ("secrets", "secrets.example.com", False),
    ],
)
def test_what_covers_what(wide: str, name: str, does: bool) -> None:
    assert covers(wide, name) is does
