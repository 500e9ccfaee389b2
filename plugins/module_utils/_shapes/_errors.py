# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the root of all its exceptions."""

from __future__ import annotations


class HardeningError(Exception):
    """Something that a user can act on: one or two sentences, what happened and what to do.

    Raised by domain packages and by the Kubernetes client, caught once, in the plugin's door, and shown as it is.
    """
