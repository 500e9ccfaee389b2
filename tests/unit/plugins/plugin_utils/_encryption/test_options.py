# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import (
    IDENTITY,
    Facts,
    Intent,
    Key,
    Providers,
    Server,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._options import (
    OPTIONS_SPEC,
    read_options,
)

OLD = Key("aescbc", "old", "0123456789abcdef")
OTHER = Key("aescbc", "other", "00112233445566")
NEW = Key("secretbox", "new", "fedcba9876543210")
KMS = Key("kms_v2", "vault")
PLUGIN = {"name": "vault", "endpoint": "unix:///run/kms.sock", "timeout": None, "cache_size": None}


def said(**given: Any) -> dict[str, Any]:
    unset = {name: option.get("default") for name, option in OPTIONS_SPEC.items()}
    return {**unset, "nodes": ["cp1", "cp2"], **given}


def facts(*files: Providers) -> Facts:
    return Facts(tuple(Server(f"cp{number}", file, file) for number, file in enumerate(files)))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"nodes": []}, "No control plane node is named"),
        ({"nodes": ["cp1", "cp2", "cp1"]}, "names cp1 more than once"),
        ({"workers": 0}, "workers is 0"),
        ({"restart_seconds": 5}, "restart_seconds is 5"),
        ({"most_per_second": -1}, "most_per_second is -1"),
        ({"provider": "kms"}, "belong together"),
        ({"provider": "aescbc", "kms": PLUGIN}, "belong together"),
        ({"provider": "kms", "kms": {**PLUGIN, "name": "vault:1"}}, "may hold no colon"),
        ({"provider": "kms", "kms": {**PLUGIN, "name": "my vault"}}, "names the plugin 'my vault'"),
        ({"provider": "kms", "kms": {**PLUGIN, "endpoint": "https://vault"}}, "endpoint is not a socket"),
        ({"resources": ["Secrets"]}, "capital letters"),
        ({"resources": []}, "No resource is named"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(HardeningError, match=told):
        read_options(said(**given))


def test_secrets_are_encrypted_with_a_new_secretbox_key_unless_told_otherwise() -> None:
    wanted, made = read_options(said()).wanted(facts({}))
    assert (wanted.asked, wanted.resources, wanted.new.provider) == ("enable", ("secrets",), "secretbox")
    assert made.keys() == {wanted.new}


def test_a_rotation_stays_with_provider_and_resources() -> None:
    wanted, _made = read_options(said(state="rotated")).wanted(
        facts({"configmaps": (OLD,), "secrets": (OLD, IDENTITY)})
    )
    assert (wanted.resources, wanted.new.provider) == (("configmaps", "secrets"), "aescbc")


def test_a_rotation_of_nothing_is_refused() -> None:
    with pytest.raises(HardeningError, match="Nothing is encrypted"):
        read_options(said(state="rotated")).wanted(facts({}))


def test_a_rotation_from_two_providers_has_to_say_which() -> None:
    mixed = facts({"secrets": (OLD,)}, {"secrets": (NEW, OLD)})
    with pytest.raises(HardeningError, match="aescbc, secretbox. Say by `provider` what shall"):
        read_options(said(state="rotated")).wanted(mixed)


def test_what_is_encrypted_already_stays_with_its_provider() -> None:
    wanted, _made = read_options(said()).wanted(facts({"secrets": (OLD, IDENTITY)}))
    assert wanted.new.provider == "aescbc"


def test_what_a_kms_encrypts_stays_with_it() -> None:
    wanted, made = read_options(said()).wanted(facts({"secrets": (KMS, IDENTITY)}))
    assert wanted.new == KMS
    assert made == {}


def test_two_keys_of_one_provider_are_no_reason_to_leave_it() -> None:
    wanted, _made = read_options(said()).wanted(facts({"secrets": (OLD, OTHER)}, {"secrets": (OTHER, OLD)}))
    assert wanted.new.provider == "aescbc"


@pytest.mark.parametrize("state", ["present", "rotated"])
def test_a_walk_that_was_begun_is_finished_with_its_provider(state: str) -> None:
    intent = Intent("rotate", {"secrets": NEW}, {"secrets": OLD})
    begun = replace(facts({"secrets": (OLD, NEW)}), intent=intent)
    wanted, _made = read_options(said(state=state)).wanted(begun)
    assert wanted.new.provider == "secretbox"


@pytest.mark.parametrize("weak", [Key("aesgcm", "old", "1"), Key("kms_v1", "old")])
def test_to_leave_a_provider_that_may_not_stay_has_to_be_asked_for(weak: Key) -> None:
    with pytest.raises(HardeningError, match=f"What writes now is {weak.provider}. Say by `provider`"):
        read_options(said()).wanted(facts({"secrets": (weak,)}))


def test_a_kms_brings_no_key_of_ours() -> None:
    options = read_options(said(provider="kms", kms=PLUGIN))
    wanted, made = options.wanted(facts({}))
    assert wanted.new == Key("kms_v2", "vault")
    assert made == {}
    assert options.plugins[wanted.new].endpoint == "unix:///run/kms.sock"


def test_plain_text_stays_readable_where_that_is_asked_for() -> None:
    wanted, _made = read_options(said(plain_text=True)).wanted(facts({}))
    assert wanted.keeps == (IDENTITY,)
