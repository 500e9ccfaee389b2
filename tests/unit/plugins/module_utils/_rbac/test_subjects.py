# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is meant, and in which groups he is."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._subjects import parse_subject
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

EVERYBODY = "system:authenticated"


@pytest.mark.parametrize(
    ("said", "review"),
    [
        ({"user": "jane"}, {"user": "jane", "groups": [EVERYBODY]}),
        ({"user": "jane", "groups": ["dev", "ops"]}, {"user": "jane", "groups": ["dev", "ops", EVERYBODY]}),
        ({"user": "jane", "groups": [EVERYBODY]}, {"user": "jane", "groups": [EVERYBODY]}),
        ({"user": "system:anonymous"}, {"user": "system:anonymous", "groups": ["system:unauthenticated"]}),
        ({"group": "dev"}, {"groups": ["dev", EVERYBODY]}),
        (
            {"group": "system:serviceaccounts:shop"},
            {"groups": ["system:serviceaccounts:shop", "system:serviceaccounts", EVERYBODY]},
        ),
        ({"group": "system:unauthenticated"}, {"groups": ["system:unauthenticated"]}),
        (
            {"service_account": "reporter", "namespace": "shop"},
            {
                "user": "system:serviceaccount:shop:reporter",
                "groups": ["system:serviceaccounts", "system:serviceaccounts:shop", EVERYBODY],
            },
        ),
        (
            {"user": "system:serviceaccount:shop:reporter"},
            {
                "user": "system:serviceaccount:shop:reporter",
                "groups": ["system:serviceaccounts", "system:serviceaccounts:shop", EVERYBODY],
            },
        ),
    ],
)
def test_groups_that_every_server_adds_are_added(said: dict[str, Any], review: dict[str, Any]) -> None:
    assert parse_subject(said, "who").review == review


@pytest.mark.parametrize(
    ("said", "unknown"),
    [
        ({"user": "jane"}, True),
        ({"user": "jane", "groups": []}, False),
        ({"user": "system:serviceaccount:shop:reporter"}, False),
        ({"user": "system:anonymous"}, False),
        ({"group": "dev"}, False),
    ],
)
def test_only_a_user_of_whom_no_groups_are_said_may_be_in_others(said: dict[str, Any], unknown: bool) -> None:
    assert parse_subject(said, "who").may_be_in_others is unknown


def test_a_service_account_is_where_it_is_named() -> None:
    assert parse_subject({"service_account": "reporter"}, "to", "shop").bound == {
        "kind": "ServiceAccount",
        "name": "reporter",
        "namespace": "shop",
    }


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("jane", "who: 'jane' is no subject"),
        ({}, "who: a subject has exactly one of user, group, service_account"),
        ({"user": "jane", "group": "dev"}, "exactly one of"),
        ({"user": ""}, "who.user: '' is no name"),
        ({"user": "jane", "groups": "dev"}, "who.groups: 'dev' is no list of words"),
        ({"user": "jane", "group_names": []}, "did you mean groups?"),
        ({"group": "dev", "namespace": "shop"}, "who.namespace: there is no such key beside group"),
        ({"service_account": "reporter"}, "needs its namespace"),
    ],
)
def test_what_is_no_subject_is_told(said: Any, told: str) -> None:
    with pytest.raises(HardeningError, match=told.replace("?", r"\?")):
        parse_subject(said, "who")
