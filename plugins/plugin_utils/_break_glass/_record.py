# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: keeps the record of a broken glass, on the controller and in the cluster."""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._break_glass._record import (
    KIND,
    Taken,
    config_maps,
    read_record,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._apply import ApplyOptions, apply_objects
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._break_glass import closing
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._records import (
    RECORD_LABEL,
    RECORD_NAMESPACE,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._store import checked, in_namespace
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._report import as_json, replace_file

MANAGER = "hardening.kubernetes/break_glass"


def record_name(now: datetime.datetime) -> str:
    """The name of file and ConfigMap, without an ending; ``now`` is in UTC."""
    return f"hardening-break-glass-{now:%Y%m%dT%H%M%SZ}".lower()


def keep_here(told: Mapping[str, Any], file: Path) -> tuple[Path | None, str]:
    """Write the record to a file, or else to one of the same name in the folder for temporary files.

    The file, ``None`` where neither can be written, and what went wrong.
    """
    troubles = []
    for place in dict.fromkeys((file, Path(tempfile.gettempdir()) / file.name)):
        try:
            replace_file(place, as_json(told))
        except OSError as error:
            troubles.append(f"The record cannot be written to {place}: {error.strerror}.")
        else:
            return place, " ".join(troubles)
    return None, " ".join(troubles)


def keep_in_cluster(client: Client, told: Mapping[str, Any], name: str) -> str:
    """Write the record to ConfigMaps; why that failed, empty where it did not."""
    labels = {RECORD_LABEL: KIND.replace("_", "-")}
    try:
        for config_map in config_maps(told, name, RECORD_NAMESPACE, labels):
            checked(in_namespace(client, partial(client.apply, config_map, manager=MANAGER, force=True)))
    except HardeningError as error:
        return _unkept(str(error))
    return ""


def _unkept(why: str) -> str:
    return f"The record cannot be kept in the cluster, in the namespace {RECORD_NAMESPACE}: {why}"


def read(file: Path) -> list[Taken]:
    """The record in a file; raises HardeningError where it is none."""
    try:
        return read_record(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise HardeningError(f"The record {file} cannot be read: {why}.") from error


def put_back(client: Client, taken: Sequence[Taken], *, dry_run: bool) -> list[ObjectResult]:
    """Apply what was taken, each as the field manager that wrote it: what opens before what closes."""
    policies = [each for each in taken if each.object["kind"] == "NetworkPolicy"]
    by_id = {id(each.object): each for each in policies}
    denies, allows, gates = ([by_id[id(each)] for each in rank] for rank in closing([p.object for p in policies], ()))
    namespaces = [each for each in taken if each.object["kind"] == "Namespace"]
    others = [each for each in taken if each.object["kind"] not in ("NetworkPolicy", "Namespace")]
    done: list[ObjectResult] = []
    for stage in (gates, allows, denies, namespaces, others):
        for manager in dict.fromkeys(each.manager for each in stage):
            options = ApplyOptions(manager, dry_run=dry_run, existing_only=stage is namespaces)
            done += apply_objects(client, [each.object for each in stage if each.manager == manager], options)
    return done
