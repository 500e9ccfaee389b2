# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: where keys are kept apart from the nodes, before anything is written with them.

Either a program of the operator's, which is told what to do by its last argument and gets keys by its standard input,
or a file on the controller that Ansible Vault encrypts.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret, get_file_vault_secret
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._keys import KeyMaterial, parse_material
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._records import keys_bytes, parse_keys
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import Key
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

ESCROW_SPEC: dict[str, Any] = {
    "escrow": {
        "type": "dict",
        "mutually_exclusive": [("command", "vault_file")],
        "required_one_of": [("command", "vault_file")],
        "required_together": [("vault_file", "vault_password_file")],
        "options": {
            "command": {"type": "list", "elements": "str"},
            "vault_file": {"type": "path"},
            "vault_password_file": {"type": "path"},
        },
    }
}
_SECONDS = 120


class Escrow(Protocol):
    """The operator's vault. Its methods raise HardeningError, without key material, where it does not do it."""

    def known(self) -> frozenset[Key]:
        """The keys that are in it."""

    def put(self, key: Key, material: KeyMaterial) -> None:
        """Keep a key for good."""

    def get(self, key: Key) -> KeyMaterial:
        """The bytes of a key that is in it."""


def escrow_of(said: Mapping[str, Any] | None) -> Escrow | None:
    """The vault that the option names, if any."""
    if not said:
        return None
    if said["command"]:
        return CommandEscrow(said["command"])
    return VaultFile(Path(said["vault_file"]), Path(said["vault_password_file"]))


def refuse_lost(escrow: Escrow, kept: Mapping[Key, KeyMaterial]) -> None:
    """Raise HardeningError unless the vault gives back the very bytes of these keys: a list of names proves nothing."""
    for key in sorted(kept):
        if escrow.get(key) != kept[key]:
            raise HardeningError(
                f"The vault gives other bytes for the {key} than those that it was given (fingerprint "
                f"{key.fingerprint}). Nothing is written with a key, and none is removed, that it does not have: "
                "correct the vault, and run the same command again."
            )


class CommandEscrow:
    """A program that is called with ``list``, ``put`` or ``get`` as its last argument.

    ``list`` prints a JSON list of ``{provider, name, fingerprint}``. ``put`` reads one of these with a ``secret``
    (base64) and ends with status 0 once it is kept for good. ``get`` reads one without and prints it with the
    ``secret``.
    """

    def __init__(self, command: Sequence[str]) -> None:
        """Take the program and its first arguments."""
        self._command = tuple(command)

    def known(self) -> frozenset[Key]:
        """The keys that it lists."""
        said = self._call("list", None)
        try:
            return frozenset(Key(each["provider"], each["name"], each["fingerprint"]) for each in said)
        except (KeyError, TypeError):
            raise self._wrong("list", "it did not print a list of {provider, name, fingerprint}") from None

    def put(self, key: Key, material: KeyMaterial) -> None:
        """Give it a key."""
        self._call("put", {**key.told, "secret": material.base64()})

    def get(self, key: Key) -> KeyMaterial:
        """Ask it for a key; refused where it gives another one."""
        said = self._call("get", key.told)
        secret = said.get("secret") if isinstance(said, dict) else None
        material = parse_material(secret, key.provider, "what the vault's command gives")
        if material.fingerprint != key.fingerprint:
            raise self._wrong("get", f"it gave another key than the {key} (fingerprint {key.fingerprint})")
        return material

    def _call(self, verb: str, given: Mapping[str, str] | None) -> Any:
        try:
            done = subprocess.run(
                [*self._command, verb],
                input=json.dumps(given).encode() if given else b"",
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            raise self._wrong(verb, "there is no such program") from None
        except PermissionError:
            raise self._wrong(verb, "it may not be run") from None
        except subprocess.TimeoutExpired:
            raise self._wrong(verb, f"it did not end within {_SECONDS} s") from None
        if done.returncode:
            raise self._wrong(verb, f"it ended with status {done.returncode}")
        if verb == "put":
            return None
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise self._wrong(verb, "it did not print JSON") from None

    def _wrong(self, verb: str, told: str) -> HardeningError:
        return HardeningError(
            f"The vault's command {self._command[0]} {verb} failed: {told}. Nothing is written with a key that the "
            "vault does not have: correct it, and run the same command again."
        )


class VaultFile:
    """A file that Ansible Vault encrypts, with all keys that there ever were."""

    def __init__(self, path: Path, password: Path) -> None:
        """Take the file, which is made where there is none, and the file or program that gives its password."""
        self._path = path
        self._password = password

    def known(self) -> frozenset[Key]:
        """The keys that are in it."""
        return frozenset(self._read())

    def put(self, key: Key, material: KeyMaterial) -> None:
        """Add a key: the former file is there until the new one is whole, and no other run writes meanwhile."""
        try:
            with self._alone():
                self._add(key, material)
        except OSError as error:
            raise self._wrong(f"it cannot be written ({error.strerror})") from None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._path.with_name(f".{self._path.name}.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _add(self, key: Key, material: KeyMaterial) -> None:
        content = self._vault().encrypt(keys_bytes({**self._read(), key: material}))
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(handle)
            Path(name).replace(self._path)
        except OSError:
            with suppress(OSError):
                Path(name).unlink()
            raise

    def get(self, key: Key) -> KeyMaterial:
        """A key out of it."""
        kept = self._read()
        if key not in kept:
            raise self._wrong(f"the {key} (fingerprint {key.fingerprint}) is not in it")
        return kept[key]

    def _read(self) -> dict[Key, KeyMaterial]:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._wrong(f"it cannot be read ({error.strerror})") from None
        try:
            plain = self._vault().decrypt(content)
        except AnsibleError:
            raise self._wrong("the password does not open it") from None
        return parse_keys(plain, str(self._path))

    def _vault(self) -> VaultLib:
        try:
            secret = get_file_vault_secret(filename=str(self._password), loader=DataLoader())
            secret.load()
        except AnsibleError as error:
            raise self._wrong(f"its password cannot be read ({error.message})") from None
        return VaultLib([("default", VaultSecret(secret.bytes))])

    def _wrong(self, told: str) -> HardeningError:
        return HardeningError(
            f"The vault {self._path} cannot be used: {told}. Nothing is written with a key that the vault does not "
            "have: correct it, and run the same command again."
        )
