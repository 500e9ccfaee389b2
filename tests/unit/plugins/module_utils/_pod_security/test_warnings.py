# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._warnings import (
    PodGroup,
    existing_pods,
)

HEADLINE = 'existing pods in namespace "shop" violate the new PodSecurity enforce level "restricted:latest"'


def test_no_warnings_mean_that_nothing_would_break() -> None:
    existing = existing_pods([])
    assert (existing.violate, existing.groups, existing.incomplete, existing.other) == (False, (), "", ())


def test_every_group_of_pods_is_told() -> None:
    existing = existing_pods(
        [
            HEADLINE,
            "frontend-5d (and 2 other pods): allowPrivilegeEscalation != false, unrestricted capabilities",
            "legacy (and 1 other pod): host namespaces",
            "root: privileged, hostPath volumes",
        ]
    )
    assert existing.violate
    assert existing.groups == (
        PodGroup("frontend-5d", 2, "allowPrivilegeEscalation != false, unrestricted capabilities"),
        PodGroup("legacy", 1, "host namespaces"),
        PodGroup("root", 0, "privileged, hostPath volumes"),
    )
    assert "frontend-5d and 2 more (allow" in existing.told
    assert existing.other == ()


def test_pods_that_were_not_looked_at_are_told() -> None:
    limit = "new PodSecurity enforce level only checked against the first 3000 of 4100 existing pods"
    assert existing_pods([limit]).incomplete == limit
    assert not existing_pods([limit]).violate
    unlisted = "failed to list pods while checking new PodSecurity enforce level"
    assert existing_pods([unlisted]).incomplete == unlisted


def test_warnings_that_the_server_cut_short_are_not_taken_for_all() -> None:
    groups = [f"{'p' * 200}-{i}: privileged{'d' * 44}" for i in range(17)]
    assert existing_pods([HEADLINE, *groups]).incomplete == "the server cut its warnings short"


def test_warnings_of_others_are_kept() -> None:
    text = "example.com: this namespace has no owner"
    assert existing_pods([text]).other == (text,)
    existing = existing_pods([HEADLINE, "Owner label missing", "web: privileged"])
    assert existing.other == ("Owner label missing",)
    assert existing.groups == (PodGroup("web", 0, "privileged"),)


def test_a_headline_without_pods_still_says_that_some_would_break() -> None:
    existing = existing_pods([HEADLINE])
    assert existing.violate
    assert existing.told == "pods that the server does not name"
