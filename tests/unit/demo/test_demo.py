# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demo takes nothing for a success that is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.demo import __main__ as demo

RUNNING = {"control": "pod_security.running_comply", "subject": "Pod/neighbours/host-reader", "status": "fail"}
OTHER = {"control": "network.default_deny", "subject": "Namespace/shop", "status": "unknown"}
GOOD = {**OTHER, "status": "pass"}


@pytest.mark.parametrize(
    ("findings", "errors", "as_promised"),
    [
        ([RUNNING, GOOD], [], True),
        ([GOOD], [], False),
        ([RUNNING, OTHER], [], False),
        ([{**RUNNING, "subject": "Pod/shop/web"}], [], False),
        ([RUNNING, GOOD], ["network_policies: refused"], False),
    ],
)
def test_the_running_pod_is_the_one_failure(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    findings: list[dict[str, Any]],
    errors: list[str],
    as_promised: bool,
) -> None:
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"findings": findings, "errors": errors}), encoding="utf-8")
    monkeypatch.setattr(demo, "REPORT", report)
    monkeypatch.setattr(demo, "play", lambda *_arguments, **_options: None)
    if as_promised:
        demo.harden(tmp_path, demo.THE_ONE_FAILURE)
    else:
        with pytest.raises(demo.Surprise, match="the report names"):
            demo.harden(tmp_path, demo.THE_ONE_FAILURE)


class Neighbours:
    """A hardened cluster in which a neighbour gets this answer of postgres."""

    def __init__(self, answer: str) -> None:
        self._answer = answer

    def pod_of(self, _namespace: str, app: str) -> str:
        return app

    def run(self, _namespace: str, _pod: str, *command: str) -> str:
        return self._answer if "connect" in command else "frontend -> backend -> postgres: ok"

    def refusal(self, manifest: Path, _name: str) -> str:
        return (
            "exceeded quota: hardening-quota" if manifest == demo.GREEDY else 'violates PodSecurity "baseline:latest"'
        )

    def may(self, _user: str, _verb: str, _resource: str, _namespace: str) -> str:
        return "no"

    def has_pod(self, _namespace: str, _name: str) -> bool:
        return False


@pytest.mark.parametrize("answer", ["refused", "timeout", "open", "unresolved", "unreachable", "", "sh: not found"])
def test_only_a_network_that_drops_or_rejects_has_blocked(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr(demo, "SECONDS_TO_SETTLE", -1)
    cluster: Any = Neighbours(answer)
    if answer in ("refused", "timeout"):
        demo.look(cluster, hardened=True)
    else:
        with pytest.raises(demo.Surprise, match="connects to postgres"):
            demo.look(cluster, hardened=True)
