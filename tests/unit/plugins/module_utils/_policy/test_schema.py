# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The schema is a schema, says everything about its properties, and uses nothing that cannot be told in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._checks import CHECKS
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._formats import FORMATS
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._schema import SCHEMA
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._schema_network import (
    RESERVED_PEER_KEYS,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._validate import TELLERS, validator
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes import _flow
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._network_policy import RISKS

SAYS_NO_MORE = {"$defs", "$ref", "$schema", "description", "else", "examples", "if", "items", "properties"}
SAYS_NO_MORE |= {"propertyNames", "then", "title"}


def schemas(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema inside a schema."""
    yield schema
    for key in ("properties", "$defs"):
        for inner in schema.get(key, {}).values():
            yield from schemas(inner)
    for key in ("items", "then", "else", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from schemas(schema[key])
    for inner in schema.get("anyOf", ()):
        yield from schemas(inner)


PROPERTIES = [(name, inner) for each in schemas(SCHEMA) for name, inner in each.get("properties", {}).items()]


def test_the_schema_is_valid_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(("name", "schema"), PROPERTIES, ids=[name for name, _schema in PROPERTIES])
def test_every_property_has_a_description_and_an_example_that_is_right(name: str, schema: dict[str, Any]) -> None:
    assert schema["description"].endswith("."), name
    for example in schema["examples"]:
        assert validator().evolve(schema={**schema, "$defs": SCHEMA["$defs"]}).is_valid(example), (name, example)


def test_every_keyword_that_can_fail_is_told_in_words() -> None:
    used = {key for each in schemas(SCHEMA) for key in each}
    assert used - SAYS_NO_MORE == set(TELLERS)


def test_every_form_and_every_check_exists_and_is_used() -> None:
    named = {each["propertyNames"]["format"] for each in schemas(SCHEMA) if "propertyNames" in each}
    assert named | {each["format"] for each in schemas(SCHEMA) if "format" in each} == set(FORMATS)
    assert {each["x-check"] for each in schemas(SCHEMA) if "x-check" in each} == set(CHECKS)


def test_the_words_of_the_network_role_are_the_policys() -> None:
    assert [*RISKS] in [each["enum"] for each in schemas(SCHEMA) if "enum" in each]
    assert set(RESERVED_PEER_KEYS) == _flow._RESERVED
