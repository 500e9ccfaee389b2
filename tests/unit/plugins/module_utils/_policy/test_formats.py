# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The forms of single values."""

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._formats import FORMATS

RIGHT = [
    ("set-name", "production-cluster"),
    ("namespace-name", "a"),
    ("namespace-name", "0" * 63),
    ("namespace-glob", "team-*"),
    ("namespace-glob", "team-[ab]?"),
    ("label-key", "app.kubernetes.io/name"),
    ("label-key", "A_b.c"),
    ("label-value", ""),
    ("label-value", "v1.0_x"),
    ("label-selector", "team=payments,tier in (a, b),!legacy"),
    ("pod-security-version", "latest"),
    ("pod-security-version", "v1.36"),
    ("pod-security-version", "unlabelled"),
    ("quota-object", "team-a.pods"),
    ("limit-range", "hardening-quota"),
    ("cidr", "10.0.0.0/8"),
    ("cidr", "2001:db8::/32"),
    ("cidr", "2001:0db8::/32"),
    ("ip-address", "169.254.20.10"),
    ("port", "8080"),
    ("port", "1/UDP"),
    ("port", "65535/SCTP"),
    ("port", "8000-8100/TCP"),
    ("port", "http/TCP"),
    ("network-policy-name", "web.v2"),
    ("day", "2028-02-29"),
    ("control", "network.default_deny"),
    ("control-or-subject", "network.default_deny"),
    ("control-or-subject", "network.default_deny Namespace/windows"),
    ("container-image", "registry.example:5000/team/busybox@sha256:abc"),
    ("quantity", "500m"),
    ("quantity", "8Gi"),
    ("quota-name", "requests.cpu"),
    ("quota-name", "count/deployments.apps"),
    ("quota-name", "requests.nvidia.com/gpu"),
    ("quota-name", "gold.storageclass.storage.k8s.io/requests.storage"),
    ("container-resource", "ephemeral-storage"),
    ("container-resource", "nvidia.com/gpu"),
    ("storage", "storage"),
    ("encrypted-resource", "secrets"),
    ("encrypted-resource", "deployments.apps"),
    ("encrypted-resource", "*.apps"),
    ("encrypted-resource", "*."),
    ("encrypted-resource", "*.*"),
    ("encrypted-resource", "certificates.cert-manager.io"),
    ("kms-plugin", "vault-1"),
    ("unix-socket", "unix:///var/run/kms.sock"),
    ("unix-socket", "unix:///@kms.sock"),
    ("duration", "3s"),
    ("duration", "1m30s"),
    ("duration", "0.5s"),
    ("absolute-path", "/var/backups/etcd"),
    ("words", "x"),
]
WRONG = [
    ("network-policy-name", "Web", "DNS-1123 subdomain"),
    ("network-policy-name", "hardening-default-deny", "names that begin with hardening-"),
    ("set-name", "Production", "allowed: at most 63 of a-z"),
    ("namespace-name", "", "DNS-1123"),
    ("namespace-name", "Shop", "DNS-1123"),
    ("namespace-name", "shop-", "DNS-1123"),
    ("namespace-name", "a" * 64, "DNS-1123"),
    ("namespace-name", "a.b", "DNS-1123"),
    ("namespace-name", "shop\n", "DNS-1123"),
    ("namespace-glob", "Team-*", "a glob of such names"),
    ("label-key", "a b", "a label's key"),
    ("label-key", "/name", "a label's key"),
    ("label-key", "Example.com/name", "a label's key"),
    ("label-value", "-a", "a label's value"),
    ("label-value", "a" * 64, "a label's value"),
    ("label-selector", "", "a label selector like"),
    ("label-selector", "team in", "a label selector like"),
    ("pod-security-version", "1.30", "latest, a minor version"),
    ("pod-security-version", "v1.3x", "latest, a minor version"),
    ("pod-security-version", "v1.036", "latest, a minor version"),
    ("quota-object", "Team", "a name of a-z"),
    ("quota-object", "hardening-quota", "this is what quota says: say it there"),
    ("limit-range", "hardening-limits", "this is what limits says: say it there"),
    ("cidr", "10.0.0.0", "with its prefix length, like 10.0.0.0/32"),
    ("cidr", "10.0.0.1/8", "the network is 10.0.0.0/8"),
    ("cidr", "10.0.0.0/33", "a CIDR like"),
    ("cidr", "10.0.0.0/255.0.0.0", "with its prefix length, like 10.0.0.0/8"),
    ("cidr", "10.0.0.0/0.255.255.255", "with its prefix length, like 10.0.0.0/8"),
    ("cidr", "fe80::%eth0/64", "without a zone"),
    ("cidr", "10.0.0.0/", "a CIDR like"),
    ("cidr", "internet", "a CIDR like"),
    ("ip-address", "169.254.20", "an IP address like"),
    ("port", "0", "out of range"),
    ("port", "65536/TCP", "out of range"),
    ("port", "90-80/TCP", "ends before it begins"),
    ("port", "80/TPC", "did you mean TCP?"),
    ("port", "80/", "is not a port"),
    ("port", "a-name-that-is-too-long/TCP", "is not a port"),
    ("port", "{{ port }}", "is not a port"),
    ("day", "2027-02-30", "there is no such day"),
    ("day", "2027-3-1", "a day like 2027-03-01"),
    ("day", "never", "a day like 2027-03-01"),
    ("control", "network.default_denny", "Did you mean network.default_deny?"),
    ("control", "policy.waivers", "allowed: pod_security.enforced"),
    ("control-or-subject", "everything", "begins with no control"),
    ("container-image", "busy box", "a container image"),
    ("quantity", "8GB", "a quantity like"),
    ("quantity", "-1", "not below 0"),
    ("quantity", "9E3E", "a quantity like"),
    ("quantity", "16Ei", "the largest that Kubernetes counts"),
    ("quota-name", "request.cpu", "Did you mean requests.cpu?"),
    ("quota-name", "count/", "count/deployments.apps"),
    ("container-resource", "requests.cpu", "cpu, memory"),
    ("container-resource", "mem", "Did you mean memory?"),
    ("storage", "cpu", "storage"),
    ("encrypted-resource", "Secrets", "plural name"),
    ("encrypted-resource", "*", "*.* for all"),
    ("encrypted-resource", "secrets,configmaps", "plural name"),
    ("encrypted-resource", "", "plural name"),
    ("kms-plugin", "a:b", "without colons"),
    ("unix-socket", "https://kms", "a socket like"),
    ("unix-socket", "unix:/", "a socket like"),
    ("duration", "3", "like 3s"),
    ("duration", "0s", "like 3s"),
    ("absolute-path", "backups", "an absolute path"),
    ("absolute-path", "/a b", "an absolute path"),
    ("words", " ", "some words"),
]


@pytest.mark.parametrize(("form", "text"), RIGHT)
def test_right(form: str, text: str) -> None:
    assert FORMATS[form](text) == ""


@pytest.mark.parametrize(("form", "text", "told"), WRONG)
def test_wrong(form: str, text: str, told: str) -> None:
    assert told in FORMATS[form](text)


def test_every_form_is_tried_both_ways() -> None:
    assert {form for form, _text in RIGHT} == set(FORMATS)
    assert {form for form, _text, _told in WRONG} == set(FORMATS)
