# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the addresses that policies name, and those where API servers listen."""

from __future__ import annotations

from ansible_collections.hardening.kubernetes.plugins.module_utils._network._facts import Facts
from ansible_collections.hardening.kubernetes.plugins.module_utils._network._policies import InForce


def addresses_of(policy: InForce) -> list[str]:
    """The addresses that the rules of a policy name."""
    return sorted(
        {
            peer["ipBlock"]["cidr"].partition("/")[0]
            for rules in policy.rules.values()
            for rule in rules
            for peer in rule.peers
            if "ipBlock" in peer
        }
    )


def listening(facts: Facts) -> str:
    """Where the API servers are, for people."""
    return ", ".join(
        f"{address} on {'/'.join(str(number) for number, _protocol in server.ports)}"
        for server in facts.api_servers
        for address in server.addresses
    )
