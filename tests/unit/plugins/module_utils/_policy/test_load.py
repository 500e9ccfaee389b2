# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the text of policies to what each role is to do, and every mistake on the way."""

# ruff: noqa: E501 (messages are compared whole)

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._document import Source
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._load import (
    load,
    named,
    namespace_objects,
    parts,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._mistakes import PolicyError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._controls import CONTROLS

HEAD = "policy_version: 1\nname: shop\n"
SHOP = HEAD + "namespaces: {shop: {create: true}}\n"
WHOLE = """\
policy_version: 1
name: production-cluster
namespaces:
  shop:
    create: true
    pod_security: {enforce: restricted, version: v1.36}
    network:
      default_deny: [ingress, egress]
      dns: {node_local: 169.254.20.10}
      allow:
        - {from: {app: frontend, version: 1.30, canary: true}, to: {app: backend}, ports: [8080/TCP, 9090, 8000-8100/TCP]}
        - {from: {app: backend}, to: {api_server: true}}
        - {from: {}, to: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}, ports: [443]}
      accept_risks: [node_port]
  legacy: {pod_security: {warn: baseline}}
selected:
  - {selector: "team in (payments, billing)", pod_security: {enforce: baseline}}
  - {selector: "tier=web", network: {default_deny: [ingress]}}
defaults:
  exempt: ["sandbox-*"]
  pod_security: {enforce: baseline}
cluster:
  pod_security: {on_violation: warn}
  network: {probe: {image: "hardening.local/toolbox:1", namespaces: 3}}
waivers:
  - {control: network.flows, subject_glob: "Pod/shop/*", reason: "{{ because }}", owner: me, expires: 2027-03-01}
accept_unknown: [network.default_deny Namespace/windows]
"""


def loaded(*texts: str) -> dict[str, Any]:
    return load([Source(f"{at}.yml", text) for at, text in enumerate(texts)])


def told(*texts: str, encrypted: bool = False) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        load([Source(f"{at}.yml", text, encrypted) for at, text in enumerate(texts)])
    return [str(mistake) for mistake in caught.value.mistakes]


def test_a_whole_policy_for_each_role() -> None:
    policy = loaded(WHOLE)
    flow = {
        "from": {"app": "frontend", "version": "1.30", "canary": "true"},
        "to": {"app": "backend"},
        "ports": ["8080/TCP", "9090", "8000-8100/TCP"],
    }
    assert policy["name"] == "production-cluster"
    assert policy["create"] == ["shop"]
    assert policy["pod_security"] == {
        "namespaces": {
            "shop": {"create": True, "enforce": "restricted", "version": "v1.36"},
            "legacy": {"warn": "baseline"},
        },
        "selected": [{"selector": "team in (payments, billing)", "enforce": "baseline"}],
        "default": {"enforce": "baseline"},
        "exempt": ["sandbox-*"],
        "on_violation": "warn",
    }
    network = policy["network"]
    assert list(network["namespaces"]) == ["shop"]
    shop = network["namespaces"]["shop"]
    assert shop["create"] is True
    assert shop["default_deny"] == ["ingress", "egress"]
    assert shop["dns"] == {"node_local": "169.254.20.10"}
    assert shop["allow"][0] == flow
    assert shop["allow"][1]["to"] == {"api_server": True}
    assert shop["accept_risks"] == ["node_port"]
    assert network["selected"] == [{"selector": "tier=web", "default_deny": ["ingress"]}]
    assert network["default"] == {}
    assert network["exempt"] == ["sandbox-*"]
    assert network["probe"] == {"image": "hardening.local/toolbox:1", "namespaces": 3}
    assert policy["waivers"][0]["expires"] == "2027-03-01"
    assert policy["waivers"][0]["reason"] == "{{ because }}"
    assert policy["accept_unknown"] == ["network.default_deny Namespace/windows"]


def test_the_smallest_policy() -> None:
    policy = loaded(SHOP)
    nothing = {"namespaces": {"shop": {"create": True}}, "selected": [], "default": {}, "exempt": []}
    assert policy == {
        "name": "shop",
        "create": ["shop"],
        "pod_security": {**nothing, "on_violation": "fail"},
        "resources": {**nothing, "on_violation": "fail"},
        "network": {**nothing, "probe": {}},
        "access": {**nothing, "cluster": {}},
        "encryption": {},
        "waivers": [],
        "accept_unknown": [],
    }


def test_namespaces_to_create_carry_the_name_of_the_policy() -> None:
    assert namespace_objects(loaded(SHOP)) == [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": "shop",
                "labels": {"hardening.kubernetes/set": "shop"},
                "annotations": {"hardening.kubernetes/origin": "created"},
            },
        }
    ]


