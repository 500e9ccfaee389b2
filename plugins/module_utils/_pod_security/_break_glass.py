# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: a namespace's labels without what is enforced by them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ansible_collections.hardening.kubernetes.plugins.module_utils._pod_security._settings import LABEL_PREFIX

ENFORCING = (f"{LABEL_PREFIX}enforce", f"{LABEL_PREFIX}enforce-version")


def relaxed(labels: Mapping[str, str], owned: Collection[str]) -> dict[str, str] | None:
    """Those of a namespace's labels that we own but for what enforces; ``None`` where we enforce nothing.

    What ``audit`` and ``warn`` report stays: it stops nobody, and is wanted most while nothing is enforced.
    """
    if not set(ENFORCING) & set(owned):
        return None
    return {key: labels[key] for key in sorted(owned) if key in labels and key not in ENFORCING}
