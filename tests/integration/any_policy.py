# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random policies and random changes of them, in every section: pure functions of a source of chance.

A change goes by the name of its kind, so that a history can be held against the list of all kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

Policy = dict[str, Any]
Section = dict[str, Any]

TEAMS = ("red", "blue")


@dataclass(frozen=True, slots=True)
class Names:
    """The set, the namespaces that stand before any policy, and those that only a policy makes."""

    name: str
    standing: tuple[str, ...]
    coming: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class History:
    """The versions of a policy that are applied, one after the other, and the kinds of all changes between them."""

    versions: tuple[Policy, ...]
    kinds: tuple[str, ...]

    def made(self) -> tuple[set[str], set[str]]:
        """The namespaces that any version made, and those of them that the last one still says it creates.

        One that a version left out is nobody's from then on, whatever a later version says of it.
        """
        existing: set[str] = set()
        created: set[str] = set()
        for version in self.versions:
            said = {name for name, settings in version["namespaces"].items() if settings.get("create")}
            created = (created & said) | (said - existing)
            existing |= said
        return existing, created


def history(chance: Random, names: Names, changes: int, versions: int) -> History:
    """A first policy, and at least so many changes of it, in so many more versions; every kind of change comes."""
    policy = base(names)
    for _time in range(8):
        _kind, policy = _possible(chance, names, policy, OPENING)
    kinds = [*KINDS, *chance.choices([*KINDS], k=changes - len(KINDS))]
    changed = [*_changed(chance, names, policy, kinds)]
    stops = [*sorted(chance.sample(range(1, len(changed)), versions - 1)), len(changed)]
    return History((policy, *(changed[stop - 1][1] for stop in stops)), tuple(kind for kind, _policy in changed))


def base(names: Names) -> Policy:
    """What every version says: nothing beyond the namespaces of the test is reached, and nothing stands in the way."""
    return {
        "policy_version": 1,
        "name": names.name,
        "namespaces": {names.standing[0]: {"pod_security": {"enforce": "baseline"}}},
        "selected": [],
        "defaults": {"exempt": others(names.name)},
        "cluster": {
            "pod_security": {"on_violation": "proceed"},
            "resources": {"on_violation": "proceed"},
            "access": {"keep": [{"cluster_role_binding": "*"}]},
        },
    }


def others(prefix: str) -> list[str]:
    """Globs of all names that do not begin with the prefix: globs know no other «not»."""
    return [f"{prefix[:at]}[!{letter}]*" for at, letter in enumerate(prefix)]


def _changed(chance: Random, names: Names, policy: Policy, kinds: Sequence[str]) -> Iterator[tuple[str, Policy]]:
    """Changes of these kinds in any order. What is possible of none of them waits for others that make it so."""
    waiting = [*kinds]
    while waiting:
        kind, changed = _possible(chance, names, policy, waiting)
        if changed == policy:
            kind, changed = _possible(chance, names, policy, [*KINDS])
        else:
            waiting.remove(kind)
        policy = changed
        yield kind, policy


def _possible(chance: Random, names: Names, policy: Policy, kinds: Sequence[str]) -> tuple[str, Policy]:
    """One of these kinds that is possible, and what it makes of the policy; where none is, the policy as it was."""
    for kind in chance.sample(kinds, len(kinds)):
        changed = KINDS[kind](chance, names, deepcopy(policy))
        if changed is not None and changed != policy:
            return kind, changed
    return "", policy


def _some(chance: Random, choices: Sequence[Any], least: int = 1) -> list[Any]:
    return chance.sample(choices, chance.randint(least, len(choices)))


def _pod_security(chance: Random, _names: Names) -> Section:
    modes = _some(chance, ("enforce", "warn", "audit"))
    return {mode: chance.choice(("privileged", "baseline", "restricted")) for mode in modes} | {
        f"{mode}_version" if mode != "enforce" else "version": "v1.34" for mode in modes if chance.random() < 0.3
    }


def _network(chance: Random, names: Names) -> Section:
    ends: list[Section] = [{"app": "a"}, {"app": "b"}, {}]
    outside = [
        {"pods": {"app": "c"}, "namespace": chance.choice(names.standing)},
        {"pods": {}, "namespaces": {"team": chance.choice(TEAMS)}},
        {"cidr": "192.0.2.0/24", "except": ["192.0.2.7/32"]},
        {"any": True},
    ]
    flows = []
    for _flow in range(chance.randint(0, 3)):
        sides = [chance.choice(ends), chance.choice([*ends, *outside])]
        flow: Section = dict(zip(("from", "to"), chance.sample(sides, 2), strict=True))
        if chance.random() < 0.5:
            flow["ports"] = _some(chance, ("8080/TCP", "53/UDP", "9000-9100/TCP"))
        flows.append(flow)
    return {
        "default_deny": _some(chance, ("ingress", "egress")),
        "dns": chance.random() < 0.5,
        "accept_risks": ["dns"],
        **({"allow": flows} if flows else {}),
    }


