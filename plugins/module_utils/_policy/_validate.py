# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: a document held against the schema, each mistake with its place and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._checks import CHECKS, OF_RIGHT_VALUES
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._document import (
    Mapping,
    Node,
    Place,
    Scalar,
    Sequence,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._formats import FORMATS
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._mistakes import (
    Mistake,
    Path,
    found,
    meant,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._schema import SCHEMA, Schema
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

try:
    import jsonschema
except ImportError:
    HAS_JSONSCHEMA = False
else:
    HAS_JSONSCHEMA = True

_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")  # Python refuses to convert thousands of digits
_TYPES_SAID = {
    "object": "a mapping",
    "array": "a list",
    "string": "a string",
    "boolean": "true or false",
    "integer": "a whole number",
}


@dataclass(frozen=True, slots=True)
class Data:
    """A document as plain data, and the place of each of its values."""

    value: Any
    places: dict[Path, Place] = field(default_factory=dict)


def plain_data(document: Mapping) -> Data:
    """The document as dicts, lists, strings, and booleans and whole numbers where the schema asks for them.

    ``true`` and ``12`` are so read only where they are not in quotes (YAML's core schema); everywhere else a scalar
    is the string that was written.
    """
    places: dict[Path, Place] = {}

    def convert(node: Node, schemas: list[Schema], path: Path) -> Any:
        places[path] = node.place
        if isinstance(node, Mapping):
            return {
                key: convert(each, [found for one in schemas for found in _of_key(one, key)], (*path, key))
                for key, each in node.entries.items()
            }
        if isinstance(node, Sequence):
            items = [found for one in schemas if "items" in one for found in _alternatives(one["items"])]
            return [convert(each, items, (*path, at)) for at, each in enumerate(node.items)]
        return _scalar(node, {one["type"] for one in schemas if "type" in one})

    return Data(convert(document, list(_alternatives(SCHEMA)), ()), places)


def mistakes_in(data: Data) -> list[Mistake]:
    """Everything that the schema, the forms of single values and the rules between values have against a document."""
    if not HAS_JSONSCHEMA:
        raise HardeningError("Validating a policy needs jsonschema: install it with `pip install jsonschema`.")
    errors = list(validator().iter_errors(data.value))
    told = [(error, path, text) for error in errors for path, text in _told(error, data)]
    wrong = [path for error, path, _text in told if not _asks_right_values(error)]
    return [
        _mistake(data, path, text)
        for error, path, text in told
        if not (_asks_right_values(error) and any(other[: len(path)] == path for other in wrong))
    ]


def _asks_right_values(error: Any) -> bool:
    return error.validator == "x-check" and error.validator_value in OF_RIGHT_VALUES


def _mistake(data: Data, path: Path, text: str) -> Mistake:
    known = _known(data, path)
    place = data.places[known]
    # Of several files, each counts its own list items from 0.
    return Mistake(place.source.name, place.line, place.source.path_said(place.path + path[len(known) :]), text)


def _scalar(node: Scalar, types: set[str]) -> str | bool | int:
    if node.plain and "boolean" in types and node.text in _BOOLEANS:
        return _BOOLEANS[node.text]
    if node.plain and "integer" in types and _WHOLE_NUMBER.fullmatch(node.text):
        return int(node.text)
    return node.text


def _of_key(schema: Schema, key: str) -> Iterator[Schema]:
    """The schemas that may apply to the value of a key."""
    inner = schema.get("properties", {}).get(key, schema.get("additionalProperties", False))
    if isinstance(inner, dict):
        yield from _alternatives(inner)


def _alternatives(schema: Schema) -> Iterator[Schema]:
    """A schema and all that it consists of: what it refers to, and each branch that may apply."""
    yield schema
    if "$ref" in schema:
        yield from _alternatives(SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")])
    for branch in (*schema.get("anyOf", ()), *(schema[key] for key in ("then", "else") if key in schema)):
        yield from _alternatives(branch)


@cache
def validator() -> Any:
    base = jsonschema.Draft202012Validator
    checker = jsonschema.FormatChecker(formats=())
    for name in FORMATS:
        checker.checks(name, raises=ValueError)(_format_function(name))
    extend: Any = jsonschema.validators.extend
    return extend(base, {"x-check": _x_check, "x-has-any": _x_has_any})(SCHEMA, format_checker=checker)


def _format_function(name: str) -> Callable[[object], bool]:
    def check(value: object) -> bool:
        wrong = FORMATS[name](value) if isinstance(value, str) else ""
        if wrong:
            raise ValueError(wrong)
        return True

    return check


def _x_check(_validator: Any, name: str, value: Any, _schema: Any) -> Iterator[Any]:
    for path, text in CHECKS[name](value):
        yield jsonschema.ValidationError(text, path=path)


def _x_has_any(_validator: Any, keys: list[str], value: Any, _schema: Any) -> Iterator[Any]:
    # As anyOf with required, this would be most of the time that a large policy takes.
    if not isinstance(value, dict) or value.keys().isdisjoint(keys):
        yield jsonschema.ValidationError(f"has none of {', '.join(keys)}")


def _known(data: Data, path: Path) -> Path:
    """The path itself, or that of what it is missing from."""
    while path not in data.places:
        path = path[:-1]
    return path


def _told(error: Any, data: Data) -> Iterator[tuple[Path, str]]:
    """An error of jsonschema in our words: the paths that are wrong, and what is wrong with them."""
    path: Path = tuple(error.absolute_path)
    tell = TELLERS[error.validator]
    yield from tell(error, path, data.places[_known(data, path)].source.encrypted)


def _unknown_keys(error: Any, path: Path, _secret: bool) -> Iterator[tuple[Path, str]]:
    allowed = list(error.schema["properties"])
    for key in error.instance:
        if key not in error.schema["properties"]:
            yield (*path, key), f"there is no such key; allowed: {', '.join(allowed)}.{meant(key, allowed)}"


def _missing_key(error: Any, path: Path, _secret: bool) -> Iterator[tuple[Path, str]]:
    for key in error.validator_value:
        # jsonschema tells one error for each missing key, and which one it is only in its words.
        if key not in error.instance and error.message.startswith(repr(key)):
            example = error.schema["properties"][key].get("examples", [""])[0]
            hint = f", like {key}: {example}" if isinstance(example, (str, int)) else ""
            yield path, f"{key} is missing{hint}"


def _wrong_type(error: Any, path: Path, secret: bool) -> Iterator[tuple[Path, str]]:
    yield path, f"{found(error.instance, secret)}; allowed: {_TYPES_SAID[error.validator_value]}"


def _not_listed(error: Any, path: Path, secret: bool) -> Iterator[tuple[Path, str]]:
    allowed = [str(each).lower() if isinstance(each, bool) else str(each) for each in error.validator_value]
    if _has_type(error.instance, error.schema.get("type", "string")):
        yield path, f"{found(error.instance, secret)}; allowed: {', '.join(allowed)}.{meant(error.instance, allowed)}"


def _bad_form(error: Any, path: Path, secret: bool) -> Iterator[tuple[Path, str]]:
    name = (*path, error.instance) if "propertyNames" in error.absolute_schema_path else path
    wrong = "not of the form that is allowed here (not shown, the file is encrypted)" if secret else str(error.cause)
    yield name, f"{found(error.instance, secret)}; {wrong}"


def _too_few(error: Any, path: Path, _secret: bool) -> Iterator[tuple[Path, str]]:
    if "properties" in error.schema:
        yield path, f"says too little; allowed: {', '.join(error.schema['properties'])}"
    else:
        what = "mapping" if error.schema["type"] == "object" else "list"
        yield path, f"the {what} is empty: fill it or leave its key out"


def _too_small(error: Any, path: Path, secret: bool) -> Iterator[tuple[Path, str]]:
    yield path, f"{found(error.instance, secret)}; allowed: {error.validator_value} or more"


def _twice(error: Any, path: Path, _secret: bool) -> Iterator[tuple[Path, str]]:
    seen: list[Any] = []
    for at, item in enumerate(error.instance):
        if item in seen:
            yield (*path, at), "stands here for the second time"
        seen.append(item)


def _no_branch(error: Any, path: Path, secret: bool) -> Iterator[tuple[Path, str]]:
    """Of several forms, tell the mistakes of the one that was meant: the one of the value's own type."""
    branches = [_resolved(branch) for branch in error.validator_value]
    for at, branch in enumerate(branches):
        if _has_type(error.instance, branch["type"]) and "enum" not in branch:
            for inner in error.context:
                if inner.relative_schema_path[0] == at:
                    yield from TELLERS[inner.validator](inner, tuple(inner.absolute_path), secret)
            return
    yield path, f"{found(error.instance, secret)}; allowed: {', or '.join(map(_branch_said, branches))}"


def _resolved(schema: Schema) -> Schema:
    return list(_alternatives(schema))[-1]


def _branch_said(branch: Schema) -> str:
    if "enum" in branch:
        return ", ".join(branch["enum"])
    if "properties" in branch:
        return f"a mapping with {', '.join(branch['properties'])}"
    return _TYPES_SAID[branch["type"]]


def _has_type(value: Any, name: str) -> bool:
    return bool(validator().is_type(value, name))


def _as_said(error: Any, path: Path, secret: bool) -> Iterator[tuple[Path, str]]:
    hidden = secret and _asks_right_values(error)
    yield path, "contradicts itself (not shown, the file is encrypted)" if hidden else error.message


TELLERS: MappingOf[str, Callable[[Any, Path, bool], Iterator[tuple[Path, str]]]] = {
    "additionalProperties": _unknown_keys,
    "required": _missing_key,
    "type": _wrong_type,
    "enum": _not_listed,
    "format": _bad_form,
    "minProperties": _too_few,
    "minItems": _too_few,
    "minimum": _too_small,
    "uniqueItems": _twice,
    "anyOf": _no_branch,
    "x-check": _as_said,
}
"""One for each keyword that the schema uses; a test holds the two against each other."""
