# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What balances between API servers must not let one of them prove what another has loaded."""

from __future__ import annotations

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._errors import KubeError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._evidence import Evidence
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import _told_apart


def said(identity: str) -> Evidence:
    return Evidence("sha256:1", started_at=1, identity=identity)


def test_servers_with_identities_of_their_own_are_believed() -> None:
    told = {"cp1": said("one"), "cp2": said("two"), "cp3": KubeError("it does not answer")}
    assert _told_apart(told) == told


def test_servers_that_have_no_identity_yet_are_not_taken_for_one() -> None:
    told: dict[str, Evidence | KubeError] = {"cp1": said(""), "cp2": said("")}
    assert _told_apart(told) == told


def test_one_server_at_two_addresses_proves_nothing_at_either() -> None:
    found = _told_apart({"cp1": said("one"), "cp2": said("one"), "cp3": said("three")})
    assert [isinstance(found[name], KubeError) for name in ("cp1", "cp2", "cp3")] == [True, True, False]
