# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Readers and writers that never rest while keys change, and a judgement of every answer that they get.

A wrong content, a lost secret, or an error of storage is a fault at any time. A server may refuse a client only while
it restarts, and no two at once; who fails over between the servers sees no failed request. Where servers are killed,
requests may fail, and still no content may be wrong and nothing may be lost.
"""

from __future__ import annotations

import base64
import itertools
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from tests.encryption import etcd
from tests.encryption.clusters import Cluster
from tests.encryption.door import Answer, Door, Doors, Refused
from tests.encryption.ledger import ABSENT, Ledger
from tests.encryption.restarts import Restarts

PAGE = 250
MOST_GONE = 100
"""How many deleted secrets each server is asked for in the end."""
BUSY_SECONDS = 60.0
"""How long a server may then say that it cannot answer now: that is no answer, so nothing is wrong or right by it."""
LIST_SECONDS = (5.0, 60.0)
"""How long some list waits between its pages: as long as a rotation takes, or not even as long as one step of it."""
FEWEST, MOST = 10, 40
"""How many secrets a writer has at a time, besides those that stay."""
KINDS = ("creations", "changes", "deletions", "reads", "lists")
WRITES = KINDS[:3]
LEAST_WRITTEN = 0.05
"""What part of the writes that are asked for has to come about, or it was no storm.

Writers make up for nothing, so how much they write is what the servers let through: on two cores that have other work
too, 3 to 20 of 50 a second were seen with three servers. Below that, something held the writers up.
"""
STORAGE_WORDS = (
    "transform",
    "decrypt",
    "matching key",
    "padding",
    "encrypted data",
    "encryption",
    "cipher",
    "authentication failed",
    "unable to decode",
    "no kind",
)
"""What API servers say when they cannot read what is in etcd, in whatever answer."""


@dataclass(frozen=True, slots=True)
class Outage:
    """From when until when a server refused its direct readers, and how the first refusal sounded."""

    address: str
    since: float
    until: float
    told: str


@dataclass(slots=True)
class Seen:
    """What the storm found; shared by all its threads."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    slowest: float = 0

    @property
    def refused_seconds(self) -> float:
        """For how long any server refused its direct readers; two of them may tell of the same outage."""
        total = until = 0.0
        for each in sorted(self.outages, key=lambda outage: outage.since):
            total += max(each.until - max(each.since, until), 0)
            until = max(each.until, until)
        return total

    def calm(self, wanted: float, seconds: float) -> list[str]:
        """What did not happen, or too seldom, in so many seconds of so many writes a second that were asked for."""
        found = [f"the storm did not come: no {kind} in {seconds:.0f} s" for kind in KINDS if not self.counts[kind]]
        # A client that waits for a server to come back writes nothing meanwhile.
        open_seconds = seconds - self.refused_seconds
        written = sum(self.counts[kind] for kind in WRITES)
        if written < LEAST_WRITTEN * wanted * open_seconds:
            found.append(
                f"the storm did not come: {written} writes in {open_seconds:.0f} s, asked for {wanted:g} a second"
            )
        return found


