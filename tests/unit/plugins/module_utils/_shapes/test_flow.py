# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._flow import (
    Addresses,
    Anyone,
    ApiServer,
    Peer,
    Pods,
    Port,
    is_local,
    parse_flow,
    parse_peer,
    parse_port,
    told_peer,
)


@pytest.mark.parametrize(
    ("said", "port", "told"),
    [
        (8080, Port("TCP", 8080), "8080/TCP"),
        ("8080", Port("TCP", 8080), "8080/TCP"),
        ("8080/TCP", Port("TCP", 8080), "8080/TCP"),
        ("53/udp", Port("UDP", 53), "53/UDP"),
        ("132/SCTP", Port("SCTP", 132), "132/SCTP"),
        ("8000-8100/TCP", Port("TCP", 8000, 8100), "8000-8100/TCP"),
        ("8000-8000/TCP", Port("TCP", 8000), "8000/TCP"),
        ("1-65535", Port("TCP", 1, 65535), "1-65535/TCP"),
        ("http/TCP", Port("TCP", name="http"), "http/TCP"),
        ("dns-tcp", Port("TCP", name="dns-tcp"), "dns-tcp/TCP"),
        ("8080-http", Port("TCP", name="8080-http"), "8080-http/TCP"),
    ],
)
def test_a_port_is_read_as_it_is_written(said: Any, port: Port, told: str) -> None:
    assert parse_port(said) == port
    assert str(port) == told


@pytest.mark.parametrize(
    ("said", "because"),
    [
        (0, "out of range"),
        (65536, "out of range"),
        ("8000-70000/TCP", "out of range"),
        ("8100-8000/TCP", "ends before it begins"),
        ("8080/TPC", "did you mean TCP"),
        ("8080/ICMP", "there are only TCP, UDP, SCTP"),
        ("HTTP/TCP", "is not a port"),
        ("a-name-that-is-far-too-long/TCP", "is not a port"),
        ("two--dashes", "is not a port"),
        ("80 80", "is not a port"),
        ("", "is not a port"),
        (True, "is not a port"),
        (80.5, "is not a port"),
        (None, "is not a port"),
        ({"port": 80}, "is not a port"),
    ],
)
def test_what_is_no_port_is_refused_with_the_place_and_the_reason(said: Any, because: str) -> None:
    with pytest.raises(HardeningError, match=r"allow\[2\]\.ports.*" + because):
        parse_port(said, "allow[2].ports")


@pytest.mark.parametrize(
    ("said", "peer", "told"),
    [
        ({"app": "frontend"}, Pods((("app", "frontend"),)), "{app: frontend}"),
        ({"version": 1}, Pods((("version", "1"),)), "{version: 1}"),
        ({}, Pods(), "{}"),
        ({"pods": {}}, Pods(), "{}"),
        ({"pods": {"app": "db"}, "namespace": "shop"}, Pods((("app", "db"),)), "{app: db}"),
        (
            {"pods": {"app": "db"}, "namespace": "data"},
            Pods((("app", "db"),), "data"),
            "{pods: {app: db}, namespace: data}",
        ),
        ({"namespace": "data"}, Pods((), "data"), "{namespace: data}"),
        ({"namespaces": {"team": "web"}}, Pods(namespaces=(("team", "web"),)), "{namespaces: {team: web}}"),
        ({"namespaces": {}}, Pods(namespaces=()), "{namespaces: {}}"),
        (
            {"namespaces": {"team": "web"}, "pods": {"app": "x"}},
            Pods((("app", "x"),), namespaces=(("team", "web"),)),
            "{namespaces: {team: web}, pods: {app: x}}",
        ),
        ({"cidr": "10.0.0.0/8"}, Addresses("10.0.0.0/8"), "{cidr: 10.0.0.0/8}"),
        ({"cidr": "192.0.2.7"}, Addresses("192.0.2.7/32"), "{cidr: 192.0.2.7/32}"),
        (
            {"cidr": "2001:db8::/32", "except": ["2001:db8:1::/48"]},
            Addresses("2001:db8::/32", ("2001:db8:1::/48",)),
            "{cidr: 2001:db8::/32, except: [2001:db8:1::/48]}",
        ),
        ({"api_server": True}, ApiServer(), "{api_server: true}"),
        ({"any": True}, Anyone(), "{any: true}"),
    ],
)
def test_a_peer_is_read_in_every_form(said: dict[str, Any], peer: Peer, told: str) -> None:
    assert parse_peer(said, "shop") == peer
    assert told_peer(peer) == told


