# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the options of the module encryption, checked before anything is touched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._configuration import keys_of
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._configuration_rules import (
    KmsPlugin,
    troubles_with_plugin,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._goals import Wanted
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._keys import (
    KEY_LENGTHS,
    KeyMaterial,
    generate_key,
    is_unsafe,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._platforms import MANIFEST
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._resources import wanted_resources
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import (
    IDENTITY,
    Asked,
    Facts,
    Key,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._standing import possible
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._escrow import (
    ESCROW_SPEC,
    Escrow,
    escrow_of,
)

NODES_SPEC: dict[str, Any] = {
    "nodes": {"type": "list", "elements": "str", "required": True},
    "manifest": {"type": "path", "default": MANIFEST},
}

OPTIONS_SPEC: dict[str, Any] = {
    **NODES_SPEC,
    "state": {
        "type": "str",
        "choices": ["present", "rotated", "absent", "rolled_back"],
        "default": "present",
    },
    "provider": {"type": "str", "choices": ["secretbox", "aescbc", "aesgcm", "kms"]},
    "kms": {
        "type": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "endpoint": {"type": "str", "required": True},
            "timeout": {"type": "str"},
        },
    },
    "resources": {"type": "list", "elements": "str"},
    "plain_text": {"type": "bool", "default": False},
    "scrub": {"type": "bool", "default": True},
    **ESCROW_SPEC,
    "snapshot": {"type": "path"},
    "restart_seconds": {"type": "int", "default": 180},
    "ready_seconds": {"type": "int", "default": 30},
    "workers": {"type": "int", "default": 16},
    "most_per_second": {"type": "int", "default": 0},
}

_ASKED: Mapping[str, Asked] = {
    "present": "enable",
    "rotated": "rotate",
    "absent": "disable",
    "rolled_back": "roll_back",
}
_PROVIDER = "secretbox"
_RESOURCES = ("secrets",)
_STRONG = frozenset({"secretbox", "aescbc", "kms_v2"})
_LEAST_RESTART_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Options:
    """What a user asks for, checked as far as no cluster is needed for it.

    Without a ``provider``, the one that writes stays, and without ``resources`` a rotation is of all that is encrypted.
    """

    nodes: tuple[str, ...]
    manifest: str
    asked: Asked
    provider: str
    kms: KmsPlugin | None
    resources: tuple[str, ...]
    plain_text: bool
    scrub: bool
    escrow: Escrow | None
    snapshot: str
    restart_seconds: int
    ready_seconds: int
    workers: int
    most_per_second: int

    @property
    def plugins(self) -> Mapping[Key, KmsPlugin]:
        """The KMS plugin that is asked for, if any."""
        return {Key(self.kms.provider, self.kms.name): self.kms} if self.kms else {}

    def wanted(self, facts: Facts) -> tuple[Wanted, dict[Key, KeyMaterial]]:
        """What the walk is asked for, with a new key should it need one, and that key's bytes.

        Raises HardeningError where the cluster does not say which provider is meant.
        """
        keeps = (IDENTITY,) if self.plain_text else ()
        resources = self.resources or (_configured(facts) if self.asked == "rotate" else ()) or _RESOURCES
        if self.asked in ("disable", "roll_back"):
            return Wanted(self.asked, resources, IDENTITY, keeps, self.scrub), {}
        if self.kms:
            return Wanted(self.asked, resources, Key(self.kms.provider, self.kms.name), keeps, self.scrub), {}
        provider = self.provider or _begun(facts)
        if not provider:
            provider = _writing(facts, resources) if self.asked == "rotate" else _adopted(facts, resources)
        if provider == "kms_v2":
            return Wanted(self.asked, resources, _plugin(facts, resources), keeps, self.scrub), {}
        new, material = generate_key(provider, datetime.now(UTC), _names(facts))
        return Wanted(self.asked, resources, new, keeps, self.scrub), {new: material}


def _configured(facts: Facts) -> tuple[str, ...]:
    """The resources that any server encrypts now."""
    said = (providers.items() for server in facts.servers for providers in possible(server))
    return tuple(sorted({resource for each in said for resource, keys in each if keys[0] != IDENTITY}))


def _writing(facts: Facts, resources: Iterable[str]) -> str:
    """The provider whose key is to be rotated."""
    found = {key.provider for key in _writers(facts, resources)}
    if found == {IDENTITY.provider}:
        raise HardeningError("Nothing is encrypted, so there is no key to rotate: enable it first, by harden_cluster.")
    if len(found) == 1 and found <= KEY_LENGTHS.keys():
        return found.pop()
    raise _unclear(found)


def _unclear(found: Iterable[str]) -> HardeningError:
    return HardeningError(
        f"What writes now is {', '.join(sorted(found))}. Say by `provider` what shall, in a policy by "
        "cluster.encryption.provider. A KMS rotates its own key: rotate it there, then run harden_cluster, which "
        "rewrites what the former one wrote."
    )


def _begun(facts: Facts) -> str:
    """The provider of a walk that was begun, since that is finished first."""
    intent = facts.intent
    providers = {key.provider for key in intent.write.values()} if intent else set()
    begun = providers & (KEY_LENGTHS.keys() | {"kms_v2"})
    return begun.pop() if intent and intent.asked in ("enable", "rotate") and len(begun) == 1 else ""


def _adopted(facts: Facts, resources: Iterable[str]) -> str:
    """The provider that writes now, if it may stay; to change to another one has to be asked for."""
    found = {key.provider for key in _writers(facts, resources)} - {IDENTITY.provider}
    if not found:
        return _PROVIDER
    if len(found) == 1 and found <= _STRONG:
        return found.pop()
    raise _unclear(found)


def _plugin(facts: Facts, resources: Iterable[str]) -> Key:
    """The KMS plugin that writes now, or that a server reads already since it shall."""
    plugins = {key for key in _writers(facts, resources) if key.provider == "kms_v2"}
    if not plugins:
        raise HardeningError(
            "A change to a KMS was begun, and no server knows its endpoint yet: give the options provider and kms."
        )
    if len(plugins) > 1:
        raise _unclear({str(each) for each in plugins})
    return plugins.pop()


def _writers(facts: Facts, resources: Iterable[str]) -> set[Key]:
    said = [providers for server in facts.servers for providers in possible(server)]
    return {keys_of(providers, resource)[0] for providers in said for resource in resources}


def _names(facts: Facts) -> set[str]:
    """The names of all keys that a server has or had."""
    said = (providers.values() for server in facts.servers for providers in possible(server))
    return {key.name for each in said for keys in each for key in keys if key.name} | {
        key.name for server in facts.servers for key in server.kept
    }


def read_options(said: Mapping[str, Any]) -> Options:
    """The options; raises HardeningError on what cannot be meant."""
    names = [name for name in said["nodes"] if name]
    if not names:
        raise HardeningError(
            "No control plane node is named: give an inventory with the group kube_control_plane (-i INVENTORY), or "
            "another group by -e control_plane=GROUP; a role or a task names them itself, by nodes."
        )
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise HardeningError(f"The option nodes names {', '.join(twice)} more than once: name each node once.")
    for option, least in (
        ("restart_seconds", _LEAST_RESTART_SECONDS),
        ("ready_seconds", 0),
        ("workers", 1),
        ("most_per_second", 0),
    ):
        if said[option] < least:
            raise HardeningError(f"{option} is {said[option]}, and must be {least} or more.")
    return Options(
        tuple(names),
        said["manifest"],
        _ASKED[said["state"]],
        said["provider"] or "",
        _kms(said),
        wanted_resources(said["resources"]) if said["resources"] is not None else (),
        said["plain_text"],
        said["scrub"],
        escrow_of(said["escrow"]),
        said["snapshot"] or "",
        said["restart_seconds"],
        said["ready_seconds"],
        said["workers"],
        said["most_per_second"],
    )


def _kms(said: Mapping[str, Any]) -> KmsPlugin | None:
    plugin = said["kms"]
    if (said["provider"] == "kms") != bool(plugin):
        raise HardeningError("The provider kms and the option kms belong together: give both, or none.")
    if not plugin:
        return None
    found = KmsPlugin(plugin["name"], "v2", plugin["endpoint"], plugin["timeout"] or "")
    if troubles := list(troubles_with_plugin(found.to_entry())):
        raise HardeningError(f"The option kms is not what an API server takes: {'; '.join(troubles)}.")
    if is_unsafe(found.name):
        raise HardeningError(
            f"The option kms names the plugin {found.name!r}, which stands in etcd before every value: use letters, "
            "digits, dots, dashes and underscores."
        )
    return found
