# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._sets import find_set

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi

KINDS = [KNOWN["v1", "LimitRange"], KNOWN["v1", "ResourceQuota"]]


def test_one_request_for_each_kind_with_the_label_and_no_more_than_metadata(api: FakeApi) -> None:
    api.store("limitranges", "a", "x")
    found = find_set(connect({"host": api.url, "api_key": "a"}), KINDS, "shop")
    assert [each["kind"] for each in found.objects] == ["LimitRange"] and not found.unseen and not found.why_unseen
    assert api.counts() == {"LIST": 2}
    assert {each.query["labelSelector"] for each in api.requests} == {"hardening.kubernetes/set=shop"}
    assert all("PartialObjectMetadataList" in each.headers["Accept"] for each in api.requests)


def test_what_may_not_be_listed_is_told_and_the_rest_is_found(api: FakeApi) -> None:
    api.store("resourcequotas", "a", "x")
    api.forbidden = lambda _method, at: at.plural == "limitranges"
    found = find_set(connect({"host": api.url, "api_key": "a"}), KINDS, "shop", label="other")
    assert [each["kind"] for each in found.objects] == ["ResourceQuota"]
    assert list(found.unseen) == ["LimitRange"] and "Grant this permission" in found.why_unseen
    assert {each.query["labelSelector"] for each in api.requests} == {"other=shop"}