@pytest.mark.parametrize(
    ("said", "because"),
    [
        ("frontend", "is not a peer"),
        (None, "is not a peer"),
        ({"app": True}, "put true in quotation marks"),
        ({"app": ["a", "b"]}, "is not a map of labels"),
        ({"pods": "frontend"}, "pods: 'frontend' is not a map of labels"),
        ({"namespace": ["a"]}, "is not the name of a namespace"),
        ({"namespace": "data", "app": "db"}, "'app' does not belong here"),
        ({"namespace": "data", "pod": {"app": "db"}}, "did you mean pods"),
        ({"namespaces": {}, "namespace": "data"}, "does not belong here"),
        ({"cidr": "10.0.0.1/8"}, r"did you mean 10\.0\.0\.0/8"),
        ({"cidr": "ten"}, "is not an address range, like"),
        ({"cidr": 10}, "is not an address range"),
        ({"cidr": "10.0.0.0/8", "except": "10.1.0.0/16"}, "is not a list of address ranges"),
        ({"cidr": "10.0.0.0/8", "except": ["192.168.0.0/16"]}, r"192\.168\.0\.0/16 is not a part of 10\.0\.0\.0/8"),
        ({"cidr": "10.0.0.0/8", "except": ["10.0.0.0/8"]}, "is not a part of"),
        ({"cidr": "10.0.0.0/8", "except": ["2001:db8::/32"]}, "is not a part of"),
        ({"api_server": False}, "the only value is true"),
        ({"any": "yes"}, "the only value is true"),
        ({"any": True, "cidr": "10.0.0.0/8"}, "does not belong here"),
    ],
)
def test_what_is_no_peer_is_refused_with_the_reason(said: Any, because: str) -> None:
    with pytest.raises(HardeningError, match=because):
        parse_peer(said, "shop")


def test_a_flow_has_two_ends_and_each_port_once() -> None:
    flow = parse_flow({"from": {"app": "a"}, "to": {"app": "b"}, "ports": [80, "80/TCP", "http"]}, "shop")
    assert flow.ports == (Port("TCP", 80), Port("TCP", name="http"))
    assert is_local(flow.source) and is_local(flow.target)
    assert str(flow) == "{app: a} to {app: b} on 80/TCP, http/TCP"


def test_a_flow_without_ports_is_one_on_all_ports() -> None:
    assert str(parse_flow({"from": {}, "to": {"any": True}}, "shop")) == "{} to {any: true} on all ports"


@pytest.mark.parametrize(
    ("said", "because"),
    [
        ("frontend to backend", "is not a flow"),
        ({"from": {}}, "to is missing"),
        ({}, "from and to is missing"),
        ({"from": {}, "too": {}}, "did you mean to"),
        ({"from": {}, "to": {}, "ports": "80/TCP"}, "is not a list of ports"),
        ({"from": {"namespace": "a"}, "to": {"namespace": "b"}}, "neither end is in namespace shop"),
        ({"from": {"any": True}, "to": {"api_server": True}}, "neither end is in namespace shop"),
        ({"from": {}, "to": {"cidr": "10.0.0.0/8"}, "ports": ["http"]}, "only the containers of pods name their ports"),
        ({"from": {}, "to": {"any": True}, "ports": ["http"]}, "only the containers of pods name their ports"),
    ],
)
def test_what_is_no_flow_is_refused_with_the_reason(said: Any, because: str) -> None:
    with pytest.raises(HardeningError, match=because):
        parse_flow(said, "shop", "allow[0]")


@pytest.mark.parametrize("key", ["pods", "namespace", "namespaces", "cidr", "api_server", "any"])
@pytest.mark.parametrize("nothing", [None, ""])
def test_a_key_with_nothing_behind_it_is_refused_and_never_means_all(key: str, nothing: Any) -> None:
    with pytest.raises(HardeningError, match=f"from.{key}: nothing is said"):
        parse_flow({"from": {key: nothing}, "to": {"app": "a"}}, "shop")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"from": {"pods": []}, "to": {}}, "from.pods: .* is not a map of labels"),
        ({"from": {"namespace": "Shop"}, "to": {}}, "from.namespace: 'Shop' is not the name of a namespace"),
        ({"from": {"namespace": "a" * 64}, "to": {}}, "is not the name of a namespace"),
        ({"from": {"app": "a b"}, "to": {}}, "from.app: 'a b' is not the value of a label"),
        ({"from": {"app": "a" * 64}, "to": {}}, "is not the value of a label"),
        ({"from": {"a b": "c"}, "to": {}}, "from: 'a b' is not the key of a label"),
        ({"from": {"app": "a"}, "to": {}, "ports": None}, "ports: None is not a list of ports"),
        ({"from": {"cidr": "10.0.0.0/8", "except": None}, "to": {}}, "from.except: nothing is said"),
    ],
)
def test_what_no_cluster_takes_is_refused_before(said: dict[str, Any], message: str) -> None:
    with pytest.raises(HardeningError, match=message):
        parse_flow(said, "shop")
