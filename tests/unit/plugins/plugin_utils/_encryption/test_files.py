# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._configuration import (
    hash_of,
    parse_configuration,
    render,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._keys import KeyMaterial
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._manifest import (
    RESTART_ANNOTATION,
    Settings,
    read_manifest,
    with_encryption,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._records import parse_history
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import IDENTITY, Key, Providers
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._files import (
    Writing,
    backup_of,
    configuring,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._look import (
    HISTORY,
    JOURNAL,
    KEYS,
    STATE,
    File,
    OnNode,
)

from tests.unit.plugins.module_utils._encryption.manifests import KUBEADM

OLD, NEW = KeyMaterial(bytes(range(32))), KeyMaterial(bytes(range(1, 33)))
OLD_KEY, NEW_KEY = (Key("secretbox", name, each.fingerprint) for name, each in (("old", OLD), ("new", NEW)))
RING = {OLD_KEY: OLD, NEW_KEY: NEW}
READS_NEW: Providers = {"secrets": (OLD_KEY, NEW_KEY, IDENTITY)}
MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml"


def lying(path: str, content: bytes | None) -> File:
    return File(path, content, f"sha256:{sha256(content).hexdigest()}" if content is not None else "", "0600")


def node(present: Providers, automatic_reload: bool = True) -> OnNode:
    settings = Settings(automatic_reload=automatic_reload)
    manifest = with_encryption(KUBEADM, settings) if present else KUBEADM
    content = render(present, RING) if present else None
    return OnNode(
        "cp1",
        "cp1",
        frozenset({"172.18.0.2"}),
        0,
        lying(MANIFEST, manifest.encode()),
        read_manifest(manifest),
        settings,
        lying(settings.path, content),
        parse_configuration(content.decode()) if content else None,
        "",
        (),
        (),
        (),
        files={path: File(path) for path in (JOURNAL, KEYS, HISTORY)},
    )


def content_of(writing: Writing, path: str) -> bytes:
    (found,) = (each["content"] for each in (*writing.before, *writing.files) if each["path"] == path)
    return base64.b64decode(found)


def paths(files: Sequence[Mapping[str, Any]]) -> list[str]:
    return [each["path"] for each in files]


def test_the_first_configuration_is_there_before_the_manifest_points_to_it() -> None:
    present = node({})
    writing = configuring(present, {"secrets": (IDENTITY, NEW_KEY)}, RING)
    assert writing.restarts
    assert paths(writing.before) == [HISTORY]
    assert paths(writing.files) == [present.settings.path, MANIFEST]
    assert read_manifest(content_of(writing, MANIFEST).decode()).path == present.settings.path
    assert [each["replaces"] for each in writing.files] == [None, present.manifest.hash]


def test_a_server_that_reloads_gets_its_file_alone() -> None:
    present = node({"secrets": (OLD_KEY, IDENTITY)})
    writing = configuring(present, READS_NEW, RING)
    assert not writing.restarts
    assert paths(writing.files) == [present.settings.path]
    assert content_of(writing, present.settings.path) == render(READS_NEW, RING)


def test_what_a_server_may_still_have_loaded_is_remembered_with_what_it_will_load() -> None:
    present = node({"secrets": (OLD_KEY, IDENTITY)})
    writing = configuring(present, READS_NEW, RING)
    history = parse_history(content_of(writing, HISTORY), "the history")
    assert history[present.configuration.hash].providers == {"secrets": (OLD_KEY, IDENTITY)}
    assert history[hash_of(render(READS_NEW, RING))].providers == READS_NEW


def test_a_server_that_does_not_reload_is_started_anew_by_its_manifest() -> None:
    present = node({"secrets": (OLD_KEY, IDENTITY)}, automatic_reload=False)
    writing = configuring(present, READS_NEW, RING)
    assert writing.restarts
    manifest = content_of(writing, MANIFEST).decode()
    assert RESTART_ANNOTATION in manifest
    assert hash_of(render(READS_NEW, RING)) in manifest


def test_at_the_end_of_encryption_the_manifest_is_as_it_was() -> None:
    writing = configuring(node({"secrets": (IDENTITY, OLD_KEY)}), {}, RING)
    assert paths(writing.files) == [MANIFEST]
    assert content_of(writing, MANIFEST).decode() == KUBEADM


def test_nothing_is_written_where_all_is_as_it_should_be() -> None:
    writing = configuring(node(READS_NEW), READS_NEW, RING)
    assert not writing.restarts
    assert writing.files == []


def test_the_former_manifest_is_kept_where_no_kubelet_looks() -> None:
    backup = backup_of(node({}))
    assert backup["path"].startswith(f"{STATE}/manifests/kube-apiserver-")
    assert base64.b64decode(backup["content"]).decode() == KUBEADM