class Storm:
    """Base secrets that stay, and on top of them readers and writers. A context: it rests when the context ends.

    ``changes`` is how many secrets are created, changed or deleted a second, ``reads`` how many each reader asks for.
    """

    def __init__(self, cluster: Cluster, base: int = 200, changes: float = 50, reads: float = 10) -> None:
        self.cluster = cluster
        self.namespace = f"storm-{uuid.uuid4().hex[:6]}"
        self.ledger = Ledger(self.namespace)
        self.seen = Seen()
        self.restarts = Restarts(cluster)
        self._base = [f"base-{number:05}" for number in range(base)]
        self._recent: list[str] = []
        self._changes, self._reads = changes, reads
        self._addresses = [*cluster.addresses.values()]
        self._context = cluster.context()
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._writers = 3
        self._began = self._seconds = 0.0

    def __enter__(self) -> Storm:
        self.prepare()
        self.restarts.begin()
        work: list[Callable[[], None]] = [
            *(_with(self._read_at, address) for address in self._addresses),
            *(_with(self._list_at, address) for address in self._addresses),
            self._read_anywhere,
            self._list_slowly,
            *(_with(self._write, number) for number in range(self._writers)),
        ]
        self._threads = [threading.Thread(target=self._guarded, args=(each,), daemon=True) for each in work]
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.rest()

    def rest(self) -> None:
        """Let readers and writers end what they are at."""
        self._seconds = time.monotonic() - self._began
        self._over.set()
        for thread in self._threads:
            thread.join()
        self.restarts.end()

    def prepare(self) -> None:
        """The namespace and the secrets that stay."""
        doors = self._doors()
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        answer, _repeated = doors.ask("POST", "/api/v1/namespaces", body, 60)
        assert answer.status in (201, 409), answer.told
        local = threading.local()

        def make(name: str) -> None:
            if not hasattr(local, "doors"):
                local.doors = self._doors()
            self._create(local.doors, name, 60)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(make, self._base))
        assert not (self.seen.failed or self.seen.faults), self.told()
        # What counts is what happens from now on.
        self.seen.counts.clear()

    # Judgement

    def judge_planned(self) -> list[str]:
        """All that a planned run must not cause."""
        seen = self.seen
        found = [*seen.faults, *(f"failed though it failed over: {each}" for each in seen.failed)]
        found += [f"an error: {each}" for each in seen.errors]
        for outage in seen.outages:
            if not self.restarts.explains(outage.address, outage.since, outage.until):
                found.append(f"refused without a restart: {outage.told}, for {outage.until - outage.since:.1f} s")
        for one, other in itertools.combinations(seen.outages, 2):
            if one.address != other.address and one.since < other.until and other.since < one.until:
                found.append(f"refused at two servers at once: {one.told}; {other.told}")
        return found

    def judge_itself(self) -> list[str]:
        """Whether it was a storm at all: one that hardly writes finds nothing."""
        return self.seen.calm(self._changes, self._seconds)

    def judge_killed(self) -> list[str]:
        """All that must not be even where something was killed."""
        return list(self.seen.faults)

    def told(self) -> str:
        """What the storm saw, in a line or a few."""
        seen = self.seen
        counted = ", ".join(f"{count} {what}" for what, count in sorted(seen.counts.items()))
        outages = "; ".join(f"{each.told} for {each.until - each.since:.1f} s" for each in seen.outages)
        lines = [f"{counted} in {self._seconds:.0f} s; slowest {seen.slowest:.1f} s", f"refusals: {outages or 'none'}"]
        lines += [f"{len(each)} {what}: {'; '.join(each[:5])}" for what, each in self._lists() if each]
        return "\n".join(lines)

    def _lists(self) -> list[tuple[str, list[str]]]:
        return [("faults", self.seen.faults), ("failed", self.seen.failed), ("errors", self.seen.errors)]

    def all_is_there(self) -> list[str]:
        """Faults in what every server answers now, about every secret: after the storm, nothing may be in doubt."""
        return [fault for address in self._addresses for fault in self._differences(address)]

    def _differences(self, address: str) -> Iterator[str]:
        """Each secret is asked for alone: that comes out of etcd, and a list may come out of the server's memory."""
        local = threading.local()

        def look(name: str) -> str:
            if not hasattr(local, "doors"):
                local.doors = Doors([address], self._context)
            since = time.monotonic()
            answer, _repeated = local.doors.ask("GET", self._path(name), seconds=BUSY_SECONDS)
            if answer.status not in (200, 404):
                return f"{address}: {answer.status} for {name}: {answer.told[:200]}"
            found = _content(answer.body) if answer.status == 200 else None
            return self._difference(address, name, found, since, time.monotonic())

        with ThreadPoolExecutor(8) as pool:
            yield from filter(None, pool.map(look, self.ledger.names(MOST_GONE)))

    def _difference(self, address: str, name: str, found: str | None, since: float, until: float) -> str:
        if self.ledger.is_right(name, found, since, until):
            return ""
        told = "nothing" if found is None else repr(found[:60])
        return f"{address}: {name} holds {told}, and not one of {self.ledger.possible(name, since, until)}"

    def clear(self) -> None:
        """Remove the namespace, and wait until its secrets are gone."""
        doors = self._doors()
        doors.ask("DELETE", f"/api/v1/namespaces/{self.namespace}", seconds=60)
        deadline = time.monotonic() + 120
        while etcd.prefixes(self.cluster, f"/registry/secrets/{self.namespace}/"):
            assert time.monotonic() < deadline, f"the secrets of {self.namespace} do not go"
            time.sleep(0.5)

    def prefixes(self) -> Counter[str]:
        """How many of all secrets in etcd, whosever they are, start with what."""
        return Counter(etcd.prefixes(self.cluster, "/registry/secrets/").values())

    # Readers

    def _read_at(self, address: str) -> None:
        door = Door(address, self._context)
        for name in self._paced(self._reads):
            self._read(name, door)

    def _read(self, name: str, door: Door) -> None:
        since = time.monotonic()
        try:
            answer = door.ask("GET", self._path(name))
        except Refused as refused:
            self._wait_for(door, since, str(refused))
            return
        self._judge_read(answer, name, since)

    def _read_anywhere(self) -> None:
        doors = self._doors()
        for name in self._paced(self._reads):
            since = time.monotonic()
            try:
                answer, _repeated = doors.ask("GET", self._path(name), seconds=self._patience)
            except Refused as refused:
                self.seen.failed.append(f"GET {refused}")
                continue
            self._judge_read(answer, name, since)

    def _list_at(self, address: str) -> None:
        """Page by page: what a server cannot read spoils the whole list."""
        door = Door(address, self._context)
        while not self._over.wait(1 / max(self._reads / 20, 0.1)):
            since = time.monotonic()
            try:
                found = dict(self._pages(door, PAGE, "&resourceVersion="))
            except Refused as refused:
                self._wait_for(door, since, str(refused))
                continue
            except _Judged:
                continue
            until = time.monotonic()
            self._count("lists", since, until)
            self.seen.faults += [
                f"{address}: {name} is missing in a list" for name in self.ledger.certain(since, until) - found.keys()
            ]
            self.seen.faults += [
                f"{address}: {name} holds {content[:60]!r} in a list"
                for name, content in found.items()
                if name in self.ledger.known([name]) and not self.ledger.is_right(name, content, since, until)
            ]

    def _pages(self, door: Door, limit: int, query: str) -> Iterator[tuple[str, str]]:
        token = ""
        while True:
            path = f"{self._path('')}?limit={limit}{query if not token else ''}&continue={token}"
            answer = door.ask("GET", path)
            if answer.status == 410:
                raise _Judged("what the list was begun from was compacted: it would be begun anew")
            if answer.status != 200:
                raise self._judged(answer, "a list")
            yield from ((each["metadata"]["name"], _content(each)) for each in answer.body["items"])
            token = answer.body["metadata"].get("continue", "")
            if not token:
                return

    def _list_slowly(self) -> None:
        """Second pages long after the first: by then a key may be gone that wrote what was there when it began."""
        chance = random.Random(self.namespace)
        for address in itertools.cycle(self._addresses):
            if self._over.wait(1):
                return
            with suppress(Refused, _Judged):
                for number, _item in enumerate(self._pages(Door(address, self._context), FEWEST, ""), 1):
                    if number == FEWEST:
                        self._over.wait(chance.uniform(*LIST_SECONDS))
                    elif number > FEWEST:
                        break

    def _wait_for(self, door: Door, since: float, told: str) -> None:
        """One outage lasts until the server says that it is ready again."""
        while not self._over.is_set():
            try:
                status, _text = door.raw("GET", "/readyz")
            except Refused:
                status = 0
            if status == 200:
                break
            self._over.wait(0.2)
        self.seen.outages.append(Outage(door.address, since, time.monotonic(), told))

    def _judge_read(self, answer: Answer, name: str, since: float) -> None:
        until = time.monotonic()
        self._count("reads", since, until)
        if answer.status not in (200, 404):
            self._judged(answer, name)
            return
        found = _content(answer.body) if answer.status == 200 else None
        if fault := self._difference(answer.address, name, found, since, until):
            self.seen.faults.append(fault)

    def _judged(self, answer: Answer, what: str) -> _Judged:
        """An answer that is none of the right ones: of storage it is a fault at any time."""
        told = f"{answer.address}: {answer.status} for {what}: {answer.told[:200]}"
        is_storage = any(word in answer.told.lower() for word in STORAGE_WORDS)
        (self.seen.faults if is_storage else self.seen.errors).append(told)
        return _Judged(told)

    # Writers

    def _write(self, number: int) -> None:
        """Secrets come, change several times, and go; some stay."""
        doors = self._doors(number)
        chance = random.Random(f"{self.namespace}/{number}")
        mine: dict[str, int] = {}
        serial = itertools.count()
        for _name in self._paced(self._changes / self._writers):
            action = chance.random()
            if len(mine) < FEWEST or (action < 0.35 and len(mine) < MOST):
                name = f"storm-{number}-{next(serial):05}"
                if self._create(doors, name, self._patience):
                    mine[name] = 1
                    self._recent = [*self._recent[-30:], name]
                continue
            name = chance.choice(sorted(mine))
            if action < 0.7:
                generation = mine[name] + 1
                if self._change(doors, name, generation):
                    mine[name] = generation
                else:
                    del mine[name]
            else:
                del mine[name]
                self._delete(doors, name)

    def _create(self, doors: Doors, name: str, seconds: float) -> bool:
        """Whether it was made, and certainly only once."""
        since = time.monotonic()
        self.ledger.begin(name, 1)
        try:
            answer, repeated = doors.ask("POST", self._path(""), self._body(name, 1), seconds)
        except Refused as refused:
            self._failed("POST", name, refused)
            return False
        if answer.status == 201 or (answer.status == 409 and repeated):
            self.ledger.done(name)
            self._count("creations", since)
            return not repeated
        self._judged(answer, f"the creation of {name}")
        return False

    def _change(self, doors: Doors, name: str, generation: int) -> bool:
        """Whether it was changed. Somebody else who rewrites it is a conflict, after which it is changed again."""
        since = time.monotonic()
        self.ledger.begin(name, generation)
        wanted = self.ledger.content(name, generation)
        tried = False
        for _attempt in range(20):
            try:
                current, _repeated = doors.ask("GET", self._path(name), seconds=self._patience)
                if current.status != 200:
                    self._judged(current, f"a look at {name}")
                    return False
                if tried and _content(current.body) == wanted:
                    break
                body = self._body(name, generation)
                body["metadata"]["resourceVersion"] = current.body["metadata"]["resourceVersion"]
                tried = True
                answer, _repeated = doors.ask("PUT", self._path(name), body, self._patience)
            except Refused as refused:
                self._failed("PUT", name, refused)
                return False
            if answer.status == 200:
                break
            if answer.status != 409:
                self._judged(answer, f"the change of {name}")
                return False
        else:
            self.seen.errors.append(f"{name} could not be changed for conflicts")
            return False
        self.ledger.done(name)
        self._count("changes", since)
        return True

    def _delete(self, doors: Doors, name: str) -> None:
        since = time.monotonic()
        self.ledger.begin(name, ABSENT)
        try:
            answer, repeated = doors.ask("DELETE", self._path(name), seconds=self._patience)
        except Refused as refused:
            self._failed("DELETE", name, refused)
            return
        if answer.status == 200 or (answer.status == 404 and repeated):
            self.ledger.done(name)
            self._count("deletions", since)
        else:
            self._judged(answer, f"the deletion of {name}")

    def _failed(self, method: str, name: str, refused: Refused) -> None:
        self.seen.failed.append(f"{method} {name} {refused}")
        if not refused.sent:
            self.ledger.refused(name)

    # Means

    @property
    def _patience(self) -> float:
        """With one server alone there is nothing to fail over to while it restarts."""
        return 5 if len(self._addresses) > 1 else 120

    def _doors(self, first: int = 0) -> Doors:
        return Doors(self._addresses, self._context, first)

    def _path(self, name: str) -> str:
        return f"/api/v1/namespaces/{self.namespace}/secrets" + (f"/{name}" if name else "")

    def _body(self, name: str, generation: int) -> dict[str, Any]:
        content = base64.b64encode(self.ledger.content(name, generation).encode()).decode()
        return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": {"value": content}}

    def _paced(self, rate: float) -> Iterator[str]:
        """A name now and then, until the storm is over; a late one is not made up for."""
        chance = random.Random()
        due = time.monotonic()
        while not self._over.is_set():
            recent = self._recent
            pool: Sequence[str] = recent if recent and chance.random() < 0.5 else self._base
            yield chance.choice(pool)
            due = max(due + 1 / rate, time.monotonic() - 1)
            self._over.wait(max(due - time.monotonic(), 0))

    def _count(self, what: str, since: float, until: float | None = None) -> None:
        self.seen.counts[what] += 1
        self.seen.slowest = max(self.seen.slowest, (until or time.monotonic()) - since)

    def _guarded(self, work: Callable[[], None]) -> None:
        """A reader or writer that breaks is a fault: it would look like a storm without faults."""
        try:
            work()
        except Exception as error:
            self.seen.faults.append(f"the storm itself broke: {type(error).__name__} {error}")
            raise


class _Judged(Exception):
    """A list that did not come about, of which an answer was judged already."""


def _with(function: Callable[[Any], None], argument: Any) -> Callable[[], None]:
    return lambda: function(argument)


def _content(secret: dict[str, Any]) -> str:
    return base64.b64decode(secret.get("data", {}).get("value", "")).decode(errors="replace")


@contextmanager
def planned(storm: Storm) -> Iterator[Storm]:
    """A storm during which nothing is killed; in the end no server may have a fault to show."""
    with storm:
        yield storm
    print(storm.told())
    found = [*storm.judge_itself(), *storm.judge_planned(), *storm.all_is_there()]
    assert not found, "\n".join(found[:20])


@contextmanager
def rough(storm: Storm) -> Iterator[Storm]:
    """A storm during which all may be killed; requests fail, and nothing is lost."""
    with storm:
        yield storm
    print(storm.told())
    found = [*storm.judge_killed(), *storm.all_is_there()]
    assert not found, "\n".join(found[:20])
