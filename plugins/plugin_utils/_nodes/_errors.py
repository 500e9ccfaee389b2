# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what becomes of a question to a node that has no answer."""

from __future__ import annotations

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError


class NodeError(HardeningError):
    """A node could not be asked. The message names it and says what to do."""

    def __init__(self, node: str, told: str) -> None:
        super().__init__(f"{node}: {told}")
        self.node = node


class NodeRefused(NodeError):
    """A node was asked and refused; ``kind`` is its word for why, and ``told`` its sentence."""

    def __init__(self, node: str, kind: str, told: str) -> None:
        super().__init__(node, told)
        self.kind = kind
        self.told = told