@pytest.mark.parametrize(
    ("said", "does", "names"),
    [
        ("namespaces: {shop: {create: true}}", ["namespaces"], ["shop"]),
        ("namespaces: {shop: {pod_security: {warn: baseline}}}", ["pod_security"], ["shop"]),
        ("namespaces: {shop: {network: {default_deny: [ingress]}}}", ["network_policies"], ["shop"]),
        (
            "namespaces: {b: {create: true, network: {dns: true}}, a: {pod_security: {warn: baseline}}}",
            ["namespaces", "pod_security", "network_policies"],
            ["a", "b"],
        ),
        ("namespaces: {shop: {resources: {quota: {pods: 9}}}}", ["resource_limits"], ["shop"]),
        ("namespaces: {shop: {access: {keep: [{role_binding: x}]}}}", ["rbac"], ["shop"]),
        ("cluster: {access: {keep: [{cluster_role_binding: x}]}}", ["rbac"], []),
        ("cluster: {encryption: {provider: secretbox}}", ["encryption_at_rest"], []),
        ("defaults: {pod_security: {warn: baseline}}", ["pod_security"], []),
        ("selected: [{selector: a, network: {dns: true}}]", ["network_policies"], []),
        ("namespaces: {a: {network: {dns: true}}}\ndefaults: {exempt: [b]}", ["network_policies"], ["a"]),
    ],
)
def test_what_a_run_does_and_where(said: str, does: list[str], names: list[str]) -> None:
    policy = loaded(f"{HEAD}{said}\n")
    assert (parts(policy), named(policy)) == (does, names)


def network(said: str) -> str:
    return f"{HEAD}namespaces:\n  shop:\n    network: {said}\n"


def flow(said: str) -> str:
    return network(f"{{default_deny: [ingress], allow: [{said}]}}")


def waiver(said: str) -> str:
    return f"{SHOP}waivers: [{said}]\n"


