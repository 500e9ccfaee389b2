# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: one question about access, how a server is asked it, and what it answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._rbac._subjects import Subject, parse_subject, text
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean

API = "authorization.k8s.io/v1"
_KEYS = ("who", "verb", "resource", "api_group", "subresource", "name", "namespace", "url")
_BESIDE_URL = frozenset({"who", "verb", "url"})


@dataclass(frozen=True, slots=True)
class Access:
    """One question: may ``who`` do ``verb``? ``None`` is the user who asks.

    ``group`` is ``None`` where the resource was named without its API group. An empty namespace means all of them,
    or none for what has none. Of ``resource`` and ``url`` one is set.
    """

    who: Subject | None
    verb: str
    resource: str = ""
    group: str | None = None
    subresource: str = ""
    name: str = ""
    namespace: str = ""
    url: str = ""

    def __str__(self) -> str:
        """``get pods/log reporter-1 in production``, without who."""
        if self.url:
            return f"{self.verb} {self.url}"
        resource = f"{self.resource}.{self.group}" if self.group else self.resource
        said = f"{self.verb} {resource}{f'/{self.subresource}' if self.subresource else ''}"
        return f"{said}{f' {self.name}' if self.name else ''}{f' in {self.namespace}' if self.namespace else ''}"

    @property
    def kind(self) -> str:
        """The kind of review that answers it."""
        return "SubjectAccessReview" if self.who else "SelfSubjectAccessReview"

    @property
    def review(self) -> dict[str, Any]:
        """The object to send."""
        spec: dict[str, Any] = self.who.review if self.who else {}
        if self.url:
            spec["nonResourceAttributes"] = {"path": self.url, "verb": self.verb}
        else:
            attributes = {
                "verb": self.verb,
                "group": self.group,
                "resource": self.resource,
                "subresource": self.subresource,
                "name": self.name,
                "namespace": self.namespace,
            }
            spec["resourceAttributes"] = {key: value for key, value in attributes.items() if value}
        return {"apiVersion": API, "kind": self.kind, "spec": spec}

    def to_dict(self) -> dict[str, Any]:
        """The question as results tell it; what it leaves open is left out."""
        told = {
            "who": str(self.who) if self.who else "",
            "verb": self.verb,
            "resource": self.resource,
            "api_group": self.group,
            "subresource": self.subresource,
            "name": self.name,
            "namespace": self.namespace,
            "url": self.url,
        }
        return {key: value for key, value in told.items() if value}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server said to one question; ``error`` is set, and nothing else, where it gave no answer."""

    allowed: bool = False
    denied: bool = False
    reason: str = ""
    evaluation_error: str = ""
    error: str = ""


def reply_of(status: Mapping[str, Any]) -> Reply:
    """The ``status`` of a review."""
    return Reply(
        allowed=bool(status.get("allowed")),
        denied=bool(status.get("denied")),
        reason=str(status.get("reason") or ""),
        evaluation_error=str(status.get("evaluationError") or ""),
    )


def parse_question(said: Any, where: str) -> Access:
    """A question as the user writes it; raises :class:`HardeningError` on one that cannot be asked."""
    if not isinstance(said, Mapping):
        raise HardeningError(f"{where}: {said!r} is no question; write one like {{verb: get, resource: pods}}.")
    for key in said:
        if key not in _KEYS:
            meant = did_you_mean(key, _KEYS)
            raise HardeningError(
                f"{where}.{key}: there is no such key" + (f"; did you mean {meant}?" if meant else ".")
            )
    who = None if said.get("who") is None else parse_subject(said["who"], f"{where}.who")
    verb = text(said.get("verb"), f"{where}.verb")
    if ("url" in said) == ("resource" in said):
        raise HardeningError(f"{where}: a question has either a resource or a url.")
    if "url" in said:
        return _of_url(said, where, who, verb)
    return _of_resource(said, where, who, verb)


def _of_url(said: Mapping[str, Any], where: str, who: Subject | None, verb: str) -> Access:
    url = text(said["url"], f"{where}.url")
    if not url.startswith("/"):
        raise HardeningError(f"{where}.url: {url!r} is no path; write it like /metrics.")
    for key in said:
        if key not in _BESIDE_URL:
            raise HardeningError(f"{where}.{key}: has no meaning beside url.")
    return Access(who, verb, url=url)


def _of_resource(said: Mapping[str, Any], where: str, who: Subject | None, verb: str) -> Access:
    resource, _slash, subresource = text(said["resource"], f"{where}.resource").partition("/")
    resource, dot, group = resource.partition(".")
    for key, already in (("subresource", subresource), ("api_group", group)):
        if said.get(key) and already:
            raise HardeningError(f"{where}.{key}: the resource {said['resource']!r} already says it.")
    optional = {key: _optional(said, key, where) for key in ("subresource", "api_group", "name", "namespace")}
    return Access(
        who,
        verb,
        resource=resource,
        group=group if dot else optional["api_group"] if said.get("api_group") is not None else None,
        subresource=subresource or optional["subresource"],
        name=optional["name"],
        namespace=optional["namespace"],
    )


def _optional(said: Mapping[str, Any], key: str, where: str) -> str:
    value = said.get(key)
    return text(value, f"{where}.{key}") if value not in (None, "") else ""


def parse_questions(said: Any) -> list[Access]:
    """All questions; raises one :class:`HardeningError` that tells every mistake in them."""
    questions, wrong = [], []
    for at, each in enumerate(said):
        try:
            questions.append(parse_question(each, f"questions[{at}]"))
        except HardeningError as error:
            wrong.append(str(error))
    if wrong:
        raise HardeningError("\n".join(wrong))
    return questions


def in_group(question: Access, group: str, resource: str) -> Access:
    """The same question about the resource that the server knows by this name."""
    return replace(question, group=group, resource=resource)
