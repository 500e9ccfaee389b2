# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An EncryptionConfiguration is read and written as an API server takes it, and what it would refuse is refused."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from typing import Any

import pytest
import yaml
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._configuration import (
    Ring,
    hash_of,
    keys_of,
    parse_configuration,
    render,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._configuration_rules import KmsPlugin
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._keys import KeyMaterial
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import IDENTITY, Key
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

BYTES = [bytes(range(start, start + 32)) for start in (100, 132, 164, 196)]
TEXTS = [base64.b64encode(value).decode() for value in BYTES]


def key(provider: str, name: str, number: int) -> tuple[Key, KeyMaterial]:
    material = KeyMaterial(BYTES[number])
    return Key(provider, name, material.fingerprint), material


OLD, NEW, CBC, GCM = (
    key("secretbox", "old", 0),
    key("secretbox", "new", 1),
    key("aescbc", "a", 2),
    key("aesgcm", "g", 3),
)
PLUGIN = KmsPlugin("vault", "v2", "unix:///run/kms.sock", "3s")
FORMER = KmsPlugin("former:plugin", "v1", "unix:///run/old.sock", cache_size=-1)
KMS, KMS_V1 = (Key("kms_v2", "vault"), PLUGIN), (Key("kms_v1", "former:plugin"), FORMER)
RING: Ring = dict([OLD, NEW, CBC, GCM, KMS, KMS_V1])
ALL_KEYS = (*RING, IDENTITY)


def document(*entries: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "kind": "EncryptionConfiguration",
        "apiVersion": "apiserver.config.k8s.io/v1",
        "resources": [*entries],
    } | fields


def entry(*providers: Any, resources: Any = ("secrets",), **fields: Any) -> dict[str, Any]:
    return {"resources": list(resources), "providers": list(providers), **fields}


def secretbox(*numbers: int, provider: str = "secretbox") -> dict[str, Any]:
    return {provider: {"keys": [{"name": f"k{number}", "secret": TEXTS[number]} for number in numbers]}}


def kms(**fields: Any) -> dict[str, Any]:
    return {"kms": {"apiVersion": "v2", "name": "vault", "endpoint": "unix:///run/kms.sock"} | fields}


def in_yaml(said: Any) -> str:
    """Without aliases, which PyYAML writes for what is twice the same object."""
    return yaml.dump(json.loads(json.dumps(said)), sort_keys=False)


PLAIN = {"identity": {}}


@pytest.mark.parametrize("keys", [each for length in (1, 2) for each in itertools.permutations(ALL_KEYS, length)])
def test_every_order_of_keys_is_written_and_read_again(keys: tuple[Key, ...]) -> None:
    providers = {"secrets": keys}
    read = parse_configuration(render(providers, RING).decode())
    assert (read.providers, read.ignored) == (providers, ())
    assert read.ring == {each: RING[each] for each in keys if each != IDENTITY}


@pytest.mark.parametrize(
    "resources", list(itertools.combinations(("secrets", "configmaps", "*.", "deployments.apps", "*.apps", "*.*"), 3))
)
def test_every_set_of_resources_is_written_and_read_again(resources: tuple[str, ...]) -> None:
    alike = dict.fromkeys(resources, (OLD[0], IDENTITY))
    assert parse_configuration(render(alike, RING).decode()).providers == alike
    each_its_own = dict(zip(resources, ((OLD[0],), (NEW[0], OLD[0]), (IDENTITY,)), strict=True))
    assert parse_configuration(render(each_its_own, RING).decode()).providers == each_its_own


def test_the_steps_of_a_rotation_look_as_the_documentation_of_kubernetes_says() -> None:
    steps = [(OLD[0],), (OLD[0], NEW[0]), (NEW[0], OLD[0]), (NEW[0],)]
    written = [json.loads(render({"secrets": keys}, RING))["resources"] for keys in steps]
    names = [[each["name"] for each in step[0]["providers"][0]["secretbox"]["keys"]] for step in written]
    assert names == [["old"], ["old", "new"], ["new", "old"], ["new"]]
    enabling = json.loads(render({"secrets": (IDENTITY, NEW[0])}, RING))["resources"][0]
    assert enabling == entry(
        {"identity": {}}, {"secretbox": {"keys": [{"name": "new", "secret": TEXTS[1]}]}}, resources=["secrets"]
    )


def test_the_same_content_is_the_same_bytes() -> None:
    one = render({"secrets": (NEW[0], OLD[0]), "configmaps": (IDENTITY,)}, RING)
    other = render({"configmaps": (IDENTITY,), "secrets": (NEW[0], OLD[0])}, dict(reversed(RING.items())))
    assert one == other and one.endswith(b"}\n")
    assert hash_of(one) == f"sha256:{hashlib.sha256(one).hexdigest()}"
    assert render(*_parts(one)) == one


def _parts(content: bytes) -> tuple[Any, Ring]:
    read = parse_configuration(content.decode())
    return read.providers, read.ring


def test_a_configuration_made_by_hand_keeps_its_keys() -> None:
    by_hand = document(
        entry(PLAIN, resources=["events"]),
        entry(secretbox(0, 1), secretbox(2, provider="aescbc"), PLAIN, resources=["secrets", "widgets.example.com"]),
        entry(secretbox(3), resources=["secrets"]),
        entry(kms(timeout="3s"), PLAIN, resources=["*.*"]),
    )
    for text in (json.dumps(by_hand), "# ours\n" + in_yaml(by_hand)):
        read = parse_configuration(text)
        assert [each.name for each in read.providers["secrets"]] == ["k0", "k1", "k2", "", "k3"]
        assert {each.base64() for each in read.ring.values() if isinstance(each, KeyMaterial)} == set(TEXTS)
        again = parse_configuration(render(read.providers, read.ring).decode())
        assert (again.providers, again.ring) == (read.providers, read.ring)


def test_the_narrower_entry_decides_about_a_resource() -> None:
    providers = {"secrets": (NEW[0],), "*.": (OLD[0],), "*.apps": (CBC[0],)}
    assert keys_of(providers, "secrets") == (NEW[0],)
    assert keys_of(providers, "configmaps") == (OLD[0],)
    assert keys_of(providers, "deployments.apps") == (CBC[0],)
    assert keys_of(providers, "jobs.batch") == (IDENTITY,)
    assert keys_of({**providers, "*.*": (GCM[0],)}, "jobs.batch") == (GCM[0],)


def test_a_key_that_is_there_twice_counts_once_where_it_stands_first() -> None:
    read = parse_configuration(json.dumps(document(entry(secretbox(0), PLAIN, secretbox(1, 0), PLAIN))))
    assert [each.name for each in read.providers["secrets"]] == ["k0", "", "k1"]


def test_what_the_server_passes_over_is_told() -> None:
    text = json.dumps(document(entry(secretbox(0), comment="x"), metadata={"name": "a"}))
    assert parse_configuration(text).ignored == ("metadata", "resources[0].comment")


def test_defaults_of_a_plugin_are_left_to_the_server() -> None:
    read = parse_configuration(json.dumps(document(entry({"kms": {"name": "a", "endpoint": "unix:///a"}}))))
    assert read.ring == {Key("kms_v1", "a"): KmsPlugin("a", "v1", "unix:///a")}


GOOD = entry(secretbox(0))
REFUSED: list[tuple[Any, str]] = [
    ([], "it is not a map"),
    ("text", "it is not a map"),
    ({}, "it is not of kind EncryptionConfiguration"),
    (document(GOOD, kind="Secret"), "it is not of kind"),
    (document(GOOD, apiVersion="v1"), "it is not of kind"),
    (document(GOOD, kind="EncryptionConfig"), "it is not of kind"),
    (document(), "resources: there are no resources"),
    (document(resources={"a": "b"}), "resources: this is not a list"),
    (document("text"), r"resources\[0\]: this is not a map"),  # type: ignore[arg-type]
    (document(entry(secretbox(0), resources=[])), r"resources\[0\].resources: there are no resources"),
    (document(entry(secretbox(0), resources=[5])), r"resources\[0\].resources\[0\]: this is not text"),
    (document(entry(secretbox(0), resources=[""])), r"resources\[0\].resources\[0\]: this is missing"),
    (document(entry()), r"resources\[0\].providers: there are no providers"),
    (document(entry(secretbox(0), resources=["Secrets"])), "capital letters"),
    (document(entry(secretbox(0), resources=["*"])), r"write \*\."),
    (document(entry(secretbox(0), resources=["secrets", "secrets."])), "secrets is there twice"),
    (document(entry(secretbox(0), resources=["secrets", "*."])), r"\*\. covers secrets"),
    (document(entry(secretbox(0), resources=["*.*", "*.apps"])), r"\*\.\* covers \*\.apps"),
    (document(entry(PLAIN, resources=["*."]), GOOD), r"secrets is masked by \*\. of an earlier entry"),
    (document(entry(PLAIN, resources=["*.*"]), GOOD), r"secrets is masked by \*\.\*"),
    (document(entry(PLAIN, resources=["*.apps"]), entry(PLAIN, resources=["*.apps"])), "is masked"),
    (document(entry("text")), r"providers\[0\]: this is not a map"),
    (document(entry({})), r"providers\[0\]: there is no provider; write secretbox"),
    (document(entry({"rot13": {}})), "there is no provider rot13, only secretbox"),
    (document(entry({"secretBox": {}})), "did you mean secretbox"),
    (document(entry({"identity": None})), "identity is empty; write identity: {}"),
    (document(entry({"kms": None})), "kms is empty"),
    (document(entry(secretbox(0) | PLAIN)), "secretbox and identity are in one element"),
    (document(entry({"secretbox": {}})), "keys: there are no keys"),
    (document(entry({"secretbox": {"keys": []}})), "keys: there are no keys"),
    (document(entry({"secretbox": []})), "secretbox: this is not a map"),
    (document(entry({"secretbox": {"keys": [{"secret": TEXTS[0]}]}})), r"keys\[0\].name: this is missing"),
    (document(entry({"secretbox": {"keys": [{"name": 1, "secret": TEXTS[0]}]}})), "name: this is not text"),
    (document(entry({"secretbox": {"keys": [{"name": "a"}]}})), r"keys\[0\].secret: there is no key"),
    (document(entry({"aescbc": {"keys": [{"name": "a", "secret": "c2hvcnQ="}]}})), "has 5 bytes, and aescbc takes 16"),
    (document(entry({"secretbox": {"keys": [{"name": "a", "secret": "pass word"}]}})), "not base64"),
    (document(entry({"kms": "text"})), "kms: this is not a map"),
    (document(entry({"kms": {}})), "kms.name: this is missing; .*endpoint is not a socket"),
    (document(entry(kms(name=""))), "kms.name: this is missing"),
    (document(entry(kms(name=["a"]))), "kms.name: this is not text"),
    (document(entry(kms(name="a:b"))), "no colon"),
    (document(entry(kms(apiVersion="v3"))), "neither v1 nor v2"),
    (document(entry(kms(endpoint=""))), "endpoint is not a socket"),
    (document(entry(kms(endpoint=["unix:///a"]))), "endpoint is not a socket"),
    (document(entry(kms(endpoint="https://kms"))), "endpoint is not a socket"),
    (document(entry(kms(timeout="0s"))), "not a positive duration"),
    (document(entry(kms(timeout="-1s"))), "not a positive duration"),
    (document(entry(kms(timeout=3))), "not a positive duration"),
    (document(entry(kms(cachesize=5))), "cachesize is only for v1"),
    (document(entry(kms(apiVersion="v1", cachesize=0))), "cachesize is 0"),
    (document(entry(kms(apiVersion="v1", cachesize="5"))), "cachesize is not a number"),
    (document(entry(kms()), entry(kms(), resources=["configmaps"])), "two KMS plugins vault"),
]


@pytest.mark.parametrize(("said", "told"), REFUSED)
def test_what_a_server_would_refuse_is_refused_before(said: Any, told: str) -> None:
    for text in (json.dumps(said), in_yaml(said)):
        with pytest.raises(HardeningError, match=told) as refused:
            parse_configuration(text)
        assert str(refused.value).startswith("The encryption configuration is not one that an API server loads: ")


def test_all_mistakes_are_told_at_once() -> None:
    twofold = document(entry({"rot13": {}}, resources=["Secrets"]), entry({"aescbc": {"keys": [{"name": "a"}]}}))
    with pytest.raises(HardeningError, match=r"capital letters.*; .*no provider rot13.*; resources.1.*there is no key"):
        parse_configuration(json.dumps(twofold))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"a": 1, "a": 2}',
        "a: b\na: c\n",
        "a: b: " + TEXTS[0],
        json.dumps(document(GOOD)) + "x" + TEXTS[1],
        in_yaml(document(GOOD)) + "\t" + TEXTS[1],
        json.dumps(document(entry({"secretbox": {"keys": [{"name": "a", "secret": TEXTS[0][:-4]}]}}))),
        json.dumps(document(entry({"secretbox": {"keys": [{"name": "a", "secret": [TEXTS[0]]}]}}))),
        json.dumps(document(entry({"secretbox": {"keys": TEXTS[0]}}))),
        json.dumps(document(entry({"secretbox": {"keys": [TEXTS[0]]}}))),
        json.dumps(document(entry({"secretbox": TEXTS[0]}))),
    ],
)
def test_no_refusal_holds_a_key_nor_does_what_led_to_it(text: str) -> None:
    with pytest.raises(HardeningError, match="The encryption configuration") as refused:
        parse_configuration(text)
    error: BaseException | None = refused.value
    while error is not None:
        told = f"{error} {vars(error)}"
        assert not [each for each in TEXTS if each[:12] in told]
        error = error.__cause__ or error.__context__


def test_a_configuration_can_be_shown() -> None:
    shown = repr(parse_configuration(json.dumps(document(entry(secretbox(0, 1, 2, 3))))))
    assert "k3" in shown
    assert not [each for value, text in zip(BYTES, TEXTS, strict=True) for each in (text, repr(value)) if each in shown]


def test_what_no_file_can_say_is_refused() -> None:
    with pytest.raises(HardeningError, match="would encrypt nothing"):
        render({}, RING)
    with pytest.raises(HardeningError, match=f"secretbox key old .fingerprint {OLD[0].fingerprint}., and its bytes"):
        render({"secrets": (NEW[0], OLD[0])}, dict([NEW]))
    with pytest.raises(HardeningError, match="two KMS plugins vault"):
        render({"secrets": (KMS[0],), "configmaps": (KMS[0], IDENTITY)}, RING)
    with pytest.raises(HardeningError, match="capital letters"):
        render({"Secrets": (OLD[0],)}, RING)
    with pytest.raises(HardeningError, match="there are no providers"):
        render({"secrets": ()}, RING)
