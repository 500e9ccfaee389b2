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
from ansible.plugins.loader import fragment_loader, init_plugin_loader
from ansible.utils.plugin_docs import get_docstring

PLUGINS = Path(__file__).resolve().parents[4] / "plugins"
COLLECTION = "ansible_collections.hardening.kubernetes"
ACTIONS = sorted(each.stem for each in (PLUGINS / "action").glob("*.py") if each.stem != "__init__")
SAID = ("type", "default", "choices", "elements", "required")


@pytest.fixture(scope="module", autouse=True)
def plugins() -> None:
    init_plugin_loader()


def documented(name: str) -> dict[str, Any]:
    module = str(PLUGINS / "modules" / f"{name}.py")
    found = get_docstring(module, fragment_loader, collection_name="hardening.kubernetes", plugin_type="module")[0]
    return dict(found["options"])


def options(said: Mapping[str, Any], inner: str, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every option with those inside of it, and what is said of each."""
    for name, each in said.items():
        yield path + name, {"type": "str", "required": False, **{key: each[key] for key in SAID if key in each}}
        yield from options(each.get(inner) or {}, inner, f"{path}{name}.")


@pytest.mark.parametrize("name", ACTIONS)
def test_the_documentation_is_what_the_action_takes(name: str) -> None:
    specification = importlib.import_module(f"{COLLECTION}.plugins.action.{name}").ActionModule.ARGUMENT_SPEC
    assert dict(options(documented(name), "suboptions")) == dict(options(specification, "options"))