AT = "0.yml:5: namespaces.shop.network"
WAIVABLE = ", ".join(control for control in CONTROLS if control != "policy.waivers")
FULL_WAIVER = "control: network.flows, subject: a, reason: r, owner: o, expires: 2027-03-01"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD, "0.yml:1: says nothing of any namespace: give it namespaces, selected or defaults"),
        ("name: x\n" + SHOP[len(HEAD) :], "0.yml:1: policy_version is missing, like policy_version: 1"),
        (SHOP.replace("1", "2"), "0.yml:1: policy_version: found 2; allowed: 1."),
        (SHOP.replace("1", "'1'"), '0.yml:1: policy_version: found "1"; allowed: a whole number'),
        (
            SHOP + "waiver: []\n",
            (
                "0.yml:4: waiver: there is no such key; allowed: policy_version, name, namespaces, selected, defaults, cluster, "
                "waivers, accept_unknown. Did you mean waivers?"
            ),
        ),
        (SHOP + "namespaces: {}\n", "0.yml:4: namespaces: this key stands here for the second time (first in line 3)"),
        (SHOP + "defaults:\n", "0.yml:4: defaults: found nothing; allowed: a mapping"),
        (
            SHOP + "defaults: {}\n",
            "0.yml:4: defaults: says too little; allowed: exempt, pod_security, network, resources, access",
        ),
        (SHOP + "defaults: [a]\n", "0.yml:4: defaults: found a list; allowed: a mapping"),
        (
            HEAD + "namespaces: {Shop: {create: true}}\n",
            '0.yml:3: namespaces.Shop: found "Shop"; allowed: the name of a namespace, at most 63 of a-z, 0-9 and -, with neither end a - (DNS-1123 label)',
        ),
        (
            HEAD + "namespaces: {shop: {create: yes}}\n",
            '0.yml:3: namespaces.shop.create: found "yes"; allowed: true or false',
        ),
        (
            HEAD + "namespaces: {shop: {}}\n",
            "0.yml:3: namespaces.shop: says too little; allowed: create, pod_security, network, resources, access",
        ),
        (
            HEAD + "namespaces: {shop: {pod_security: {enforce: restrictd}}}\n",
            '0.yml:3: namespaces.shop.pod_security.enforce: found "restrictd"; allowed: privileged, baseline, restricted. Did you mean restricted?',
        ),
        (
            HEAD + "namespaces: {shop: {pod_security: {enforce: baseline, version: 1.30}}}\n",
            '0.yml:3: namespaces.shop.pod_security.version: found "1.30"; allowed: latest, a minor version of Kubernetes like v1.36, or unlabelled',
        ),
        (
            HEAD + "namespaces: {shop: {pod_security: {warn_version: latest}}}\n",
            "0.yml:3: namespaces.shop.pod_security.warn_version: has no effect without warn",
        ),
        (
            HEAD + "namespaces: {shop: {pod_security: {version: latest}}}\n",
            "0.yml:3: namespaces.shop.pod_security.version: has no effect without enforce, audit or warn",
        ),
        (
            HEAD + "selected: [{pod_security: {warn: baseline}}]\n",
            "0.yml:3: selected[0]: selector is missing, like selector: team=payments",
        ),
        (
            HEAD + 'selected: [{selector: "a in", pod_security: {warn: baseline}}]\n',
            '0.yml:3: selected[0].selector: found "a in"; allowed: a label selector like team=payments, tier in (a, b), !legacy, joined by commas',
        ),
        (
            HEAD + 'selected: [{selector: "a in (b c, d)", pod_security: {warn: baseline}}]\n',
            (
                "0.yml:3: selected[0].selector: found \"a in (b c, d)\"; 'b c' in it is none; allowed: a label's value, "
                "at most 63 of letters, digits, -, _ and ., with a letter or digit at both ends"
            ),
        ),
        (
            SHOP + "cluster: {network: {probe: {namespaces: " + "9" * 5000 + "}}}\n",
            '0.yml:4: cluster.network.probe.namespaces: found "'
            + "9" * 59
            + "…; allowed: all, or a whole number, or a list",
        ),
        (
            HEAD + 'selected: [{selector: "a"}]\n',
            "0.yml:3: selected[0]: says nothing of the namespaces that it selects: give it pod_security or network or resources or access",
        ),
        (network("{dns: maybe}"), f'{AT}.dns: found "maybe"; allowed: true or false, or a mapping with node_local'),
        (
            network("{dns: {node_local: x}}"),
            f'{AT}.dns.node_local: found "x"; allowed: an IP address like 169.254.20.10',
        ),
        (
            network("{dns: {nodelocal: 1.1.1.1}}"),
            (
                f"{AT}.dns: node_local is missing, like node_local: 169.254.20.10\n"
                f"{AT}.dns.nodelocal: there is no such key; allowed: node_local. Did you mean node_local?"
            ),
        ),
        (
            network("{default_deny: [ingres]}"),
            f'{AT}.default_deny[0]: found "ingres"; allowed: ingress, egress. Did you mean ingress?',
        ),
        (network("{default_deny: [ingress, ingress]}"), f"{AT}.default_deny[1]: stands here for the second time"),
        (network("{default_deny: ingress}"), f'{AT}.default_deny: found "ingress"; allowed: a list'),
        (
            network("{allow: [{from: {}, to: {}}]}"),
            f"{AT}.allow: opens nothing without default_deny, and would close all else: add default_deny",
        ),
        (
            network("{default_deny: [ingress], accept_risks: [webhok]}"),
            (
                f'{AT}.accept_risks[0]: found "webhok"; allowed: dns, webhook, aggregated_api, crd_conversion, ingress, '
                "gateway, openshift_route, load_balancer, node_port. Did you mean webhook?"
            ),
        ),
        (flow("{from: {}}"), f"{AT}.allow[0]: to is missing"),
        (
            flow("{from: {}, to: {}, port: [1]}"),
            f"{AT}.allow[0].port: there is no such key; allowed: from, to, ports. Did you mean ports?",
        ),
        (
            flow("{from: {}, to: {}, ports: []}"),
            f"{AT}.allow[0].ports: the list is empty: fill it or leave its key out",
        ),
        (
            flow("{from: {}, to: {}, ports: [0]}"),
            f'{AT}.allow[0].ports[0]: found "0"; is out of range; ports go from 1 to 65535',
        ),
        (flow("{from: app, to: {}}"), f'{AT}.allow[0].from: found "app"; allowed: a mapping'),
        (
            flow("{from: {a b: c}, to: {}}"),
            f'{AT}.allow[0].from["a b"]: found "a b"; allowed: a label\'s key, at most 63 of letters, digits, -, _ and ., after a DNS prefix and / if need be',
        ),
        (
            flow("{from: {app: -c}, to: {}}"),
            f'{AT}.allow[0].from.app: found "-c"; allowed: a label\'s value, at most 63 of letters, digits, -, _ and ., with a letter or digit at both ends',
        ),
        (flow("{from: {any: false}, to: {}}"), f"{AT}.allow[0].from.any: found false; allowed: true."),
        (
            flow("{from: {cidr: 10.0.0.1/8}, to: {}}"),
            f'{AT}.allow[0].from.cidr: found "10.0.0.1/8"; has bits beyond its prefix; the network is 10.0.0.0/8',
        ),
        (
            flow("{from: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}, to: {}}"),
            f"{AT}.allow[0].from: except: 11.0.0.0/16 is not a part of 10.0.0.0/8",
        ),
        (
            flow("{from: {except: [11.0.0.0/16]}, to: {}}"),
            f"{AT}.allow[0].from: 'except' does not belong here; it goes together with none but pods, namespace",
        ),
        (
            flow("{from: {namespace: other}, to: {any: true}}"),
            f"{AT}.allow[0]: neither end is in namespace shop; declare the flow in the namespace of one of its ends",
        ),
        (
            HEAD
            + "defaults: {network: {default_deny: [ingress], allow: [{from: {any: true}, to: {api_server: true}}]}}\n",
            "0.yml:3: defaults.network.allow[0]: neither end is in namespace that gets these settings; declare the flow in the namespace of one of its ends",
        ),
        (
            HEAD
            + "selected: [{selector: a, network: {default_deny: [ingress], allow: [{from: {any: true}, to: {api_server: true}}]}}]\n",
            "0.yml:3: selected[0].network.allow[0]: neither end is in namespace that gets these settings; declare the flow in the namespace of one of its ends",
        ),
        (
            SHOP + "cluster: {network: {probe: {namespaces: -1}}}\n",
            "0.yml:4: cluster.network.probe.namespaces: found -1; allowed: 1 or more",
        ),
        (
            SHOP + "cluster: {network: {probe: {namespaces: some}}}\n",
            '0.yml:4: cluster.network.probe.namespaces: found "some"; allowed: all, or a whole number, or a list',
        ),
        (
            SHOP + "cluster: {network: {probe: {namespaces: [A]}}}\n",
            (
                '0.yml:4: cluster.network.probe.namespaces[0]: found "A"; allowed: the name of a namespace, at most 63 of a-z, '
                "0-9 and -, with neither end a - (DNS-1123 label)"
            ),
        ),
        (
            SHOP + "cluster: {pod_security: {on_violation: ignore}}\n",
            '0.yml:4: cluster.pod_security.on_violation: found "ignore"; allowed: fail, warn, proceed.',
        ),
        (
            waiver("{" + FULL_WAIVER.replace(", expires: 2027-03-01", "") + "}"),
            "0.yml:4: waivers[0]: expires is missing, like expires: 2027-03-01",
        ),
        (
            waiver("{" + FULL_WAIVER.replace("2027-03-01", "2027-02-30") + "}"),
            '0.yml:4: waivers[0].expires: found "2027-02-30"; there is no such day',
        ),
        (
            waiver("{" + FULL_WAIVER.replace("network.flows", "network.flow") + "}"),
            f'0.yml:4: waivers[0].control: found "network.flow"; allowed: {WAIVABLE}. Did you mean network.flows?',
        ),
        (
            waiver("{" + FULL_WAIVER + ", subject_glob: b}"),
            "0.yml:4: waivers[0]: must have either subject or subject_glob",
        ),
        (
            SHOP + "accept_unknown: [network]\n",
            f'0.yml:4: accept_unknown[0]: found "network"; begins with no control; allowed: {WAIVABLE}. Did you mean network.flows?',
        ),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_is_allowed(text: str, expected: str) -> None:
    assert "\n".join(told(text)) == expected


