# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys changed and judged by a policy, with the playbooks as a user runs them."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import yaml

from tests.encryption.clusters import Cluster
from tests.encryption.invariants import histogram, key_of, no_key_is_told, prefix_of
from tests.encryption.runs import finish, playbook
from tests.encryption.traces import left

CONTROLS = {
    f"encryption.{each}"
    for each in (
        *("at_rest", "provider", "stragglers", "prefixes", "old_keys", "plain_text"),
        *("servers", "keys", "files", "key_age", "backups", "finished", "upgrade"),
    )
}


def test_a_key_is_rotated_and_judged_by_a_policy(one: Cluster, tmp_path: Path) -> None:
    policy, vault, password, report = (tmp_path / each for each in ("policy.yml", "keys", "password", "report.json"))
    password.touch(0o600)
    password.write_text(secrets.token_hex())
    encryption = {
        "provider": "secretbox",
        "scrub": False,
        # With one node alone, a key that is nowhere else is a failure.
        "escrow": {"vault_file": str(vault), "vault_password_file": str(password)},
    }
    said = {"policy_version": 1, "name": "encrypted", "cluster": {"encryption": encryption}}
    policy.write_text(yaml.safe_dump(said))
    for name in ("one", "two"):
        one.kubectl("create", "secret", "generic", name, "--from-literal=content=foo")
    finish(one, tmp_path, {"state": "present", **encryption})
    before, keys = key_of(one), one.keys()[one.nodes[0]]
    assert before

    untouched = left(one), vault.read_bytes()
    foreseen = playbook(one, "rotate_encryption_key", "-e", f"policy={policy}", "--check")
    assert foreseen.returncode == 0, foreseen.stdout[-5000:]
    told = [state for state in range(1, 9) if f"state {state} of 8, " in foreseen.stdout]
    assert told == [1, 2, 3, 4, 5, 6, 8], foreseen.stdout
    assert (left(one), vault.read_bytes()) == untouched

    done = playbook(one, "rotate_encryption_key", "-e", f"policy={policy}")
    assert done.returncode == 0, done.stdout[-5000:]
    after = key_of(one)
    assert after not in (None, before)
    assert after and set(histogram(one)) == {prefix_of(*after)}

    judged = playbook(one, "audit_cluster", "-e", f"policy={policy}", "-e", f"report={report}")
    assert judged.returncode == 0, judged.stdout[-5000:]
    findings = json.loads(report.read_text())["findings"]
    assert {each["control"] for each in findings} >= CONTROLS
    wrong = [each for each in findings if each["control"] in CONTROLS and each["status"] != "pass"]
    assert not wrong
    no_key_is_told(keys | one.keys()[one.nodes[0]], foreseen.stdout + done.stdout + judged.stdout)
