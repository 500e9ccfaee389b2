# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clusters of these tests, and how much of them is wanted.

ENCRYPTION=long takes every crash point with everything that can be killed, SEEDS=50 so many random walks beginning with
that of FIRST_SEED, SECRETS=10000 so many secrets in planned runs; ENCRYPTION_KEEP=1 leaves the clusters for the next
time. Unless told otherwise, it is what ten minutes have room for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.encryption import clusters
from tests.encryption.clusters import Cluster
from tests.encryption.invariants import key_of
from tests.encryption.runs import finish, kill_all

_KINDS = ("_one", "_three", "_three_stock")
_MADE: list[Cluster] = []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A seed for every random walk."""
    if "seed" in metafunc.fixturenames:
        first, count = int(os.environ.get("FIRST_SEED") or 1), int(os.environ.get("SEEDS") or 1)
        metafunc.parametrize("seed", range(first, first + count))


def pytest_itemcollected(item: pytest.Item) -> None:
    """Tell apart what may run beside the tests on several nodes."""
    if _kind(item) == 0:
        item.add_marker("one_node")


def pytest_collection_modifyitems(items: list[pytest.Item], config: pytest.Config) -> None:
    """Leave out what is long, unless it is wanted, and keep together what shares a cluster."""
    if os.environ.get("ENCRYPTION") != "long":
        long = [each for each in items if each.get_closest_marker("long")]
        config.hook.pytest_deselected(items=long)
        items[:] = [each for each in items if each not in long]
    items.sort(key=_kind)


def _kind(item: pytest.Item) -> int:
    """Which of the clusters a test uses, by its place below."""
    names = getattr(item, "fixturenames", ())
    return max((number for number, name in enumerate(_KINDS) if name in names), default=0)


@pytest.fixture(autouse=True)
def _no_run_outlives_its_test() -> Iterator[None]:
    yield
    kill_all()


def _made(nodes: int, api_server: str = "fast") -> Iterator[Cluster]:
    """One after the other: the servers of two large ones would take the time from each other."""
    _remove()
    _MADE.append(clusters.get(nodes, api_server))
    yield _MADE[-1]
    _remove()


def _remove() -> None:
    while _MADE and not os.environ.get("ENCRYPTION_KEEP"):
        clusters.remove(_MADE.pop().name)


@pytest.fixture(scope="session")
def _one() -> Iterator[Cluster]:
    yield from _made(1)


@pytest.fixture(scope="session")
def _three() -> Iterator[Cluster]:
    yield from _made(3)


@pytest.fixture(scope="session")
def _three_stock() -> Iterator[Cluster]:
    yield from _made(3, "stock")


@pytest.fixture
def one(_one: Cluster) -> Cluster:
    """One node, without encryption."""
    _one.reset()
    return _one


@pytest.fixture
def three(_three: Cluster) -> Cluster:
    """Three control planes and three members of etcd, without encryption."""
    _three.reset()
    return _three


@pytest.fixture
def three_stock(_three_stock: Cluster) -> Cluster:
    """The same with API servers that look for a new configuration once a minute."""
    _three_stock.reset()
    return _three_stock


@pytest.fixture
def encrypted(_three: Cluster, tmp_path: Path) -> Cluster:
    """Three control planes that encrypt, as the collection has it; by which provider, an earlier test has chosen."""
    if not key_of(_three):
        _three.reset()
        finish(_three, tmp_path, {"state": "present", "scrub": False})
    return _three


@pytest.fixture
def as_left(_three: Cluster) -> Cluster:
    """Three control planes, in plain text or encrypted as the last finished test has left them."""
    if not key_of(_three):
        _three.reset()
    return _three
