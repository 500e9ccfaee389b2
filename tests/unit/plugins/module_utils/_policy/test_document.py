# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML is read as written, and every value knows its line."""

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._document import (
    Mapping,
    Scalar,
    Sequence,
    Source,
    read,
)


def told(text: str) -> list[str]:
    return [str(mistake) for mistake in read(Source("p.yml", text))[1]]


@pytest.mark.parametrize("text", ["1.30", "2027-03-01", "yes", "0o14", "1e3", "null", "~", "true", "12", "{{ x }}x"])
def test_a_plain_scalar_is_what_was_written(text: str) -> None:
    document, mistakes = read(Source("p.yml", f"a: {text}\n" if "{{" not in text else f"a: x{text}\n"))
    scalar = document.entries["a"]
    assert mistakes == []
    assert isinstance(scalar, Scalar)
    assert (scalar.text, scalar.plain) == (text if "{{" not in text else f"x{text}", True)


@pytest.mark.parametrize("written", ['"true"', "'true'", "|-\n  true"])
def test_a_quoted_scalar_is_not_plain(written: str) -> None:
    document, _mistakes = read(Source("p.yml", f"a: {written}\n"))
    scalar = document.entries["a"]
    assert isinstance(scalar, Scalar)
    assert (scalar.text, scalar.plain) == ("true", False)


def test_every_value_knows_its_line_and_path() -> None:
    document, _mistakes = read(Source("p.yml", "a: 1\n\nb:\n  c:\n    - x\n    - y: z\n"))
    b = document.entries["b"]
    assert isinstance(b, Mapping)
    c = b.entries["c"]
    assert isinstance(c, Sequence)
    y = c.items[1]
    assert isinstance(y, Mapping)
    places = [document.entries["a"].place, b.place, c.place, c.items[0].place, y.entries["y"].place]
    assert [(place.line, place.path) for place in places] == [
        (1, ("a",)),
        (3, ("b",)),
        (4, ("b", "c")),
        (5, ("b", "c", 0)),
        (6, ("b", "c", 1, "y")),
    ]


def test_an_alias_stands_for_the_whole_value() -> None:
    document, mistakes = read(Source("p.yml", "a: &x {b: 1}\nc: *x\n"))
    c = document.entries["c"]
    assert mistakes == []
    assert isinstance(c, Mapping)
    assert isinstance(c.entries["b"], Scalar)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", "p.yml:3: a: this key stands here for the second time (first in line 1)"),
        ("a: {b: 1, b: 1}\n", "p.yml:1: a.b: this key stands here for the second time (first in line 1)"),
        (
            "a: 1\n---\nb: 2\n",
            "p.yml:2: a second document begins here (---): put it into a file of its own and name both",
        ),
        ("a: &x [*x]\n", "p.yml:1: the alias here stands for something that contains itself"),
        (
            "a: !vault |\n  x\n",
            "p.yml:1: tags are not read here: encrypt the whole file with ansible-vault instead",
        ),
        (
            "a: !!python/object:os.system x\n",
            "p.yml:1: tags are not read here",
        ),
        ("b: 1\na: !!str 1\n", "p.yml:2: tags are not read here"),
        ("a: ! 1\n", "p.yml:1: tags are not read here"),
        ("!!map\na: 1\n", "p.yml:1: tags are not read here"),
        ("a:\n  ? !x b\n  : 1\n", "p.yml:2: tags are not read here"),
        ("a: 1\nb: é\n\nc: \x00\n", "p.yml:4: this is not YAML: the character U+0000 may not stand in it"),
        ("a: 1\n# \x1b[31m\n", "p.yml:2: this is not YAML: the character U+001B may not stand in it"),
        ("a: \ufffe\n", "p.yml:1: this is not YAML: the character U+FFFE may not stand in it"),
        ("a:\n" + " [\n" * 200_000, "p.yml:51: this is nested more than 50 levels deep"),
        ("- " * 200_000, "p.yml:1: this is nested more than 50 levels deep"),
        (
            "\n".join(" " * at + f"a{at}:" for at in range(900)),
            "p.yml:51: this is nested more than 50 levels deep",
        ),
        (
            "a0: &a0 []\n" + "".join(f"a{at}: &a{at} [*a{at - 1}]\n" for at in range(1, 2000)),
            "p.yml:1: with its aliases written out, this is nested more than 50 levels deep",
        ),
        ("a: {}\n<<: {b: 1}\n", "p.yml:2: merge keys (<<) are not read here: use an alias for the whole value"),
        ("b: 1\n? [a]\n: 1\n", "p.yml:2: a key must be a single word"),
        ("- a\n", "p.yml:1: a policy is a mapping that begins with policy_version: 1"),
        ("", "p.yml:1: a policy is a mapping that begins with policy_version: 1"),
        ("# nothing\n", "p.yml:1: a policy is a mapping that begins with policy_version: 1"),
        ("just words", "p.yml:1: a policy is a mapping that begins with policy_version: 1"),
    ],
)
def test_what_the_text_itself_has_wrong(text: str, expected: str) -> None:
    assert told(text) == [expected]


@pytest.mark.parametrize("text", ["a: [1\n", "a: @x\n", "a: 1\n b: 2\n", "\ta: 1\n"])
def test_text_that_is_not_yaml_is_told_with_a_line(text: str) -> None:
    (mistake,) = told(text)
    assert mistake.startswith("p.yml:")
    assert "this is not YAML: " in mistake


def test_fifty_levels_are_read() -> None:
    assert told("a: " + "[" * 49 + "]" * 49) == []


@pytest.mark.parametrize(
    "text",
    ["hunter2: [*hunter2]\n", "hunter2: 1\nhunter2: 1\n", "a: !hunter2 b\n", "hunter2: @\n", "b: 1\n? [hunter2]\n"],
)
def test_nothing_of_an_encrypted_text_is_shown(text: str) -> None:
    (mistake,) = read(Source("p.yml", text, encrypted=True))[1]
    assert str(mistake).startswith("p.yml:")
    assert "hunter2" not in str(mistake)


def test_aliases_that_stand_for_too_much_are_refused() -> None:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{at}: &a{at} [{','.join([f'*a{at - 1}'] * 10)}]" for at in range(1, 8)]
    (mistake,) = told("\n".join(lines))
    assert "with its aliases written out, this has more than" in mistake
