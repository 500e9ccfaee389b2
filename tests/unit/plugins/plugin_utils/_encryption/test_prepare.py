# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a node gets before it joins: what all others have, and nothing where they do not certainly have the same."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._configuration import (
    Configuration,
    hash_of,
    render,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._configuration_rules import KmsPlugin
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._keys import KeyMaterial
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._manifest import (
    Manifest,
    Place,
    Settings,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._records import (
    Remembered,
    history_bytes,
    keys_bytes,
    parse_history,
    parse_keys,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import (
    Facts,
    Intent,
    Key,
    Providers,
    Server,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import Seen
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._look import (
    HISTORY,
    JOURNAL,
    KEYS,
    File,
    OnNode,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._prepare import brought_by, lacking

MATERIAL = KeyMaterial(bytes(range(100, 132)))
KEPT = KeyMaterial(bytes(range(132, 164)))
KEY = Key("secretbox", "k1", MATERIAL.fingerprint)
OLD = Key("secretbox", "k0", KEPT.fingerprint)
RING = {KEY: MATERIAL}
PROVIDERS: Providers = {"secrets": (KEY,)}
NOTHING: dict[str, Any] = {Settings().path: None, KEYS: None, HISTORY: None, JOURNAL: None}


def said(content: bytes) -> dict[str, Any]:
    """A file as a node tells it."""
    return {"kind": "file", "mode": "0600", "owner": 0, "content": base64.b64encode(content).decode()}


def node(name: str, providers: Providers | None = None, ring: Any = None, **changes: Any) -> OnNode:
    providers = PROVIDERS if providers is None else providers
    ring = RING if ring is None else ring
    content = render(providers, ring) if providers else None
    settings = Settings()
    file = File(settings.path, content, hash_of(content) if content else "", "0600", 0, "file" if content else "")
    return replace(
        OnNode(
            name,
            hostname=name,
            addresses=frozenset({"10.0.0.1"}),
            skew=0,
            manifest=File("/manifest"),
            said=Manifest((), settings.path if content else "", True, Place()),
            settings=settings,
            configuration=file,
            configured=Configuration(providers, ring) if content else None,
            trouble="",
            beside_manifest=(),
            processes=(),
            strangers=(),
        ),
        **changes,
    )


def seen(*nodes: OnNode, **changes: Any) -> Seen:
    said = {each.name: each.configured.providers if each.configured else {} for each in nodes}
    servers = tuple(Server(name, loaded=providers, file=providers) for name, providers in said.items())
    return Seen(Facts(**({"servers": servers} | changes)), {each.name: each for each in nodes}, {}, {})


def test_a_node_gets_the_same_bytes_and_the_keys_that_backups_need() -> None:
    history = {"sha256:1": Remembered(PROVIDERS, "2026-11-22T12:00:00+00:00")}
    brought = brought_by(seen(node("cp1"), node("cp2", kept={OLD: KEPT}, history=history)))
    files = brought.files("cp3", NOTHING)
    assert [*files] == brought.paths == [Settings().path, KEYS, HISTORY]
    assert files[Settings().path] == render(PROVIDERS, RING)
    assert brought.hash == hash_of(render(PROVIDERS, RING))
    assert parse_keys(files[KEYS], "here") == {OLD: KEPT}
    assert parse_history(files[HISTORY], "here") == history
    assert brought.plugins == ()


def test_a_node_that_joins_again_loses_no_key_that_it_alone_has() -> None:
    brought = brought_by(seen(node("cp1", kept={KEY: MATERIAL})))
    earlier = {"sha256:0": Remembered({"secrets": (OLD,)})}
    there = {**NOTHING, KEYS: said(keys_bytes({OLD: KEPT})), HISTORY: said(history_bytes(earlier))}
    files = brought.files("cp3", there)
    assert parse_keys(files[KEYS], "here") == {OLD: KEPT, KEY: MATERIAL}
    assert parse_history(files[HISTORY], "here") == earlier
    with pytest.raises(HardeningError, match=f"^{KEYS} on the node cp3 is damaged"):
        brought.files("cp3", {**NOTHING, KEYS: said(b"{")})


def test_only_what_is_otherwise_is_written_and_an_old_journal_goes() -> None:
    brought = brought_by(seen(node("cp1", kept={OLD: KEPT})))
    files = brought.files("cp3", NOTHING)
    assert [(each["path"], each["replaces"]) for each in lacking("cp3", NOTHING, brought)] == [
        (Settings().path, None),
        (KEYS, None),
    ]
    there = {**NOTHING, **{path: said(content) for path, content in files.items()}}
    assert lacking("cp3", there, brought) == []
    loose = {**there, Settings().path: {**said(files[Settings().path]), "mode": "0644"}}
    assert [each["path"] for each in lacking("cp3", loose, brought)] == [Settings().path]
    (gone,) = lacking("cp3", {**there, JOURNAL: {**said(b"{}"), "hash": "sha256:1"}}, brought)
    assert (gone["path"], gone["content"], gone["replaces"]) == (JOURNAL, None, "sha256:1")


def test_what_a_kms_needs_on_the_node_is_told() -> None:
    plugin = KmsPlugin("vault", "v2", "unix:///run/kms.sock")
    brought = brought_by(seen(node("cp1", {"secrets": (Key("kms_v2", "vault"),)}, {Key("kms_v2", "vault"): plugin})))
    assert brought.plugins == (plugin,)
    assert [*brought.files("cp2", NOTHING)] == [Settings().path]


def test_nothing_is_brought_where_nothing_is_encrypted() -> None:
    brought = brought_by(seen(node("cp1", {}), node("cp2", {})))
    assert (brought.paths, brought.files("cp3", {}), brought.hash) == ([], {}, "")


@pytest.mark.parametrize(
    ("cluster", "told"),
    [
        (seen(node("cp1"), intent=Intent("rotate", PROVIDERS, PROVIDERS)), "has begun and not finished"),
        (seen(node("cp1"), servers=(Server("cp1", None, {}, "unanswered", "refused"),)), "cp1 has loaded is not known"),
        (seen(node("cp1"), servers=(Server("cp1", {}, PROVIDERS),)), "cp1 has loaded something else"),
        (seen(node("cp1"), node("cp2", {})), "The configurations of the nodes differ"),
        (seen(), "No control plane node was named"),
    ],
)
def test_nothing_is_brought_that_others_might_not_have(cluster: Seen, told: str) -> None:
    with pytest.raises(HardeningError, match=f"^No node was prepared.*{told}"):
        brought_by(cluster)


def test_nothing_that_could_be_printed_holds_a_key() -> None:
    brought = brought_by(seen(node("cp1", kept={OLD: KEPT})))
    assert MATERIAL.base64() not in str(brought)
    assert KEPT.base64() not in repr(brought)
