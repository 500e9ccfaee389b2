# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the YAML of a control plane's files, read so that every value knows its place in the text.

Stricter than the kubelet, kubeadm and the API server: a key that is there twice, of which they take the last one, and
aliases, which put one text in two places, are refused. No message repeats any of the text, which may hold keys.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError

_TIMESTAMP = "tag:yaml.org,2002:timestamp"

try:
    import yaml

    class _Loader(yaml.SafeLoader):
        """Leaves dates as the text that they are, as Kubernetes does."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            """Read one value, unless it only refers to another."""
            if self.check_event(yaml.AliasEvent):
                raise _Refused("an alias (*) stands for a text elsewhere; write it out", self.peek_event().start_mark)  # type: ignore[no-untyped-call]
            return super().compose_node(parent, index)

        def compose_mapping_node(self, anchor: Any) -> Any:
            """Read a map, unless one of its keys is there twice."""
            node = super().compose_mapping_node(anchor)
            seen: set[str] = set()
            for key, _value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    raise _Refused("a key is not a word", key.start_mark)
                if key.value in seen:
                    raise _Refused("a key is there twice; take one of them out", key.start_mark)
                seen.add(key.value)
            return node

    _Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
        for first, resolvers in _Loader.yaml_implicit_resolvers.items()
    }

    class _Refused(yaml.MarkedYAMLError):
        """YAML that is refused here, in words that hold nothing of it."""

        def __init__(self, problem: str, mark: Any) -> None:
            super().__init__(problem=problem, problem_mark=mark)

    HAS_YAML = True
except ImportError:
    HAS_YAML = False


def read(text: str, what: str) -> tuple[Any, Any]:
    """The one document in a text, as PyYAML's nodes and as data.

    Raises :class:`HardeningError`, which says the line and begins with ``what``, a name for the text.
    """
    if not HAS_YAML:
        raise HardeningError("The Python package PyYAML is missing: install it for the controller's Python.")
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        data = None if node is None else loader.construct_document(node)
        problem = "" if node is not None else "it is empty"
    except yaml.MarkedYAMLError as error:
        problem = _problem(error, text)
    except yaml.YAMLError:
        problem = "it holds characters that YAML does not allow"
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError):
        problem = "one of its values cannot be read"
    if problem:
        # Out here the error that was caught, which quotes the text, is not this one's context.
        raise HardeningError(f"{what}: {problem}.")
    return node, data


def _problem(error: Any, text: str) -> str:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return "it is not YAML"
    if isinstance(error, _Refused):
        problem = str(error.problem)
    elif text[mark.index : mark.index + 1] == "\t":
        problem = "a tab stands here; use spaces"
    elif "single document" in str(error.context):
        problem = "a second document begins, and only one is read"
    else:
        problem = "this is not YAML"
    return f"line {mark.line + 1}: {problem}"
