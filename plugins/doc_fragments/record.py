# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The option of every module whose writes can be put back."""

    DOCUMENTATION = r"""
options:
  record:
    description:
      - The file of the record of a run, as M(hardening.kubernetes.run) returns it, or any file whose name, less its
        ending, is of at most 47 lowercase letters, digits and dashes.
      - What is about to be written, and how it was before, is added to it and to a record in the cluster, ahead of each
        write, so that M(hardening.kubernetes.revert) can put it back.
      - Without it, or where it is empty, nothing is recorded.
    type: str
    default: ""
"""
