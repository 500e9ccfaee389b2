# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How questions are read, asked and answered."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._questions import (
    Reply,
    parse_question,
    parse_questions,
    reply_of,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._served import Served, completed
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError


def test_a_question_of_the_caller_himself_names_nobody() -> None:
    question = parse_question({"verb": "get", "resource": "pods"}, "q")
    assert question.review == {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}},
    }


@pytest.mark.parametrize(
    "said",
    [
        {"resource": "deployments.apps/scale"},
        {"resource": "deployments.apps", "subresource": "scale"},
        {"resource": "deployments/scale", "api_group": "apps"},
    ],
)
def test_group_and_subresource_may_stand_in_the_resource_or_beside_it(said: dict[str, Any]) -> None:
    question = parse_question({"who": {"group": "dev"}, "verb": "get", "namespace": "shop", **said}, "q")
    assert question.review["kind"] == "SubjectAccessReview"
    assert question.review["spec"] == {
        "groups": ["dev", "system:authenticated"],
        "resourceAttributes": {
            "verb": "get",
            "group": "apps",
            "resource": "deployments",
            "subresource": "scale",
            "namespace": "shop",
        },
    }


def test_a_url_is_asked_as_a_path() -> None:
    question = parse_question({"who": {"group": "dev"}, "verb": "get", "url": "/metrics"}, "q")
    assert question.review["spec"]["nonResourceAttributes"] == {"path": "/metrics", "verb": "get"}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("get pods", "is no question"),
        ({"resource": "pods"}, "q.verb: None is no name"),
        ({"verb": "get"}, "either a resource or a url"),
        ({"verb": "get", "resource": "pods", "url": "/x"}, "either a resource or a url"),
        ({"verb": "get", "url": "metrics"}, "is no path"),
        ({"verb": "get", "url": "/metrics", "namespace": "x"}, "q.namespace: has no meaning beside url"),
        ({"verb": "get", "resource": "pods/log", "subresource": "log"}, "already says it"),
        ({"verb": "get", "resourse": "pods"}, "q.resourse: there is no such key; did you mean resource?"),
        ({"verb": "get", "resource": "pods", "namespace": 5}, "q.namespace: 5 is no name"),
        ({"verb": "get", "resource": "pods", "who": {}}, "q.who: a subject has exactly one of"),
    ],
)
def test_what_is_no_question_is_told(said: Any, told: str) -> None:
    with pytest.raises(HardeningError) as error:
        parse_question(said, "q")
    assert told in str(error.value)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(HardeningError) as error:
        parse_questions([{"verb": "get"}, {"verb": "get", "resource": "pods"}, {"resource": "pods"}])
    assert [line.partition(":")[0] for line in str(error.value).splitlines()] == ["questions[0]", "questions[2].verb"]


@pytest.mark.parametrize(
    ("said", "asked", "told"),
    [
        ({"resource": "pods"}, ("", "pods"), ""),
        ({"resource": "po"}, ("", "pods"), ""),
        ({"resource": "Pod"}, ("", "pods"), ""),
        ({"resource": "deployments"}, ("apps", "deployments"), ""),
        ({"resource": "events"}, ("", "events"), ""),
        ({"resource": "events.events.k8s.io"}, ("events.k8s.io", "events"), ""),
        ({"resource": "pods/log"}, ("", "pods"), ""),
        ({"resource": "*"}, (None, "*"), ""),
        ({"resource": "podz"}, ("", "podz"), "the server has no resource podz; did you mean pods?"),
        (
            {"resource": "deployments", "api_group": "batch"},
            ("batch", "deployments"),
            "the server has no resource deployments in the API group batch; there are deployments in apps",
        ),
        ({"resource": "pods/logs"}, ("", "pods"), "the server has no subresource pods/logs; did you mean pods/log?"),
        (
            {"resource": "nodes", "namespace": "shop"},
            ("", "nodes"),
            "nodes are in no namespace, so that the question is about the whole cluster",
        ),
    ],
)
def test_a_question_is_completed_by_what_the_server_has(
    served: Served, said: dict[str, Any], asked: tuple[str | None, str], told: str
) -> None:
    question, warning = completed(parse_question({"verb": "get", **said}, "q"), served)
    assert (question.group, question.resource) == asked
    assert warning == told


def test_an_answer_tells_what_the_server_said() -> None:
    status = {"allowed": False, "denied": True, "reason": "no", "evaluationError": "webhook down"}
    assert reply_of(status) == Reply(denied=True, reason="no", evaluation_error="webhook down")
    assert reply_of({"allowed": True}) == Reply(allowed=True)
