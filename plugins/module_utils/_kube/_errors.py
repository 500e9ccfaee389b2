# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what can go wrong between us and an API server, each in one sentence."""

from __future__ import annotations

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError


class KubeError(HardeningError):
    """The API server could not be asked, or refused. ``status`` is its HTTP status, 0 where no answer came."""

    def __init__(self, message: str, status: int = 0) -> None:
        """Take the sentence for the user and the HTTP status behind it."""
        super().__init__(message)
        self.status = status


class BadConnection(KubeError):
    """The settings that should lead to a server do not: a missing kubeconfig, an unknown context, no credentials."""


class Unreachable(KubeError):
    """No answer: refused, timed out, cut off, or a certificate that does not fit."""


class Unauthorized(KubeError):
    """401: the server does not know these credentials."""


class Forbidden(KubeError):
    """403: the server knows the user and does not let it."""


class NotFound(KubeError):
    """404: no such object or no such kind."""


class Conflict(KubeError):
    """409: somebody else changed or owns what is being written."""


BY_STATUS: dict[int, type[KubeError]] = {401: Unauthorized, 403: Forbidden, 404: NotFound, 409: Conflict}
