# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the one client that talks to an API server."""

from __future__ import annotations

import builtins
import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import urlencode

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._connections import Reply, Target
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import (
    BY_STATUS,
    KubeError,
    Unreachable,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._parallel import Progress, parallel
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._recorder import Recorder
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._resources import KNOWN, Resource, discovered
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._transport import Transport, retry_after
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._warnings import warning_texts

VERSION = "1.0.0"
USER_AGENT = f"hardening.kubernetes/{VERSION}"

_PAGE = 500
_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_WHOLE = "application/json"
_METADATA_KIND = "PartialObjectMetadata"
_METADATA = "application/json;g=meta.k8s.io;v=v1;as=PartialObjectMetadata"
METADATA_LIST = "application/json;g=meta.k8s.io;v=v1;as=PartialObjectMetadataList"
_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"
_SEPARATORS = (",\n", ":")
"""Servers read an apply as YAML. Of one long line their parser keeps all in doubt, which takes twice the memory."""

ROOM = (
    " etcd has outgrown its --quota-backend-bytes and takes no writes: compact it and defragment it, or raise"
    " --quota-backend-bytes, then disarm its alarm (etcdctl alarm disarm)."
)
"""What to do about an etcd that :attr:`Answer.says_full`."""

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")
Query = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered: the HTTP status, the body (a JSON object, else text), its warnings.

    ``repeated``: an earlier try may have been carried out already, only its answer was lost. ``date`` is the time by
    the server's clock, in whole seconds, as HTTP writes it; empty where it told none. ``retry_after`` are the seconds
    after which to ask again, if it told.
    """

    status: int
    body: dict[str, Any] | str
    warnings: tuple[str, ...] = ()
    repeated: bool = False
    date: str = ""
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        """Whether it did what was asked."""
        return 200 <= self.status < 300

    @property
    def object(self) -> dict[str, Any]:
        """The body as an object; empty where it is none."""
        return self.body if isinstance(self.body, dict) else {}

    @property
    def reason(self) -> str:
        """``Status.reason`` of a refusal: ``Forbidden``, ``Invalid``, ``Conflict`` and so on."""
        return str(self.object.get("reason", "")) if not self.ok else ""

    @property
    def says_full(self) -> bool:
        """Whether it was refused because etcd has no room for another write."""
        return "mvcc: database space exceeded" in self.message

    @property
    def message(self) -> str:
        """``Status.message`` of a refusal, or the text of an answer that is no ``Status``."""
        if self.ok:
            return ""
        told = self.object.get("message") if isinstance(self.body, dict) else self.body
        return str(told or f"HTTP status {self.status}").strip()


@dataclass(frozen=True, slots=True)
class Question:
    """May I? One SelfSubjectAccessReview; ``resource`` is the plural, an empty namespace means all."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""


class Client:
    """One server, one user. Any number of threads may share it."""

    def __init__(self, target: Target, workers: int = 32, outage_seconds: float = 60.0) -> None:
        """Take where to go, how many requests go at once, and how long (seconds) to wait for a server that left."""
        self.server = target.server
        self.recorder: Recorder | None = None
        """What hears of every write of apply_objects; none where nothing is recorded."""
        self._target = target
        self._outage_seconds = outage_seconds
        self._workers = workers
        self._transport = Transport(target, outage_seconds)
        self._found: dict[str, dict[tuple[str, str], Resource]] = {}
        self._lock = threading.Lock()
        self._version: tuple[int, int] | None = None

    def at(self, server: str) -> Client:
        """A client for one of the cluster's API servers at its own URL, as the same user."""
        return Client(replace(self._target, server=server), self._workers, self._outage_seconds)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        body: Any = None,
        content_type: str = "application/json",
        accept: str = _WHOLE,
        repeatable: bool | None = None,
        insist: bool = True,
    ) -> Answer:
        """One request. Tries 429, 5xx and cut connections again; gives back 4xx; raises Unauthorized and Unreachable.

        ``repeatable``: whether doing it twice does no more than once. Unless told, only a POST that stores something
        is not. ``insist``: whether to try 429 and 5xx again; without it they are given back at once.
        """
        if repeatable is None:
            repeatable = method != "POST" or ("dryRun", "All") in query or "/authorization.k8s.io/" in path
        headers = [("User-Agent", USER_AGENT), ("Accept", accept)]
        sent = None
        if body is not None:
            headers.append(("Content-Type", content_type))
            sent = json.dumps(body, separators=_SEPARATORS).encode()
        target = f"{path}?{_encoded(tuple(query))}" if query else path
        reply = self._transport.send(method, target, headers, sent, repeatable=repeatable, insist=insist)
        warnings = warning_texts(reply.warnings)
        return Answer(reply.status, _body(reply), warnings, reply.repeated, reply.date, retry_after(reply))

    def resource(self, api_version: str, kind: str) -> Resource | None:
        """The resource behind a kind; ``None``: the server has no such kind."""
        known = KNOWN.get((api_version, kind))
        if known:
            return known
        return self._kinds("/apis" if "/" in api_version else "/api").get((api_version, kind))

    def resource_by_plural(self, group: str, plural: str) -> Resource | None:
        """The resource that a group has under this name, in the version that the server prefers; ``None``: none."""
        known = next((each for each in KNOWN.values() if (each.group, each.plural) == (group, plural)), None)
        if known:
            return known
        kinds = self._kinds("/apis" if group else "/api").values()
        return next((each for each in kinds if (each.group, each.plural) == (group, plural)), None)

    def _kinds(self, root: str) -> dict[tuple[str, str], Resource]:
        with self._lock:
            if root not in self._found:
                self._found[root] = {(each.api_version, each.kind): each for each in discovered(self.discovery(root))}
            return self._found[root]

    def forget_kinds(self) -> None:
        """Ask again which kinds there are, after a CustomResourceDefinition came or went."""
        with self._lock:
            self._found.clear()

    def discovery(self, root: str) -> dict[str, Any]:
        """What the server has below ``/api`` or ``/apis``, as an ``APIGroupDiscoveryList`` (KEP 3352)."""
        body = self.checked(self.request("GET", root, accept=_DISCOVERY)).object
        if body.get("kind") != "APIGroupDiscoveryList":
            raise KubeError(f"The server {self.server} has no aggregated discovery: it needs Kubernetes 1.30 or newer.")
        return body

    def get(
        self, resource: Resource, name: str, namespace: str = "", *, metadata_only: bool = False
    ) -> dict[str, Any] | None:
        """One object; ``None`` where there is none, raises KubeError for any other refusal."""
        accept = _METADATA if metadata_only else _WHOLE
        answer = self.request("GET", resource.path(namespace, name), accept=accept)
        if answer.status == 404:
            return None
        return whole(self.checked(answer, resource.kind, _METADATA_KIND).object, resource)

    def list(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        metadata_only: bool = False,
    ) -> list[dict[str, Any]]:
        """All objects of a namespace, or of all, page by page; each with its ``apiVersion`` and ``kind``."""
        accept = METADATA_LIST if metadata_only else _WHOLE
        selectors = (("labelSelector", label_selector), ("fieldSelector", field_selector))
        query = [("limit", str(_PAGE)), *((key, value) for key, value in selectors if value)]
        items: list[dict[str, Any]] = []
        token = ""
        while True:
            page = [*query, ("continue", token)] if token else query
            answer = self.request("GET", resource.path(namespace), query=page, accept=accept)
            if answer.status == 410 and token:
                # The snapshot that the pages are cut from has gone: begin anew.
                items, token = [], ""
                continue
            body = self.checked_list(answer)
            items += [whole(item, resource) for item in body.get("items") or ()]
            token = (body.get("metadata") or {}).get("continue", "")
            if not token:
                return items

    def create(self, obj: Mapping[str, Any], *, manager: str = "", dry_run: bool = False) -> Answer:
        """POST an object; the caller judges a refusal. Raises where what answers is no API server."""
        resource = self._resource_of(obj)
        metadata = obj.get("metadata") or {}
        query = [("fieldValidation", "Strict"), *([("fieldManager", manager)] if manager else []), *_dry(dry_run)]
        answer = self.request("POST", resource.path(metadata.get("namespace", "")), query=query, body=obj)
        return self._by_api_server(answer, resource.kind)

    def apply(
        self,
        obj: Mapping[str, Any],
        *,
        manager: str,
        dry_run: bool = False,
        force: bool = False,
        metadata_only: bool = False,
    ) -> Answer:
        """Server-side apply as this field manager; the caller judges a refusal. Raises as :meth:`create` does.

        With ``metadata_only`` the server answers with no more than that, which spares both sides some work. An apply
        refuses fields that the schema lacks whatever ``fieldValidation`` says (KEP-555: it merges by the schema).
        """
        resource = self._resource_of(obj)
        metadata = obj.get("metadata") or {}
        # Strict would have the server parse the object a second time, for keys named twice: a mapping has none.
        query = [("fieldManager", manager), ("fieldValidation", "Ignore"), *_dry(dry_run)]
        if force:
            query.append(("force", "true"))
        path = resource.path(metadata.get("namespace", ""), metadata.get("name", ""))
        accept, kinds = (_METADATA, (resource.kind, _METADATA_KIND)) if metadata_only else (_WHOLE, (resource.kind,))
        answer = self.request("PATCH", path, query=query, body=obj, content_type=_APPLY, accept=accept)
        return self._by_api_server(answer, *kinds)

    def merge(self, obj: Mapping[str, Any], patch: Mapping[str, Any], *, manager: str, dry_run: bool = False) -> Answer:
        """JSON merge patch of a live object, if it is still in the version that was read; the caller judges a refusal.

        With ``metadata.managedFields`` in the patch and nothing else, the server sets these and adds no entry of ours.
        """
        resource = self._resource_of(obj)
        metadata = obj["metadata"]
        query = [("fieldManager", manager), ("fieldValidation", "Strict"), *_dry(dry_run)]
        locked = {**(patch.get("metadata") or {}), "resourceVersion": metadata["resourceVersion"]}
        path = resource.path(metadata.get("namespace", ""), metadata["name"])
        answer = self.request("PATCH", path, query=query, body={**patch, "metadata": locked}, content_type=_MERGE)
        return self._by_api_server(answer, resource.kind)

    def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str = "",
        *,
        dry_run: bool = False,
        uid: str = "",
        version: str = "",
    ) -> Answer:
        """Delete one object and what depends on it, in the background.

        With ``uid`` only if it is still that one, with ``version`` only if nobody has written to it since.
        """
        body: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        preconditions = {"uid": uid, "resourceVersion": version}
        if uid or version:
            body["preconditions"] = {key: value for key, value in preconditions.items() if value}
        if dry_run:
            # In the body alone: a server that is sent one does not look at the query.
            body["dryRun"] = ["All"]
        answer = self.request("DELETE", resource.path(namespace, name), body=body)
        return self._by_api_server(answer, resource.kind, "Status")

    def log(self, namespace: str, pod: str, *, container: str = "", since_seconds: int | None = None) -> str:
        """What a container wrote to its standard output and error."""
        query = [("container", container)] if container else []
        if since_seconds is not None:
            query.append(("sinceSeconds", str(since_seconds)))
        path = KNOWN["v1", "Pod"].path(namespace, pod, "log")
        body = self.checked(self.request("GET", path, query=query, accept="*/*")).body
        return body if isinstance(body, str) else json.dumps(body)

    def version(self) -> tuple[int, int]:
        """Kubernetes' major and minor version, like ``(1, 36)``."""
        if self._version is None:
            told = self.checked(self.request("GET", "/version")).object
            numbers = [re.match(r"\d+", str(told.get(part, ""))) for part in ("major", "minor")]
            if not all(numbers):
                raise KubeError(
                    f"The server {self.server} does not tell its version: check that it is a Kubernetes API server."
                )
            major, minor = (int(number.group()) for number in numbers if number)
            self._version = (major, minor)
        return self._version

    def allowed(self, questions: Sequence[Question]) -> builtins.list[bool]:
        """For each question, in order, whether this user may."""
        return self.parallel(self._may, questions)

    def parallel(
        self, function: Callable[[Item], Outcome], items: Iterable[Item], progress: Progress | None = None
    ) -> builtins.list[Outcome]:
        """The function's results in the order of the items, several under way at once.

        All items are worked on, then the first exception in their order is raised. ``progress(done, total)`` is called
        about once a second, from the calling thread.
        """
        return parallel(function, items, self._workers, progress)

    def checked(self, answer: Answer, *kinds: str) -> Answer:
        """The answer, if it is none of refusal, and an object of one of the ``kinds`` where any are given.

        Raises the KubeError of a refusal's status, and Unreachable for what no API server answers.
        """
        if answer.ok:
            return self._by_api_server(answer, *kinds)
        kind = BY_STATUS.get(answer.status, KubeError)
        remedy = " Grant this permission to the user, or use other credentials." if answer.status == 403 else ""
        if answer.says_full:
            remedy = ROOM
        message = answer.message.rstrip(".")
        raise kind(f"The server {self.server} refused ({answer.status}): {message}.{remedy}", answer.status)

    def checked_list(self, answer: Answer) -> dict[str, Any]:
        """A page of a list, checked in the same way; a custom resource's list may be of any kind."""
        body = self.checked(answer).object
        if not body.get("apiVersion") or not body.get("kind") or "items" not in body:
            raise self._no_api_server()
        return body

    def _by_api_server(self, answer: Answer, *kinds: str) -> Answer:
        """The answer; a login page or a dashboard in a server's place must not pass for its consent."""
        if answer.ok and kinds and answer.object.get("kind") not in kinds:
            raise self._no_api_server()
        return answer

    def _no_api_server(self) -> Unreachable:
        return Unreachable(
            f"What answers at {self.server} is no Kubernetes API server: check that the kubeconfig or host names the "
            "right one, and what stands in between."
        )

    def _resource_of(self, obj: Mapping[str, Any]) -> Resource:
        resource = self.resource(obj.get("apiVersion", ""), obj.get("kind", ""))
        if resource is None:
            raise BY_STATUS[404](
                f"The server {self.server} has no kind {obj.get('kind')} in {obj.get('apiVersion')}: "
                "install what defines it, or correct the name.",
                404,
            )
        return resource

    def _may(self, question: Question) -> bool:
        attributes = {
            "verb": question.verb,
            "group": question.group,
            "resource": question.resource,
            "subresource": question.subresource,
            "namespace": question.namespace,
            "name": question.name,
        }
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        answer = self.checked(self.request("POST", path, body=review), "SelfSubjectAccessReview")
        return bool((answer.object.get("status") or {}).get("allowed"))


def whole(item: dict[str, Any], resource: Resource) -> dict[str, Any]:
    """An item of a list with the ``apiVersion`` and ``kind`` that lists leave out."""
    item["apiVersion"], item["kind"] = resource.api_version, resource.kind
    return item


@lru_cache(maxsize=256)
def _encoded(query: tuple[tuple[str, str], ...]) -> str:
    """Thousands of requests have the same one."""
    return urlencode(query)


def _dry(dry_run: bool) -> list[tuple[str, str]]:
    return [("dryRun", "All")] if dry_run else []


def _body(reply: Reply) -> dict[str, Any] | str:
    if "json" in reply.content_type and reply.data:
        try:
            told = json.loads(reply.data)
        except ValueError as error:
            raise Unreachable(
                f"The server sent JSON that is none ({error}): check what stands between it and us."
            ) from None
        if isinstance(told, dict):
            return told
    return reply.data.decode(errors="replace")
