# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: an EncryptionConfiguration (apiserver.config.k8s.io/v1), read and written.

What it says is kept as the walk speaks of it, by resource the keys in their order, and apart from that a ring: the
bytes of the keys and the endpoints of the KMS plugins. What is written has the same bytes for the same content, so that
its hash, which an API server reports of what it has loaded, is known beforehand.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._configuration_rules import (
    API_VERSION,
    KIND,
    PROVIDERS,
    KmsPlugin,
    mistakes_of,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._keys import KeyMaterial, parse_material
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._resources import (
    breadth,
    canonical,
    lookup_order,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import IDENTITY, Key, Providers
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._yaml import read
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

Ring = Mapping[Key, "KeyMaterial | KmsPlugin"]

WHAT = "The encryption configuration"


@dataclass(frozen=True, slots=True)
class Configuration:
    """An EncryptionConfiguration: by resource the keys in their order, the bytes apart, and what is written besides.

    ``ignored`` are the fields that no API server knows: it passes over them, and they are not written again.
    """

    providers: Providers
    ring: Ring
    ignored: tuple[str, ...] = ()


def parse_configuration(text: str, what: str = WHAT) -> Configuration:
    """What a configuration says, in JSON or YAML, as an API server with automatic reload would take it.

    Raises :class:`HardeningError` with all that the server would refuse, of ``what``; it never holds any key material.
    """
    document = _document(text, what)
    mistakes, ignored = mistakes_of(document)
    if mistakes:
        told = "; ".join(mistakes)
        raise HardeningError(f"{what} is not one that an API server loads: {told}{'' if told.endswith('?') else '.'}")
    providers: dict[str, tuple[Key, ...]] = {}
    ring: dict[Key, KeyMaterial | KmsPlugin] = {}
    for at, entry in enumerate(document["resources"]):
        found = list(_entries(entry["providers"], f"resources[{at}]"))
        ring |= {key: secret for key, secret in found if secret is not None}
        for resource in map(canonical, entry["resources"]):
            keys = [*providers.get(resource, ()), *(key for key, _secret in found)]
            providers[resource] = tuple(dict.fromkeys(keys))
    return Configuration(providers, ring, tuple(ignored))


def render(providers: Providers, ring: Ring) -> bytes:
    """The file that says this, always in the same bytes; :func:`parse_configuration` reads the same out of it.

    Resources with the same keys share an entry, and what is narrower stands before what is wider, or the server would
    refuse it as masked. Raises :class:`HardeningError` where the ring lacks a key, and where no file can say it.
    """
    if not providers:
        raise HardeningError(f"{WHAT} would encrypt nothing; take the flag out of the API server instead.")
    missing = sorted({key for keys in providers.values() for key in keys if key != IDENTITY} - ring.keys())
    if missing:
        raise HardeningError(
            f"{WHAT} needs the {missing[0]} (fingerprint {missing[0].fingerprint}), and its bytes are not at hand; "
            "bring it back from where keys are kept."
        )
    shared: dict[tuple[int, tuple[Key, ...]], list[str]] = {}
    for resource in sorted(providers):
        shared.setdefault((breadth(resource), providers[resource]), []).append(resource)
    entries = sorted(shared.items(), key=lambda each: (each[0][0], each[1]))
    document = {
        "kind": KIND,
        "apiVersion": API_VERSION,
        "resources": [{"resources": names, "providers": _written(keys, ring)} for (_breadth, keys), names in entries],
    }
    mistakes, _ignored = mistakes_of(document)
    if mistakes:
        raise HardeningError(f"{WHAT} cannot say this: {'; '.join(mistakes)}.")
    return (json.dumps(document, indent=2) + "\n").encode()


def hash_of(content: bytes) -> str:
    """The hash by which an API server names what it has loaded.

    It is the ``hash`` of the metric ``apiserver_encryption_config_controller_last_config_info`` from 1.34 on:
    ``computeEncryptionConfigHash`` of ``apiserver/pkg/server/options/encryptionconfig/config.go``.
    """
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def keys_of(providers: Providers, resource: str) -> tuple[Key, ...]:
    """The keys with which a resource like ``secrets`` or ``deployments.apps`` is read, the writing one first.

    The entry that names it comes before that of its group, and that before ``*.*``; without any it is plain text:
    ``transformerFromOverrides`` of ``encryptionconfig/config.go``.
    """
    return next((providers[each] for each in lookup_order(resource) if each in providers), (IDENTITY,))


def _document(text: str, what: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except ValueError:
        pass
    # A hand-made file is YAML; read out here, the error above, which holds the text, is nobody's context.
    return read(text, what)[1]


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """A map of JSON, unless a key is there twice: that goes on to the reader that tells the line."""
    if len({key for key, _value in pairs}) < len(pairs):
        raise ValueError
    return dict(pairs)


def _entries(said: Iterable[Mapping[str, Any]], where: str) -> Iterable[tuple[Key, KeyMaterial | KmsPlugin | None]]:
    for at, entry in enumerate(said):
        (provider,) = (name for name in PROVIDERS if entry.get(name) is not None)
        if provider == "identity":
            yield IDENTITY, None
        elif provider == "kms":
            plugin = KmsPlugin.from_entry(entry["kms"])
            yield Key(plugin.provider, plugin.name), plugin
        else:
            for number, key in enumerate(entry[provider]["keys"]):
                path = f"{where}.providers[{at}].{provider}.keys[{number}].secret"
                material = parse_material(key["secret"], provider, path)
                yield Key(provider, key["name"], material.fingerprint), material


def _written(keys: Iterable[Key], ring: Ring) -> list[dict[str, Any]]:
    """The ``providers``: keys of one kind that follow one another share an entry."""
    entries: list[dict[str, Any]] = []
    for key in keys:
        secret = ring.get(key)
        if isinstance(secret, KmsPlugin):
            entries.append({"kms": secret.to_entry()})
        elif secret is None:
            entries.append({"identity": {}})
        else:
            if not entries or key.provider not in entries[-1]:
                entries.append({key.provider: {"keys": []}})
            entries[-1][key.provider]["keys"].append({"name": key.name, "secret": secret.base64()})
    return entries
