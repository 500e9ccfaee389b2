# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What every module of the collection promises."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and tell what would change, by the API server's own dry run.
  diff_mode:
    description: Returns what changed, or in check mode would change.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second run changes nothing.
  action_group:
    description: Takes the authentication options from C(module_defaults) of this action group.
"""

    ACTIONGROUP = r"""
options: {}
attributes:
  action_group:
    support: full
    membership:
      - hardening.kubernetes.all
"""

    CHANGES = r"""
options: {}
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - Does not change anything.
  diff_mode:
    support: N/A
    details:
      - Does not change anything.
  idempotent:
    support: full
    details:
      - Does not change anything.
"""
