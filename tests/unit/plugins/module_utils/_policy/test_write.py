# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A policy as text, which is read back as it was."""

from __future__ import annotations

from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._document import Source
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._load import load
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._write import (
    PolicyFile,
    Sections,
    Written,
    policy_text,
)

ODD = ["1.30", "yes", "null", "2027-03-01", "# no", "é: x", "a\nb'\"", "{{ x }}", "- y", "*", "0x1", "~", " z "]


def access(*names: str) -> dict[str, Any]:
    return {"grant": [{"cluster_role": "view", "binding": "a:b", "to": [{"user": name} for name in names]}]}


def text_of(namespaces: dict[str, Sections], cluster: Sections | None = None, head: tuple[str, ...] = ()) -> str:
    return policy_text(PolicyFile("old-cluster", namespaces, cluster or {}, head))


def test_every_word_is_read_back_as_it_was() -> None:
    spec = {"podSelector": {"matchLabels": {"1": "true", "v": "8080"}}, "ingress": [{"ports": [{"port": 8080}]}]}
    quota = {"quotas": {"team": {"hard": {"pods": "020", "requests.cpu": "1e3"}}}}
    text = text_of(
        {
            "null": {"access": Written(access(*ODD)), "network": Written({"policies": {"web": spec}})},
            "1": {"resources": Written(quota)},
        },
        {"access": Written({"keep": [{"cluster_role_binding": name} for name in ODD]})},
    )
    read = load([Source("policy.yml", text)])
    assert read["name"] == "old-cluster"
    assert read["access"]["namespaces"] == {"null": access(*ODD)}
    assert read["access"]["cluster"]["keep"] == [{"cluster_role_binding": name} for name in ODD]
    assert read["network"]["namespaces"]["null"]["policies"]["web"] == spec
    assert read["resources"]["namespaces"] == {"1": quota}


def test_what_fits_stands_in_a_line_and_comments_stand_above_what_they_are_about() -> None:
    block = "pod_security:\n  enforce: restricted"
    text = text_of(
        {
            "shop": {
                "pod_security": Written({"enforce": "baseline"}, ["one " * 40, block]),
                "access": Written(access(*(f"user-number-{each}" for each in range(8)))),
            },
            "empty": {"network": Written({}, ["Nothing closes anything."])},
        },
        head=("About this file.",),
    )
    assert text.splitlines()[:4] == ["---", "# About this file.", "policy_version: 1", "name: old-cluster"]
    assert "\n  # empty: nothing is said of it.\n  # network: Nothing closes anything.\n" in text
    shop = text.partition("\n  shop:\n")[2]
    assert shop.startswith("    # one one")
    assert "    # pod_security:\n    #   enforce: restricted\n    pod_security: {enforce: baseline}\n" in shop
    assert (
        "\n        - cluster_role: view\n          binding: a:b\n          to:\n            - {user: user-number-0}"
        in shop
    )
    assert max(map(len, text.splitlines())) <= 120


def test_a_cluster_that_says_nothing_is_a_policy_too() -> None:
    text = text_of({"shop": {"access": Written({}, ["Not seen."])}}, {"access": Written({"keep": []})})
    read = load([Source("policy.yml", text)])
    assert read["access"]["cluster"] == {"keep": []} and read["access"]["namespaces"] == {}
