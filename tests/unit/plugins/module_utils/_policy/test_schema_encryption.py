# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a policy may say of encryption at rest."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._document import Source
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._load import load, parts
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._mistakes import PolicyError

HEAD = "policy_version: 1\nname: shop\ncluster:\n  encryption: "
AT = "0.yml:4: cluster.encryption"


def loaded(*said: str) -> dict[str, Any]:
    return load([Source(f"{at}.yml", f"{HEAD}{each}\n") for at, each in enumerate(said)])


def told(*said: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        loaded(*said)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_what_is_said_is_what_the_role_gets() -> None:
    policy = loaded("{provider: aescbc, resources: [secrets, '*.apps'], age_days: 90, scrub: false, workers: 8}")
    assert policy["encryption"] == {
        "provider": "aescbc",
        "resources": ["secrets", "*.apps"],
        "age_days": 90,
        "scrub": False,
        "workers": 8,
    }
    assert parts(policy) == ["encryption_at_rest"]


def test_a_run_that_is_limited_to_namespaces_leaves_the_cluster_as_it_is() -> None:
    assert parts(loaded("{provider: secretbox}"), ["shop"]) == []


@pytest.mark.parametrize(
    "said",
    [
        "{provider: kms, kms: {name: vault, endpoint: 'unix:///var/run/kms.sock', timeout: 3s}}",
        "{escrow: {command: [/usr/local/bin/keep, --vault, production]}}",
        "{escrow: {vault_file: keys.vault, vault_password_file: ~/.password}, snapshot: /var/backups/etcd}",
        "{age_days: 0, plain_text: true, most_per_second: 0, restart_seconds: 30}",
    ],
)
def test_right(said: str) -> None:
    assert loaded(said)["encryption"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("{}", f"{AT}: says too little; allowed: provider, kms, resources"),
        ("{provider: identity}", f'{AT}.provider: found "identity"; allowed: secretbox, aescbc, aesgcm, kms.'),
        ("{provider: secretbx}", "Did you mean secretbox?"),
        ("{resources: []}", f"{AT}.resources: the list is empty"),
        ("{resources: [Secrets]}", f'{AT}.resources[0]: found "Secrets"; allowed: a resource by its plural name'),
        ("{resources: [secrets, secrets]}", f"{AT}.resources[1]: stands here for the second time"),
        ("{provider: kms}", f"{AT}.provider: says nothing of the plugin: add kms"),
        ("{kms: {name: a, endpoint: 'unix:///a'}}", f"{AT}.kms: has no effect without provider: kms"),
        ("{provider: kms, kms: {name: a}}", f"{AT}.kms: endpoint is missing, like endpoint: unix:///"),
        ("{provider: kms, kms: {name: 'a:b', endpoint: 'unix:///a'}}", f'{AT}.kms.name: found "a:b"'),
        ("{escrow: {}}", f"{AT}.escrow: says too little"),
        ("{escrow: {command: [a], vault_file: b, vault_password_file: c}}", "must have either command or vault_file"),
        ("{escrow: {vault_file: keys.vault}}", "must have vault_file and vault_password_file together"),
        ("{age_days: -1}", f"{AT}.age_days: found -1; allowed: 0 or more"),
        ("{age_days: ninety}", f'{AT}.age_days: found "ninety"; allowed: a whole number'),
        ("{restart_seconds: 5}", f"{AT}.restart_seconds: found 5; allowed: 30 or more"),
        ("{snapshot: backups}", f'{AT}.snapshot: found "backups"; allowed: an absolute path'),
        ("{key: c2VjcmV0}", f"{AT}.key: there is no such key; allowed: provider"),
        ("[secrets]", f"{AT}: found a list; allowed: a mapping"),
    ],
)
def test_wrong(said: str, expected: str) -> None:
    assert any(expected in each for each in told(said)), told(said)


def test_two_files_cannot_say_different_things() -> None:
    (mistake,) = told("{provider: aescbc}", "{provider: secretbox}")
    assert "says something else than 0.yml:4" in mistake
