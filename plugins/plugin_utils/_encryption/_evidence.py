# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what one API server says of itself: which encryption configuration its process runs with.

A file's hash or a ready Pod says nothing of that: a server keeps its former configuration where it cannot take the new.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client

_CONTROLLER = "apiserver_encryption_config_controller_"
_LOADED = f"{_CONTROLLER}last_config_info"
_RELOADS = f"{_CONTROLLER}automatic_reloads_total"
_RELOADED_AT = f"{_CONTROLLER}automatic_reload_last_timestamp_seconds"
_OPERATIONS = "apiserver_storage_transformation_operations_total"
_STARTED = "process_start_time_seconds"
_BUILD = "kubernetes_build_info"
_ENCRYPTED, _PLAIN = "k8s:enc:", "identity"
"""How the prefix of a provider begins, and that of plain text. Others are those of the keys within a provider, which
count the same again."""
_KMS_KEYS = "apiserver_envelope_encryption_key_id_hash_status_last_timestamp_seconds"
_METRICS = (_LOADED, _RELOADS, _RELOADED_AT, _OPERATIONS, _STARTED, _BUILD, _KMS_KEYS)

_LINE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")
_FAILED_CHECK = re.compile(r"^\[-\](\S+) failed", re.MULTILINE)
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a server's own ``/metrics`` say. Times are seconds since 1970 by that server's clock, 0 where there is none.

    ``loaded`` is the SHA-256 of the bytes that it has loaded, as ``sha256:<hex>``; ``None`` where it has loaded none.
    ``answered_at`` is when it said all this.
    ``reload_success`` and ``reload_failure`` count its automatic reloads since it started, ``reloaded_at`` and
    ``failed_at`` say when the last ones were. ``from_storage`` counts the values that it read out of etcd and
    decrypted, by resource, and ``from_storage_errors`` those that it could not; ``to_storage`` those that it wrote, by
    resource and the beginning of the prefix (``k8s:enc:secretbox:v1:``, without the key's name). They count since the
    server started, and of resources alone that its configuration names. ``kms_key_ids`` are, by the name of a KMS v2
    plugin, the SHA-256 of the id of the key that the plugin says it encrypts with, as ``sha256:<hex>``. ``ready`` is
    what ``/readyz`` says, ``unready`` the checks that fail in it, as ``etcd``.
    """

    loaded: str | None
    started_at: float = 0
    answered_at: float = 0
    version: str = ""
    identity: str = ""
    reload_success: float = 0
    reload_failure: float = 0
    reloaded_at: float = 0
    failed_at: float = 0
    from_storage: Mapping[str, float] = field(default_factory=dict)
    from_storage_errors: float = 0
    to_storage: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    kms_key_ids: Mapping[str, str] = field(default_factory=dict)
    ready: bool = True
    unready: tuple[str, ...] = ()

    @property
    def unchanged_for(self) -> float:
        """The seconds in which it certainly read and wrote with what it has loaded now; 0 where that is not known."""
        since = max(self.started_at, self.reloaded_at)
        return max(0.0, self.answered_at - since) if self.started_at else 0.0


def evidence(client_at: Client) -> Evidence:
    """What the server at this client's own address says now. Raises KubeError where it does not answer or refuses."""
    answer = client_at.checked(client_at.request("GET", "/metrics", accept="text/plain"))
    answered_at = parsedate_to_datetime(answer.date).timestamp() if answer.date else 0.0
    # A user who may not ask that is refused by a server that is ready.
    told = client_at.request("GET", "/readyz", accept="text/plain", insist=False)
    ready = told.status < HTTPStatus.INTERNAL_SERVER_ERROR
    said = evidence_of(answer.body if isinstance(answer.body, str) else "", answered_at)
    unready = () if ready else tuple(_FAILED_CHECK.findall(str(told.body)))
    return replace(said, ready=ready, unready=unready)


def evidence_of(text: str, answered_at: float = 0) -> Evidence:
    """The same out of the text of ``/metrics`` (Prometheus' text format 0.0.4), and when the server answered."""
    one: dict[tuple[str, str], float] = {}
    loaded, version, identity = None, "", ""
    read: dict[str, float] = {}
    unread = 0.0
    written: dict[str, dict[str, float]] = {}
    kms: dict[str, tuple[float, str]] = {}
    for name, labels, value in _samples(text):
        if name == _LOADED:
            loaded, identity = labels.get("hash"), labels.get("apiserver_id_hash", "")
        elif name == _BUILD:
            version = labels.get("git_version", "")
        elif name == _KMS_KEYS:
            # A key that the plugin used before is still told, with the time when it was seen last.
            plugin = labels.get("provider_name", "")
            kms[plugin] = max((value, labels.get("key_id_hash", "")), kms.get(plugin, (0.0, "")))
        elif name != _OPERATIONS:
            one[name, labels.get("status", "")] = value
        elif labels.get("transformation_type") == "to_storage":
            by_prefix = written.setdefault(labels.get("resource", ""), {})
            prefix = labels.get("transformer_prefix", "")
            by_prefix[prefix] = by_prefix.get(prefix, 0) + value
        elif labels.get("status") != "OK":
            unread += value
        elif (prefix := labels.get("transformer_prefix", "")) == _PLAIN or prefix.startswith(_ENCRYPTED):
            resource = labels.get("resource", "")
            read[resource] = read.get(resource, 0) + value
    return Evidence(
        loaded,
        started_at=one.get((_STARTED, ""), 0),
        answered_at=answered_at,
        version=version,
        identity=identity,
        reload_success=one.get((_RELOADS, "success"), 0),
        reload_failure=one.get((_RELOADS, "failure"), 0),
        reloaded_at=one.get((_RELOADED_AT, "success"), 0),
        failed_at=one.get((_RELOADED_AT, "failure"), 0),
        from_storage=read,
        from_storage_errors=unread,
        to_storage=written,
        kms_key_ids={plugin: hashed for plugin, (_at, hashed) in kms.items()},
    )


def _samples(text: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """The samples that matter: a server tells thousands of others."""
    for line in text.splitlines():
        if line.startswith(_METRICS) and (found := _LINE.match(line)):
            name, labels, value = found.groups()
            if name in _METRICS:
                yield name, dict(_LABEL.findall(labels or "")), float(value)
