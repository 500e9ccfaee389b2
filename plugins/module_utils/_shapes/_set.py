# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: how objects are marked as made by a policy."""

from __future__ import annotations

SET_LABEL = "hardening.kubernetes/set"
"""The label on every object that a policy made; its value is the policy's name."""

UNNAMED_SET = "default"
"""The set of whoever names none. Many may share it, so that nobody can tell whose an object of it is."""
