# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception of the test bed."""

from __future__ import annotations


class SetupError(Exception):
    """One clear sentence that says what is missing or broken, and what to do."""
