# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: where in a cluster records are kept, and by what they are found."""

from __future__ import annotations

RECORD_NAMESPACE = "hardening-kubernetes"
"""The namespace of the records; nothing else of ours is in it."""

RECORD_LABEL = "hardening.kubernetes/record"
"""The label on each ConfigMap of a record; its value is what the record is of."""
