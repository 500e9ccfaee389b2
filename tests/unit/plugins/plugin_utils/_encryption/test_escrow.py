# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._keys import KeyMaterial
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import Key
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._escrow import (
    CommandEscrow,
    VaultFile,
    escrow_of,
    refuse_lost,
)

MATERIAL = KeyMaterial(bytes(range(32)))
KEY = Key("secretbox", "k1", MATERIAL.fingerprint)
OTHER = KeyMaterial(bytes(range(1, 33)))
OTHER_KEY = Key("aescbc", "k2", OTHER.fingerprint)

VAULT = """
import json, pathlib, sys
folder, verb = pathlib.Path(sys.argv[1]), sys.argv[2]
if verb == "list":
    files = (json.loads(each.read_text()) for each in folder.glob("*.json"))
    print(json.dumps([{name: value for name, value in each.items() if name != "secret"} for each in files]))
else:
    given = json.load(sys.stdin)
    file = folder / (given["fingerprint"] + ".json")
    if verb == "put":
        file.write_text(json.dumps(given))
    else:
        print(file.read_text())
"""


@pytest.fixture
def command(tmp_path: Path) -> CommandEscrow:
    (tmp_path / "vault.py").write_text(VAULT)
    (tmp_path / "kept").mkdir()
    return CommandEscrow([sys.executable, str(tmp_path / "vault.py"), str(tmp_path / "kept")])


@pytest.fixture
def file(tmp_path: Path) -> VaultFile:
    (tmp_path / "password").write_text("a long password\n")
    return VaultFile(tmp_path / "keys.vault", tmp_path / "password")


def test_a_command_keeps_keys(command: CommandEscrow) -> None:
    assert command.known() == frozenset()
    command.put(KEY, MATERIAL)
    command.put(OTHER_KEY, OTHER)
    assert command.known() == {KEY, OTHER_KEY}
    assert command.get(KEY) == MATERIAL


def test_a_command_that_gives_another_key_is_not_believed(command: CommandEscrow, tmp_path: Path) -> None:
    command.put(KEY, MATERIAL)
    kept = tmp_path / "kept" / f"{KEY.fingerprint}.json"
    kept.write_text(json.dumps({**json.loads(kept.read_text()), "secret": OTHER.base64()}))
    with pytest.raises(HardeningError, match="it gave another key than the secretbox key k1"):
        command.get(KEY)


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("import sys; sys.exit(3)", "it ended with status 3"),
        ("print('no JSON')", "it did not print JSON"),
        ("print('[{}]')", "it did not print a list"),
    ],
)
def test_a_command_that_fails_says_so(program: str, told: str) -> None:
    with pytest.raises(HardeningError, match=told):
        CommandEscrow([sys.executable, "-c", program]).known()


def test_a_failing_command_shows_no_key() -> None:
    program = "import sys; sys.stderr.write(sys.stdin.read()); sys.exit(1)"
    with pytest.raises(HardeningError) as raised:
        CommandEscrow([sys.executable, "-c", program]).put(KEY, MATERIAL)
    assert MATERIAL.base64() not in str(raised.value)


def test_a_missing_command_is_told() -> None:
    with pytest.raises(HardeningError, match="there is no such program"):
        CommandEscrow(["/does/not/exist"]).known()


def test_a_vault_file_keeps_keys(file: VaultFile, tmp_path: Path) -> None:
    assert file.known() == frozenset()
    file.put(KEY, MATERIAL)
    file.put(OTHER_KEY, OTHER)
    assert file.known() == {KEY, OTHER_KEY}
    assert file.get(OTHER_KEY) == OTHER
    kept = tmp_path / "keys.vault"
    assert kept.read_bytes().startswith(b"$ANSIBLE_VAULT;")
    assert MATERIAL.base64().encode() not in kept.read_bytes()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == [".keys.vault.lock", "keys.vault", "password"]


def test_a_wrong_password_is_told_and_nothing_is_written(file: VaultFile, tmp_path: Path) -> None:
    file.put(KEY, MATERIAL)
    before = (tmp_path / "keys.vault").read_bytes()
    (tmp_path / "password").write_text("another password\n")
    with pytest.raises(HardeningError, match="the password does not open it"):
        file.put(OTHER_KEY, OTHER)
    assert (tmp_path / "keys.vault").read_bytes() == before


def test_a_missing_password_is_told(tmp_path: Path) -> None:
    with pytest.raises(HardeningError, match="its password cannot be read"):
        VaultFile(tmp_path / "keys.vault", tmp_path / "none").put(KEY, MATERIAL)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("a long password\n")
    with pytest.raises(HardeningError, match="it cannot be written"):
        VaultFile(tmp_path / "none" / "keys.vault", tmp_path / "password").put(KEY, MATERIAL)


def test_the_option_says_which_vault() -> None:
    assert escrow_of(None) is None
    assert isinstance(escrow_of({"command": ["vault"], "vault_file": None}), CommandEscrow)
    said = {"command": None, "vault_file": "keys.vault", "vault_password_file": "password"}
    assert isinstance(escrow_of(said), VaultFile)


class Forgetful(VaultFile):
    def get(self, key: Key) -> KeyMaterial:
        return {key: OTHER}[key]


def test_a_vault_that_gives_other_bytes_back_has_not_kept_the_key(file: VaultFile, tmp_path: Path) -> None:
    refuse_lost(file, {})
    with pytest.raises(HardeningError, match="gives other bytes for the secretbox key k1"):
        refuse_lost(Forgetful(tmp_path / "keys.vault", tmp_path / "password"), {KEY: MATERIAL})


def test_a_key_that_is_in_no_vault_is_told(file: VaultFile) -> None:
    with pytest.raises(HardeningError, match="the secretbox key k1 .* is not in it"):
        refuse_lost(file, {KEY: MATERIAL})
