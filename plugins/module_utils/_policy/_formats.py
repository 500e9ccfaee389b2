# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the forms of single values in a policy, by the rules of Kubernetes."""

from __future__ import annotations

import datetime
import ipaddress
import re
from collections.abc import Callable, Mapping

from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._mistakes import meant
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._schema_encryption import ENCRYPTION_FORMATS
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._controls import CONTROLS
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._flow import parse_port
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._limits import (
    LIMITS_NAME,
    QUOTA_NAME,
    wrong_container_resource,
    wrong_object_name,
    wrong_quantity,
    wrong_quota_name,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import label_selector
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._network_policy import wrong_name

_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_DNS_SUBDOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_LISTED_VALUES = re.compile(r"\(([^()]*)\)")
_CIDR = re.compile(r"[^/]+/[0-9]{1,3}")
_CIDR_LIKE = "allowed: a CIDR like 10.0.0.0/8 or fd00::/8"
_GLOB = re.compile(r"[a-z0-9*?\[\]!-]+")
_POD_SECURITY_VERSION = re.compile(r"latest|unlabelled|v1\.(0|[1-9][0-9]*)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]*")

# A waiver that excuses waivers would never end.
_WAIVABLE = tuple(control for control in CONTROLS if control != "policy.waivers")
_PORT = "port"


def _namespace_name(text: str) -> str:
    if _DNS_LABEL.fullmatch(text):
        return ""
    return "allowed: the name of a namespace, at most 63 of a-z, 0-9 and -, with neither end a - (DNS-1123 label)"


def _set_name(text: str) -> str:
    return "" if _DNS_LABEL.fullmatch(text) else "allowed: at most 63 of a-z, 0-9 and -, with neither end a -"


def _namespace_glob(text: str) -> str:
    if _GLOB.fullmatch(text):
        return ""
    return "allowed: a namespace's name, or a glob of such names like team-*"


def _label_key(text: str) -> str:
    prefix, slash, name = text.rpartition("/")
    if _LABEL_NAME.fullmatch(name) and (not slash or _DNS_SUBDOMAIN.fullmatch(prefix)):
        return ""
    return "allowed: a label's key, at most 63 of letters, digits, -, _ and ., after a DNS prefix and / if need be"


def _label_value(text: str) -> str:
    if not text or _LABEL_NAME.fullmatch(text):
        return ""
    return "allowed: a label's value, at most 63 of letters, digits, -, _ and ., with a letter or digit at both ends"


def _label_selector(text: str) -> str:
    try:
        label_selector(text)
    except HardeningError:
        return "allowed: a label selector like team=payments, tier in (a, b), !legacy, joined by commas"
    values = [value.strip() for listed in _LISTED_VALUES.findall(text) for value in listed.split(",")]
    return next((f"{value!r} in it is none; {wrong}" for value in values if (wrong := _label_value(value))), "")


def _version(text: str) -> str:
    return (
        ""
        if _POD_SECURITY_VERSION.fullmatch(text)
        else "allowed: latest, a minor version of Kubernetes like v1.36, or unlabelled"
    )


def _cidr(text: str) -> str:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return _CIDR_LIKE
    if "%" in text:
        return f"{_CIDR_LIKE}, without a zone"
    if not _CIDR.fullmatch(text):
        return f"allowed: a CIDR with its prefix length, like {network}"
    if str(network.network_address) != str(ipaddress.ip_address(text.partition("/")[0])):
        return f"has bits beyond its prefix; the network is {network}"
    return ""


def _ip(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return "allowed: an IP address like 169.254.20.10"
    return ""


def _port(text: str) -> str:
    try:
        parse_port(text, _PORT)
    except HardeningError as error:
        return str(error).removeprefix(f"{_PORT}: {text!r} ").rstrip(".")
    return ""


def _date(text: str) -> str:
    if _DATE.fullmatch(text):
        try:
            datetime.date.fromisoformat(text)
        except ValueError:
            return "there is no such day"
        return ""
    return "allowed: a day like 2027-03-01, which is the last one on which the waiver holds, in UTC"


def _control(text: str) -> str:
    return "" if text in _WAIVABLE else f"allowed: {', '.join(_WAIVABLE)}.{meant(text, _WAIVABLE)}"


def _control_or_subject(text: str) -> str:
    wrong = _control(text.partition(" ")[0])
    return f"begins with no control; {wrong}" if wrong else ""


def _image(text: str) -> str:
    return "" if _IMAGE.fullmatch(text) else "allowed: a container image like registry.example/busybox:1.37"


def _quota_object(text: str) -> str:
    return wrong_object_name(text, QUOTA_NAME)


def _limit_range(text: str) -> str:
    return wrong_object_name(text, LIMITS_NAME)


def _storage(text: str) -> str:
    return "" if text == "storage" else "allowed: storage"


def _text(text: str) -> str:
    return "" if text.strip() else "allowed: some words"


FORMATS: Mapping[str, Callable[[str], str]] = {
    "set-name": _set_name,
    "namespace-name": _namespace_name,
    "namespace-glob": _namespace_glob,
    "label-key": _label_key,
    "label-value": _label_value,
    "label-selector": _label_selector,
    "pod-security-version": _version,
    "cidr": _cidr,
    "ip-address": _ip,
    "port": _port,
    "network-policy-name": wrong_name,
    "day": _date,
    "control": _control,
    "control-or-subject": _control_or_subject,
    "container-image": _image,
    "quantity": wrong_quantity,
    "quota-name": wrong_quota_name,
    "quota-object": _quota_object,
    "limit-range": _limit_range,
    "container-resource": wrong_container_resource,
    "storage": _storage,
    "words": _text,
    **ENCRYPTION_FORMATS,
}
"""``format`` in the schema → a function from the text to what is wrong with it, ``""`` where nothing is."""
