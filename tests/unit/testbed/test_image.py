# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.testbed import gobuild, image, tables
from tests.testbed.errors import SetupError

ROW = tables.Kubernetes("1.36", 1, pause="3.10.2")
NEWEST, OLDER = image.published_nodes(ROW)
NOT_THERE = f"`docker pull {NEWEST}` failed with status 1:\nError response from daemon: manifest unknown"
REFUSED = f"`docker pull {NEWEST}` failed with status 1:\nError response from daemon: dial tcp: connection refused"
HALF = f"`docker pull {NEWEST}` failed with status 1:\nPulling fs layer\nunexpected EOF"
MISMATCH = f"`docker pull {NEWEST}` failed with status 1:\nfilesystem layer verification failed for digest sha256:0"
SLOW = f"`docker pull {NEWEST}` did not end within 600 s."


@dataclass
class Registry:
    """An engine whose pulls give these answers, and whose images are under these ids."""

    failures: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    containers: list[str] = field(default_factory=list)

    def has_image(self, name: str) -> bool:
        return name in self.ids

    def docker(self, *words: str, timeout: float | None = None) -> str:
        name = words[-1]
        if words[0] == "pull":
            assert timeout
            assert timeout <= max(image.PULL_SECONDS, 1)
            self.asked.append(name)
            if name in self.failures:
                raise SetupError(self.failures[name])
        if words[0] == "ps":
            return "\n".join(self.containers)
        if words[0] == "rm":
            self.containers.remove(name)
        if words[0] == "images":
            # By its id an image that others were made from is refused.
            assert "--format" in words
            return "\n".join(known for known in self.ids if known.endswith(":building"))
        if words[0] == "rmi":
            assert not self.containers
            del self.ids[name]
        if words[:2] == ("image", "inspect") and name not in self.ids:
            raise SetupError(f"No such image: {name}")
        return self.ids.get(name, "")


@pytest.mark.parametrize("failure", [NOT_THERE, REFUSED, HALF, MISMATCH])
def test_a_patch_that_cannot_be_had_gives_way_to_an_older_one(failure: str) -> None:
    registry = Registry({NEWEST: failure})
    assert image.pull_first(registry, [NEWEST, OLDER]) == OLDER  # type: ignore[arg-type]


@pytest.mark.parametrize("failure", [REFUSED, HALF, MISMATCH, SLOW])
def test_a_pull_that_fails_is_followed_by_building_with_the_reason(
    failure: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HARDENING_CACHE", str(tmp_path))
    monkeypatch.setattr(gobuild, "is_built", lambda _tool: False)
    built: list[tables.Kubernetes] = []
    monkeypatch.setattr(image, "assemble", lambda _engine, row: built.append(row))
    row = tables.kubernetes("1.36")
    newest, *older = image.published_nodes(row)
    registry = Registry({newest: failure, **dict.fromkeys(older, NOT_THERE)})
    assert image.ensure_node(registry, row) == image.built_node(row)  # type: ignore[arg-type]
    assert registry.asked == image.published_nodes(row)
    assert built == [row]
    said = capsys.readouterr().err
    assert "the node image is built here" in said
    assert failure.splitlines()[-1] in said


def test_the_last_failure_is_told_for_it_may_be_the_time_that_ran_out() -> None:
    registry = Registry({NEWEST: REFUSED, OLDER: SLOW})
    with pytest.raises(SetupError, match="did not end"):
        image.pull_first(registry, [NEWEST, OLDER])  # type: ignore[arg-type]


def test_a_pull_that_took_all_the_time_is_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "PULL_SECONDS", 0)
    registry = Registry({NEWEST: SLOW})
    with pytest.raises(SetupError, match="did not end"):
        image.pull_first(registry, [NEWEST, OLDER])  # type: ignore[arg-type]
    assert registry.asked == [NEWEST]


def test_a_registry_that_knows_none_of_them_is_named_as_the_reason() -> None:
    registry = Registry({NEWEST: NOT_THERE, OLDER: NOT_THERE})
    with pytest.raises(SetupError, match=f"knows none of {NEWEST}, {OLDER}"):
        image.pull_first(registry, [NEWEST, OLDER])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ids", "may_lend", "left"),
    [
        ({tables.BALANCER_IMAGE: "ours"}, True, {tables.BALANCER_IMAGE}),
        (
            {tables.BALANCER_IMAGE: "ours", tables.KIND_BALANCER_IMAGE: "ours"},
            True,
            {tables.BALANCER_IMAGE},
        ),
        (
            {tables.BALANCER_IMAGE: "ours", tables.KIND_BALANCER_IMAGE: "real"},
            False,
            {tables.BALANCER_IMAGE, tables.KIND_BALANCER_IMAGE},
        ),
        ({tables.KIND_BALANCER_IMAGE: "real"}, False, {tables.KIND_BALANCER_IMAGE}),
    ],
)
def test_the_users_own_balancer_image_keeps_its_name(ids: dict[str, str], may_lend: bool, left: set[str]) -> None:
    registry = Registry(ids=ids)
    assert image.may_lend_name(registry) is may_lend  # type: ignore[arg-type]
    image.take_name_back(registry)  # type: ignore[arg-type]
    assert set(registry.ids) == left


def test_what_a_kill_left_in_the_engine_goes_and_the_rest_stays() -> None:
    left = {"hardening.local/node-base:building": "base", tables.KIND_BALANCER_IMAGE: "ours"}
    kept = {tables.BALANCER_IMAGE: "ours", "kindest/node:v1.36.1": "theirs"}
    registry = Registry(ids={**left, **kept}, containers=[image.BUILD_CONTAINER])
    image.clear_unfinished(registry)  # type: ignore[arg-type]
    assert registry.ids == kept
    assert registry.containers == []
    image.clear_unfinished(registry)  # type: ignore[arg-type]
    assert registry.ids == kept