def test_all_mistakes_are_told_at_once_by_file_and_line() -> None:
    first = "policy_version: 1\nname: Shop\nnamespaces:\n  shop: {create: ja}\n  shop: {}\n"
    second = "defalts: {}\nselected:\n  - {selector: 'a in', pod_security: {enforce: x}}\n"
    assert [mistake.split(" ")[0] for mistake in told(first, second)] == [
        "0.yml:2:",
        "0.yml:4:",
        "0.yml:5:",
        "1.yml:1:",
        "1.yml:3:",
        "1.yml:3:",
    ]


def test_several_files_make_one_policy() -> None:
    policy = loaded(
        HEAD + "namespaces: {shop: {network: {default_deny: [ingress], allow: [{from: {a: b}, to: {}}]}}}\n",
        "namespaces: {shop: {network: {allow: [{from: {c: d}, to: {}}]}, pod_security: {enforce: baseline}}, web: {create: true}}\n",
        "policy_version: 1\nwaivers: [{" + FULL_WAIVER + "}]\n",
    )
    assert [each["from"] for each in policy["network"]["namespaces"]["shop"]["allow"]] == [{"a": "b"}, {"c": "d"}]
    assert policy["pod_security"]["namespaces"]["shop"] == {"enforce": "baseline"}
    assert policy["create"] == ["web"]
    assert len(policy["waivers"]) == 1


