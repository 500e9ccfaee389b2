# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what has to be so before the first server drops a key that a value may still need."""

from __future__ import annotations

from collections.abc import Collection

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._keys import KeyMaterial
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import Key
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._context import Context
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._escrow import refuse_lost
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import Seen
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._scan import etcds

_COMPACT_SECONDS = 700.0


def before_drop(context: Context, seen: Seen, stay: Collection[Key]) -> None:
    """Have the vault show each key that does not stay, and etcd forget what such a key wrote.

    Values that were overwritten are still there at former revisions, which a client asks for by the second page of a
    list that it began long ago. Once they are compacted it is told that they are gone (410) and begins anew; of a value
    that its server cannot decrypt any more it would get an error of storage (500). Raises HardeningError where either
    fails; nothing was dropped then.
    """
    if context.memory.forgotten:
        return
    escrow = context.options.escrow
    if escrow:
        kept = context.memory.escrow or frozenset()
        going = {key: material for key, material in seen.ring.items() if key in kept and key not in stay}
        refuse_lost(escrow, {key: each for key, each in going.items() if isinstance(each, KeyMaterial)})
    etcds(context, seen).ask("compact", _COMPACT_SECONDS)
    context.memory.forgotten = True
