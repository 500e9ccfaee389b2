# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: whom access is given to, and the groups that he is in without being told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._words import did_you_mean

RBAC_GROUP = "rbac.authorization.k8s.io"
AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
ANONYMOUS = "system:anonymous"
SERVICE_ACCOUNTS = "system:serviceaccounts"
SERVICE_ACCOUNT_USER = "system:serviceaccount:"

SubjectKind = Literal["User", "Group", "ServiceAccount"]
_KEYS = ("user", "group", "service_account")
_ALSO: Mapping[str, str] = {"user": "groups", "service_account": "namespace"}


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """A user, a group, or a service account of a namespace.

    ``groups`` are those that a user was said to be in; ``None`` where nobody said, ``()`` where he is in none.
    """

    kind: SubjectKind
    name: str
    namespace: str = ""
    groups: tuple[str, ...] | None = None

    def __str__(self) -> str:
        """``User jane``, ``ServiceAccount production/reporter``."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from another one, whatever groups are assumed."""
        return self.kind, self.namespace, self.name

    @property
    def bound(self) -> dict[str, str]:
        """The item of a binding's ``subjects`` (rbac.authorization.k8s.io/v1 Subject)."""
        if self.kind == "ServiceAccount":
            return {"kind": self.kind, "name": self.name, "namespace": self.namespace}
        return {"apiGroup": RBAC_GROUP, "kind": self.kind, "name": self.name}

    @property
    def user(self) -> str:
        """The name under which the server knows it; empty for a group."""
        if self.kind == "ServiceAccount":
            return f"{SERVICE_ACCOUNT_USER}{self.namespace}:{self.name}"
        return self.name if self.kind == "User" else ""

    @property
    def assumed_groups(self) -> tuple[str, ...]:
        """Its groups: those that were said, and those that every server adds by itself."""
        said = (self.name,) if self.kind == "Group" else self.groups or ()
        return tuple(dict.fromkeys([*said, *_implied(self.user, said)]))

    @property
    def may_be_in_others(self) -> bool:
        """Whether groups that nobody named could bring it more."""
        is_user = self.kind == "User" and self.groups is None
        return is_user and self.name != ANONYMOUS and not self.name.startswith(SERVICE_ACCOUNT_USER)

    @property
    def review(self) -> dict[str, Any]:
        """The part of a SubjectAccessReview's ``spec`` that says who asks."""
        return {**({"user": self.user} if self.user else {}), "groups": list(self.assumed_groups)}


def _implied(user: str, groups: tuple[str, ...]) -> tuple[str, ...]:
    """What authentication adds: a group for everybody, and two for service accounts (user-guide «Authenticating»)."""
    if user == ANONYMOUS or UNAUTHENTICATED in groups:
        return (UNAUTHENTICATED,)
    if user.startswith(SERVICE_ACCOUNT_USER):
        namespace = user.removeprefix(SERVICE_ACCOUNT_USER).partition(":")[0]
        return SERVICE_ACCOUNTS, f"{SERVICE_ACCOUNTS}:{namespace}", AUTHENTICATED
    if any(group.startswith(f"{SERVICE_ACCOUNTS}:") for group in groups):
        # Whoever is in the group of a namespace is a service account, and these are all in one of their own.
        return SERVICE_ACCOUNTS, AUTHENTICATED
    return (AUTHENTICATED,)


def parse_subject(said: Any, where: str, namespace: str = "") -> Subject:
    """A subject as the user writes it: ``{user, groups}``, ``{group}`` or ``{service_account, namespace}``.

    ``namespace`` is where a service account is that says none; empty: it has to. Raises :class:`HardeningError`.
    """
    if not isinstance(said, Mapping):
        raise HardeningError(
            f"{where}: {said!r} is no subject; write one like {{user: jane}} or {{group: developers}}."
        )
    chosen = [key for key in _KEYS if key in said]
    if len(chosen) != 1:
        raise HardeningError(f"{where}: a subject has exactly one of {', '.join(_KEYS)}.")
    allowed = {chosen[0], _ALSO.get(chosen[0], chosen[0])}
    for key in said:
        if key not in allowed:
            raise HardeningError(f"{where}.{key}: there is no such key beside {chosen[0]}{_hint(key, allowed)}")
    return _PARSERS[chosen[0]](said, where, namespace)


def _hint(word: str, allowed: set[str]) -> str:
    meant = did_you_mean(word, allowed)
    return f"; did you mean {meant}?" if meant else "."


def _user(said: Mapping[str, Any], where: str, _namespace: str) -> Subject:
    if "groups" not in said:
        return Subject("User", text(said["user"], f"{where}.user"))
    return Subject("User", text(said["user"], f"{where}.user"), groups=texts(said["groups"], f"{where}.groups", True))


def _group(said: Mapping[str, Any], where: str, _namespace: str) -> Subject:
    return Subject("Group", text(said["group"], f"{where}.group"))


def _service_account(said: Mapping[str, Any], where: str, namespace: str) -> Subject:
    name = text(said["service_account"], f"{where}.service_account")
    where_it_is = said.get("namespace", namespace)
    if not where_it_is:
        raise HardeningError(f"{where}: a service account here needs its namespace, like namespace: production.")
    return Subject("ServiceAccount", name, text(where_it_is, f"{where}.namespace"))


_PARSERS: Mapping[str, Callable[[Mapping[str, Any], str, str], Subject]] = {
    "user": _user,
    "group": _group,
    "service_account": _service_account,
}


def text(said: Any, where: str) -> str:
    """A word that is not empty; raises :class:`HardeningError` on anything else."""
    if not isinstance(said, str) or not said.strip():
        raise HardeningError(f"{where}: {said!r} is no name.")
    return said


def texts(said: Any, where: str, may_be_empty: bool = False) -> tuple[str, ...]:
    """A list of words; raises :class:`HardeningError` on anything else."""
    if not isinstance(said, list) or not (said or may_be_empty):
        raise HardeningError(f"{where}: {said!r} is no list of words; write it like [one, another].")
    return tuple(text(each, f"{where}[{at}]") for at, each in enumerate(said))
