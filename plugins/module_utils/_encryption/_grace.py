# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: how long a request may still write that a server accepted with a former configuration."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._manifest import Manifest

_REQUEST_TIMEOUT = "1m0s"
_UNKNOWN_SECONDS = 120.0
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def grace_of(manifests: Iterable[Manifest]) -> float:
    """Seconds: the longest ``--request-timeout`` and ``--shutdown-delay-duration`` of all servers (kube-apiserver's
    reference, 1.34 to 1.37: one minute and nothing, unless told)."""
    return max(
        (
            seconds_of(each.flag("request-timeout", _REQUEST_TIMEOUT))
            + seconds_of(each.flag("shutdown-delay-duration", "0s"))
            for each in manifests
        ),
        default=_UNKNOWN_SECONDS,
    )


def seconds_of(duration: str) -> float:
    """The seconds of a duration as Go writes it; twice the default where it is not one."""
    parts = _PART.findall(duration)
    if duration != "0" and (not parts or "".join(number + unit for number, unit in parts) != duration):
        return _UNKNOWN_SECONDS
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)
