# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every module's documentation says of its options what its action plugin does with them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

PLUGINS = Path(__file__).resolve().parents[4] / "plugins"
COLLECTION = "ansible_collections.hardening.kubernetes.plugins"
ACTIONS = sorted(each.stem for each in (PLUGINS / "action").glob("*.py") if each.stem != "__init__")
SAID = ("type", "default", "choices", "elements", "required")


def documented(name: str) -> dict[str, Any]:
    """The options that a module's documentation has, those of its fragments too."""
    said = yaml.safe_load(importlib.import_module(f"{COLLECTION}.modules.{name}").DOCUMENTATION)
    fragments = [each.split(".")[2:] for each in said.get("extends_documentation_fragment", ())]
    return dict(said.get("options", {})) | {
        option: each for fragment in fragments for option, each in options_of(*fragment).items()
    }


def options_of(fragment: str, part: str = "documentation") -> dict[str, Any]:
    texts = importlib.import_module(f"{COLLECTION}.doc_fragments.{fragment}").ModuleDocFragment
    return dict(yaml.safe_load(getattr(texts, part.upper())).get("options") or {})


def options(said: Mapping[str, Any], inner: str, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every option with those inside of it, and what is said of each."""
    for name, each in said.items():
        yield path + name, {"type": "str", "required": False, **{key: each[key] for key in SAID if key in each}}
        yield from options(each.get(inner) or {}, inner, f"{path}{name}.")


@pytest.mark.parametrize("name", ACTIONS)
def test_the_documentation_is_what_the_action_takes(name: str) -> None:
    specification = importlib.import_module(f"{COLLECTION}.action.{name}").ActionModule.ARGUMENT_SPEC
    assert dict(options(documented(name), "suboptions")) == dict(options(specification, "options"))
