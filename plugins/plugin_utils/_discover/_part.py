# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what was discovered for one section of a policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Part:
    """One section (``pod_security``, ``network``, ``access`` or ``resources``) of all namespaces and of the cluster.

    ``settings`` has what stands in the policy file under the section, by namespace; one without anything to say is
    not in it. ``cluster`` is the same section below ``cluster``. ``comments`` are sentences for the owner, written
    above the section of the namespace, also where it has no settings; those of ``""`` stand above the section of
    ``cluster``. One of several lines is a block of the file to come, and stays as it is, so that it can be taken over.
    ``unseen`` are sentences about what could not be read, for the head of the file and the result.
    """

    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cluster: Mapping[str, Any] = field(default_factory=dict)
    comments: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unseen: Sequence[str] = ()