def test_what_two_files_both_say_counts_once() -> None:
    said = 'defaults: {exempt: ["a-*"], pod_security: {warn: baseline}}\naccept_unknown: [network.flows]\n'
    policy = loaded(HEAD + said, said, 'defaults: {exempt: ["b-*"]}\n')
    assert policy["pod_security"]["exempt"] == ["a-*", "b-*"]
    assert policy["accept_unknown"] == ["network.flows"]
    assert told(HEAD + 'defaults: {exempt: ["a-*", "a-*"]}\n') == [
        "0.yml:3: defaults.exempt[1]: stands here for the second time"
    ]


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ("name: other\n", "1.yml:1: name: says something else than 0.yml:2 of the same thing"),
        (
            "namespaces: {shop: {create: false}}\n",
            "1.yml:1: namespaces.shop.create: says something else than 0.yml:3 of the same thing",
        ),
        ("namespaces: {shop: [a]}\n", "1.yml:1: namespaces.shop: says something else than 0.yml:3 of the same thing"),
    ],
)
def test_two_files_that_contradict_each_other(second: str, expected: str) -> None:
    assert told(SHOP, second) == [expected]


def test_a_mistake_in_a_list_of_several_files_counts_in_its_own_file() -> None:
    good, bad = "{" + FULL_WAIVER + "}", "{" + FULL_WAIVER.replace("network.flows", "x") + "}"
    (mistake,) = told(waiver(good), f"waivers:\n  - {good}\n  - {bad}\n")
    assert mistake.startswith('1.yml:3: waivers[1].control: found "x"')


def test_what_stands_in_an_encrypted_file_is_never_shown() -> None:
    text = SHOP + (
        "selected:\n"
        "  - {selector: 'hunter2 hunter2', pod_security: {enforce: hunter2, version: hunter2}, network: {dns: hunter2}}\n"
        "  - {selector: a, network: {default_deny: [ingress], allow: [{from: {namespace: hunter2}, to: {any: true}}]}}\n"
        "defaults: {hunter2: 1, network: {default_deny: [ingress], hunter2: [1]}}\n"
        "cluster: {network: {probe: {namespaces: hunter2}}}\n"
        "accept_unknown: [hunter2]\n"
    )
    mistakes = told(text, encrypted=True)
    assert len(mistakes) == 8  # without a path, two mistakes of one line may read the same
    assert "hunter2" not in " ".join(mistakes)
    assert sum("not shown, the file is encrypted" in mistake for mistake in mistakes) == 6


def test_what_files_contradict_each_other_in_is_not_shown_where_they_are_encrypted() -> None:
    texts = (HEAD + "namespaces: {hunter2: {create: true}}\n", "namespaces: {hunter2: {create: false}}\n")
    assert told(*texts, encrypted=True) == ["1.yml:1: says something else than 0.yml:3 of the same thing"]


def test_a_long_value_is_shown_in_part() -> None:
    (mistake,) = told(HEAD + "namespaces: {shop: {create: " + "x" * 500 + "}}\n")
    assert len(mistake) < 150


def test_a_large_policy_is_read() -> None:
    spaces = "".join(
        f"  n{at}: {{network: {{default_deny: [ingress], allow: [{{from: {{a: b}}, to: {{c: d}}, ports: [{at + 1}]}}]}}}}\n"
        for at in range(1000)
    )
    assert len(loaded(f"{HEAD}namespaces:\n{spaces}")["network"]["namespaces"]) == 1000
