# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records need permissions in one namespace alone, and a run goes on without them."""

from __future__ import annotations

from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._permissions import (
    ENFORCE,
    RECORDS,
    cluster_role_rules,
    permissions,
    places,
    weaker_messages,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._records import RECORD_NAMESPACE


def test_the_role_for_records_is_all_that_they_need_and_no_cluster_role_has_it() -> None:
    (rule,) = cluster_role_rules(RECORDS)
    asked = permissions("enforce", ["record"])
    assert rule == {"apiGroups": [""], "resources": ["configmaps"], "verbs": sorted(each.verb for each in asked)}
    assert not [each for each in cluster_role_rules(ENFORCE) if "configmaps" in each["resources"]]
    assert permissions("audit", ["record"]) == []


def test_they_are_asked_for_where_the_records_are_and_nowhere_else() -> None:
    asked = permissions("enforce", ["record"])
    assert {each.namespace for each in asked} == {RECORD_NAMESPACE}
    assert [place for each in asked for place in places(each, ["shop"])] == []


def test_without_them_a_run_is_only_weaker() -> None:
    (told,) = weaker_messages(permissions("enforce", ["record"]))
    assert told.startswith(f"Without create, delete, get, list, patch configmaps in the namespace {RECORD_NAMESPACE} [")
    assert told.endswith("the run is not recorded in the cluster, and can be put back by its file alone.")