def _resources(chance: Random, _names: Names) -> Section:
    hard = {"requests.cpu": "2", "limits.memory": "4Gi", "pods": "7", "count/deployments.apps": "3", "services": "2"}
    quota = {name: chance.choice((hard[name], "9")) for name in _some(chance, [*hard])}
    container = {
        "max": {"cpu": "2", "memory": "1Gi"},
        "default": {"cpu": chance.choice(("500m", "0.75")), "memory": "256Mi"},
        "default_request": {"cpu": "100m"},
    }
    kinds = {
        "container": {key: container[key] for key in _some(chance, [*container])},
        "pod": {"max": {"memory": "2Gi"}},
        "persistent_volume_claim": {"max": {"storage": "1Gi"}},
    }
    said = {"quota": quota, "limits": {kind: kinds[kind] for kind in _some(chance, [*kinds])}}
    return {key: said[key] for key in _some(chance, [*said])}


def _subjects(chance: Random, names: Names, in_cluster: bool = False) -> list[Section]:
    name = names.name
    account = {"service_account": "default", **({"namespace": names.standing[0]} if in_cluster else {})}
    return _some(chance, [{"user": f"{name}-jane", "groups": []}, {"group": f"{name}-developers"}, account])


def _rules(chance: Random) -> list[Section]:
    rules = [
        {"resources": ["pods", "pods/log"], "verbs": ["get", "list", "watch"]},
        {"api_groups": ["apps"], "resources": ["deployments"], "verbs": ["get", "patch"]},
        {"resources": ["configmaps"], "verbs": ["get"], "names": ["settings"]},
    ]
    return _some(chance, rules)


def _access(chance: Random, names: Names) -> Section:
    roles = [{"role": role, "rules": _rules(chance)} for role in _some(chance, ("reader", "deployer"), 0)]
    bound = [{"cluster_role": role} for role in _some(chance, ("view", "edit"), 0)]
    forbidden = {"who": _subjects(chance, names)[0], "verbs": ["*"], "resources": ["secrets"]}
    grants = [{**grant, "to": _subjects(chance, names)} for grant in [*roles, *bound]]
    return {
        **({"grant": grants} if grants else {}),
        **({"must_not": [forbidden]} if not grants or chance.random() < 0.3 else {}),
    }


SECTIONS: Mapping[str, Callable[[Random, Names], Section]] = {
    "pod_security": _pod_security,
    "network": _network,
    "resources": _resources,
    "access": _access,
}

Kind = Callable[[Random, Names, Policy], Policy | None]
"""Changes a policy that is its own; ``None`` where it cannot. What it returns may be equal to what it was given."""

HOLDERS: Mapping[str, Callable[[Policy], list[Section]]] = {
    "a namespace": lambda policy: [*policy["namespaces"].values()],
    "a selector": lambda policy: policy["selected"],
    "the defaults": lambda policy: [policy["defaults"]],
}
"""Where a policy says sections."""


def _say(section: str, holder: str, chance: Random, names: Names, policy: Policy) -> Policy | None:
    if holder == "a selector" and chance.random() < 0.5:
        policy["selected"].insert(chance.randint(0, len(policy["selected"])), {"selector": _selector(chance, names)})
    silent = [each for each in HOLDERS[holder](policy) if section not in each]
    if not silent:
        return None
    chance.choice(silent)[section] = SECTIONS[section](chance, names)
    return _without_silent(policy)


def _alter(section: str, holder: str, chance: Random, names: Names, policy: Policy) -> Policy | None:
    saying = [each for each in HOLDERS[holder](policy) if section in each]
    if not saying:
        return None
    chosen = chance.choice(saying)
    chosen[section] = SECTIONS[section](chance, names)
    return policy


def _drop(section: str, holder: str, chance: Random, _names: Names, policy: Policy) -> Policy | None:
    saying = [each for each in HOLDERS[holder](policy) if section in each]
    if not saying:
        return None
    del chance.choice(saying)[section]
    return _without_silent(policy)


