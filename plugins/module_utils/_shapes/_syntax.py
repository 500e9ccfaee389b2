# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the forms of labels and names, by the rules of Kubernetes."""

from __future__ import annotations

import re

NAME_LENGTH = 63
PORT_NAME_LENGTH = 15

_PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?")
_LABEL_KEY = re.compile(r"([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?")


def is_label_key(text: str) -> bool:
    """Whether a text can be the key of a label, with or without a prefix."""
    return bool(_LABEL_KEY.fullmatch(text)) and len(text.rpartition("/")[2]) <= NAME_LENGTH


def is_label_value(text: str) -> bool:
    """Whether a text can be the value of a label."""
    return bool(_LABEL_VALUE.fullmatch(text)) and len(text) <= NAME_LENGTH


def is_port_name(text: str) -> bool:
    """Whether a text can be the name of a container's port."""
    return bool(_PORT_NAME.fullmatch(text)) and len(text) <= PORT_NAME_LENGTH


def is_namespace_name(text: str) -> bool:
    """Whether a text can be the name of a namespace."""
    return bool(_NAMESPACE.fullmatch(text)) and len(text) <= NAME_LENGTH
