# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A thousand questions about access, and those that have no answer, on a real cluster."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client

from tests.integration.conftest import Ansible, object_of
from tests.integration.plays import run_task

RBAC = "rbac.authorization.k8s.io"
QUESTIONS = 1_000


def test_a_thousand_questions_are_answered_in_their_order(ansible: Ansible) -> None:
    verbs = ("get", "list", "watch", "create", "delete")
    questions = [
        {
            "who": {"user": f"nobody-{number}", "groups": ["system:masters"] if number % 2 else []},
            "verb": verbs[number % len(verbs)],
            "resource": "pods",
            "namespace": "default",
        }
        for number in range(QUESTIONS)
    ]
    told = ansible.task("access_info", questions=questions)
    assert [each["allowed"] for each in told["answers"]] == [bool(number % 2) for number in range(QUESTIONS)]
    assert told["summary"] == {"allowed": QUESTIONS // 2, "not_allowed": QUESTIONS // 2, "unanswered": 0}


def test_answers_are_those_of_the_server(kubeconfig: Path, client: Client, namespace: str) -> None:
    rules = [{"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["patch"]}]
    subject = {"kind": "ServiceAccount", "name": "scaler", "namespace": namespace}
    role_ref = {"apiGroup": RBAC, "kind": "Role", "name": "scaler"}
    for obj in (
        object_of("Role", "scaler", namespace, f"{RBAC}/v1", rules=rules),
        object_of("RoleBinding", "scaler", namespace, f"{RBAC}/v1", roleRef=role_ref, subjects=[subject]),
    ):
        assert client.create(obj).ok
    scaler = {"service_account": "scaler", "namespace": namespace}
    questions = [
        {"who": scaler, "verb": "patch", "resource": "deploy/scale", "namespace": namespace},
        {"who": scaler, "verb": "patch", "resource": "deployments.apps", "namespace": namespace},
        {"who": scaler, "verb": "get", "url": "/version"},
        {"who": {"user": "system:anonymous"}, "verb": "get", "url": "/version"},
        {"who": {"user": "system:anonymous"}, "verb": "get", "url": "/metrics"},
        {"verb": "*", "resource": "*"},
        {"who": {"group": "system:masters"}, "verb": "get", "resource": "podz"},
        {"who": {"group": "system:masters"}, "verb": "get", "resource": "nodes", "namespace": namespace},
    ]
    deadline = time.monotonic() + 30
    while True:
        told = run_task(kubeconfig, "access_info", False, {"questions": questions})
        if told["answers"][0]["allowed"] or time.monotonic() > deadline:
            break
    assert not told["failed"], told
    assert [each["allowed"] for each in told["answers"]] == [True, False, True, True, False, True, True, True]
    assert 'RoleBinding "scaler/' in told["answers"][0]["reason"]
    assert told["answers"][0]["groups"] == [
        "system:serviceaccounts",
        f"system:serviceaccounts:{namespace}",
        "system:authenticated",
    ]
    assert told["warnings"] == [
        "questions[6]: the server has no resource podz; did you mean pods?",
        "questions[7]: nodes are in no namespace, so that the question is about the whole cluster",
    ]


def test_a_question_without_an_answer_fails_and_hides_no_other(user: Callable[..., Path]) -> None:
    less = user({"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]})
    questions = [
        {"who": {"user": "jane"}, "verb": "get", "resource": "pods"},
        {"verb": "create", "resource": "selfsubjectaccessreviews.authorization.k8s.io"},
    ]
    told = run_task(less, "access_info", False, {"questions": questions})
    assert told["failed"]
    assert "1 of 2 questions have no answer" in told["msg"]
    assert "subjectaccessreviews" in told["msg"]
    assert "allowed" not in told["answers"][0]
    assert told["answers"][1]["allowed"]


def test_what_is_no_question_is_told_before_anything_is_asked(kubeconfig: Path) -> None:
    told = run_task(kubeconfig, "access_info", False, {"questions": [{"verb": "get"}, {"who": {}, "verb": "get"}]})
    assert told["failed"]
    assert "questions[0]: a question has either a resource or a url" in told["msg"]
    assert "questions[1].who" in told["msg"]
