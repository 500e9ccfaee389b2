# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: which Services workloads name in the environment and the arguments of their containers.

No more than what stands there in plain text is looked at, and no value is ever told: it may hold a password.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import Facts
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._workload import PodTemplate

_HOST = r"(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)"
_FORMS = (
    re.compile(rf"://(?:[^\s/@]*@)?{_HOST}(?::(?P<port>\d+))?"),
    re.compile(rf"(?:^|[\s,;=@\"'(]){_HOST}:(?P<port>\d{{1,5}})(?![\w.:])"),
    re.compile(r"(?<![a-z0-9.-])(?P<host>[a-z0-9][a-z0-9.-]*\.svc)(?![a-z0-9-])(?P<port>)"),
)
"""A URL, a host with its port, and the whole name of a Service."""
_NAMES_A_HOST = re.compile(
    r"(HOST(NAME)?|ADDR(ESS)?|SERVER|SERVICE|ENDPOINT|UPSTREAM|BROKER|URL|URI)S?$", re.IGNORECASE
)
_LONGEST = 10_000


@dataclass(frozen=True, slots=True)
class Mention:
    """A workload that names a Service; ``port`` is ``None`` where it names none, ``where`` says where it stands."""

    workload: PodTemplate
    where: str
    namespace: str
    service: str
    port: int | None


def mentions(workload: PodTemplate, facts: Facts) -> Iterator[Mention]:
    """The Services that a workload names, each place once."""
    seen = set()
    for where, host, port in _hosts(workload.spec):
        found = _service(host, workload.namespace, facts)
        if found and (where, found, port) not in seen:
            seen.add((where, found, port))
            yield Mention(workload, where, *found, port)


def _hosts(spec: Mapping[str, Any]) -> Iterator[tuple[str, str, int | None]]:
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        for variable in container.get("env") or ():
            value, where = variable.get("value") or "", f"the environment variable {variable['name']}"
            if _NAMES_A_HOST.search(variable["name"]):
                yield where, value.strip(), None
            yield from ((where, host, port) for host, port in _in_text(value))
        for text in (*(container.get("command") or ()), *(container.get("args") or ())):
            yield from (("an argument", host, port) for host, port in _in_text(text))


def _in_text(text: str) -> Iterator[tuple[str, int | None]]:
    for form in _FORMS:
        for found in form.finditer(text[:_LONGEST]):
            yield found["host"], int(found["port"]) if found["port"] else None


def _service(host: str, namespace: str, facts: Facts) -> tuple[str, str] | None:
    """The Service behind a name in the cluster's DNS: ``name``, ``name.namespace``, ``[pod.]name.namespace.svc…``."""
    name, *rest = host.split(".")
    if len(rest) > 2 and rest[2] == "svc":
        name, *rest = rest
    if len(rest) > 1 and rest[1] != "svc":
        return None
    place = rest[0] if rest else namespace
    return (place, name) if name in (facts.services.get(place) or {}) else None