def _without_silent(policy: Policy) -> Policy:
    """The policy without the items that say nothing any more, which it must not have."""
    policy["namespaces"] = {name: said for name, said in policy["namespaces"].items() if said}
    policy["selected"] = [said for said in policy["selected"] if said.keys() - {"selector"}]
    return policy


def _selector(chance: Random, names: Names) -> str:
    in_names = f"kubernetes.io/metadata.name in ({', '.join(names.standing[1:])})"
    return chance.choice((*(f"team={team}" for team in TEAMS), "!team", in_names))


def _name(create: bool, chance: Random, names: Names, policy: Policy) -> Policy | None:
    free = [name for name in (names.coming if create else names.standing) if name not in policy["namespaces"]]
    if not free:
        return None
    section = chance.choice([*SECTIONS])
    said = {section: SECTIONS[section](chance, names)}
    policy["namespaces"][chance.choice(free)] = {"create": True, **said} if create else said
    return policy


def _leave_out(create: bool, chance: Random, _names: Names, policy: Policy) -> Policy | None:
    named = [name for name, said in policy["namespaces"].items() if bool(said.get("create")) is create]
    if not named:
        return None
    del policy["namespaces"][chance.choice(named)]
    return policy


def _rename(chance: Random, names: Names, policy: Policy) -> Policy | None:
    """What was said of one namespace is said of another."""
    named = [name for name in names.standing if name in policy["namespaces"]]
    free = [name for name in names.standing if name not in policy["namespaces"]]
    if not named or not free:
        return None
    policy["namespaces"][chance.choice(free)] = policy["namespaces"].pop(chance.choice(named))
    return policy


def _rename_role(chance: Random, _names: Names, policy: Policy) -> Policy | None:
    grants = [grant for said in policy["namespaces"].values() for grant in said.get("access", {}).get("grant", ())]
    roles = [grant for grant in grants if "role" in grant]
    if not roles:
        return None
    chosen = chance.choice(roles)
    chosen["role"] += "-2"
    return policy


def _grant_in_cluster(chance: Random, names: Names, policy: Policy) -> Policy | None:
    grants = policy["cluster"]["access"].setdefault("grant", [])
    role = f"{names.name}-{chance.choice(('nodes', 'storage'))}"
    if any(grant["cluster_role"] == role for grant in grants):
        return None
    rules = [
        {"resources": ["nodes"], "verbs": ["get", "list"]},
        {"api_groups": ["storage.k8s.io"], "resources": ["storageclasses"], "verbs": ["get"]},
        {"urls": ["/metrics"], "verbs": ["get"]},
    ]
    grants.append({"cluster_role": role, "rules": _some(chance, rules), "to": _subjects(chance, names, True)})
    return policy


def _in_cluster(change: Callable[[Random, Names, list[Section]], None]) -> Kind:
    """A change of the grants in the whole cluster, of which there has to be one."""

    def changed(chance: Random, names: Names, policy: Policy) -> Policy | None:
        access = policy["cluster"]["access"]
        if not access.get("grant"):
            return None
        change(chance, names, access["grant"])
        if not access["grant"]:
            del access["grant"]
        return policy

    return changed


def _other_subjects(chance: Random, names: Names, grants: list[Section]) -> None:
    chance.choice(grants)["to"] = _subjects(chance, names, True)


def _other_role(chance: Random, _names: Names, grants: list[Section]) -> None:
    chosen = chance.choice(grants)
    chosen["cluster_role"] += "-2"


def _take_back(chance: Random, _names: Names, grants: list[Section]) -> None:
    grants.remove(chance.choice(grants))


KINDS: Mapping[str, Kind] = {
    **{
        f"{verb} {section} of {holder}": partial(change, section, holder)
        for verb, change in (("say", _say), ("alter", _alter), ("drop", _drop))
        for section in SECTIONS
        for holder in HOLDERS
    },
    "name a namespace": partial(_name, False),
    "name a namespace to create": partial(_name, True),
    "leave a namespace out": partial(_leave_out, False),
    "leave a created namespace out": partial(_leave_out, True),
    "rename a namespace": _rename,
    "rename a role": _rename_role,
    "grant in the cluster": _grant_in_cluster,
    "alter subjects in the cluster": _in_cluster(_other_subjects),
    "rename a cluster role": _in_cluster(_other_role),
    "take back what the cluster grants": _in_cluster(_take_back),
}
"""Every kind of change, by its name."""

OPENING = tuple(kind for kind in KINDS if kind.startswith(("say", "name", "grant")))
"""Those that make others possible."""
