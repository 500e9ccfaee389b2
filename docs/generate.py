# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the files that are made from tables in the code.

Run it in a checkout as ``PYTHONPATH=.collections .venv/bin/python docs/generate.py``. docs/policy-reference.md comes
from the schema of the policy, playbooks/files/cluster_roles.yml from the table of permissions. A unit test fails where
they are out of date.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._permissions import (
    AUDIT,
    BREAK_GLASS,
    ENCRYPTION,
    ENFORCE,
    RECORDS,
    SYSTEM,
    cluster_role_rules,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._schema import SCHEMA
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._schema_access import (
    ACCESS,
    ACCESS_DEFINITIONS,
    CLUSTER_ACCESS,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._schema_encryption import (
    ENCRYPTION as CLUSTER_ENCRYPTION,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._schema_encryption import (
    ESCROW,
    KMS,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._schema_network import (
    NETWORK,
    NETWORK_DEFINITIONS,
    PROBE,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._schema_pod_security import (
    ON_VIOLATION,
    POD_SECURITY,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._schema_resources import (
    LIMITS,
    QUOTAS,
    RESOURCES,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._policy._schema_resources import (
    ON_VIOLATION as RESOURCES_ON_VIOLATION,
)
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._records import RECORD_NAMESPACE

Schema = Mapping[str, Any]

ROOT = Path(__file__).resolve().parent.parent
_MADE = "made by docs/generate.py, do not edit"

_INTRODUCTION = f"""\
<!-- {_MADE} -->
# The policy file

One file says how a cluster is to be hardened. `hardening.kubernetes.harden_cluster` makes it so and proves it,
`hardening.kubernetes.audit_cluster` only holds the cluster against it.

```yaml
policy_version: 1
name: production-cluster
namespaces:
  shop:
    create: true
    pod_security: {{enforce: restricted, version: v1.36}}
    network:
      default_deny: [ingress, egress]
      dns: true
      allow:
        - {{from: {{app: frontend}}, to: {{app: backend}}, ports: [8080/TCP]}}
        - {{from: {{app: backend}}, to: {{app: postgres}}, ports: [5432/TCP]}}
    resources:
      quota: {{requests.cpu: "4", requests.memory: 8Gi, pods: 20}}
      limits: {{container: {{max: {{cpu: 2}}, default: {{cpu: 500m, memory: 256Mi}}, default_request: {{cpu: 100m}}}}}}
defaults:
  pod_security: {{enforce: baseline, warn: restricted}}
waivers:
  - control: pod_security.running_comply
    subject: DaemonSet/monitoring/node-exporter
    reason: reads the host's metrics by design
    owner: platform team
    expires: 2027-03-01
```

- It is YAML, read by the collection itself: scalars stay as written, so that `1.30`, `2027-03-01` and `yes` are
  strings. Only `true`, `false` and whole numbers are anything else, and only where this page says so.
- Nothing in it is a template: `{{{{` is two braces.
- Unknown keys, keys that stand twice, and everything else that is wrong is told at once, each with its file and line,
  before anything is touched.
- Several files, or all in a folder, make one policy together: `-e policy=platform.yml,teams/`. Mappings are joined, the
  items of `allow`, `selected`, `waivers`, `exempt`, `grant`, `must_not`, `remove`, `keep`, `accept_risks` and
  `accept_unknown` are put together. Two files
  that say different things about one thing are a mistake.
- Files may be encrypted as a whole with `ansible-vault`; messages never show what stands in them.
- What a namespace gets: what `namespaces` says of it, else the first of `selected` whose selector matches its labels,
  else `defaults`. This is decided for `pod_security`, `network`, `resources` and `access` each by itself.
"""

_CLUSTER_ROLES = (
    (AUDIT, "Reads what an audit judges; no Secrets, and nothing is written."),
    (ENFORCE, "Also writes what the roles write, and tries pods and connections to prove it."),
    (BREAK_GLASS, "Takes away what denies, in an emergency, and cannot put it back."),
    (ENCRYPTION, "Goes with one of the first two for encryption at rest: who has it can read and make any Secret."),
)

_CORE, _EVERY = '""', '"*"'

_SIDE = """\
Plain labels like `{app: frontend}` mean the pods of this namespace that have them, `{}` means all of its pods.
Everything else is said with these keys: `pods` with `namespace` or with `namespaces`, `cidr` with `except`, or one of
the others alone."""

_SECTIONS: tuple[tuple[str, str, Schema], ...] = (
    ("The whole file", "", SCHEMA),
    ("A namespace: `namespaces.NAME`", "", SCHEMA["$defs"]["namespace"]),
    ("A selection of namespaces: `selected[]`", "", SCHEMA["$defs"]["selected"]),
    ("All other namespaces: `defaults`", "", SCHEMA["$defs"]["defaults"]),
    ("`pod_security` of namespaces", POD_SECURITY["description"], POD_SECURITY),
    ("`network` of namespaces", NETWORK["description"], NETWORK),
    ("`dns` as a mapping", "", NETWORK_DEFINITIONS["dns"]),
    (
        "A flow: `network.allow[]`",
        "At least one side is in the namespace that the flow is written in.",
        NETWORK_DEFINITIONS["flow"],
    ),
    (
        "A side of a flow: `from`, `to`",
        _SIDE,
        NETWORK_DEFINITIONS["peer"]["then"],
    ),
    (
        "A NetworkPolicy: `network.policies.NAME`",
        "The `spec` of a NetworkPolicy, as Kubernetes has it. It is adopted where it is there already.",
        NETWORK_DEFINITIONS["network_policy"],
    ),
    *(
        (f"`network.policies.NAME.{place}`", "", NETWORK_DEFINITIONS[f"network_policy_{name}"])
        for place, name in (
            ("ingress[]", "ingress"),
            ("egress[]", "egress"),
            ("ingress[].from[]`, `network.policies.NAME.egress[].to[]", "peer"),
            ("ingress[].from[].ipBlock", "block"),
            ("ingress[].ports[]`, `network.policies.NAME.egress[].ports[]", "port"),
            ("podSelector`, and of peers `podSelector`, `namespaceSelector", "selector"),
            ("podSelector.matchExpressions[]", "requirement"),
        )
    ),
    ("`resources` of namespaces", RESOURCES["description"], RESOURCES),
    ("`resources.limits`", LIMITS["description"], LIMITS),
    *(
        (f"`resources.limits.{kind}`", f"{limit['description']} Each is a mapping of resources to quantities.", limit)
        for kind, limit in LIMITS["properties"].items()
    ),
    ("A quota of its own: `resources.quotas.NAME`", "", QUOTAS["additionalProperties"]),
    (
        "A scope with values: `resources.quotas.NAME.scope_selector[]`",
        "",
        QUOTAS["additionalProperties"]["properties"]["scope_selector"]["items"],
    ),
    ("`access` of namespaces", ACCESS["description"], ACCESS),
    ("A grant: `access.grant[]`", "", ACCESS_DEFINITIONS["access_grant"]),
    ("A rule: `access.grant[].rules[]`", "", ACCESS_DEFINITIONS["access_rule"]),
    (
        "A subject: `to[]`, `who`",
        "Exactly one of `user`, `group`, `service_account`.",
        ACCESS_DEFINITIONS["access_subject"],
    ),
    ("What must not be: `access.must_not[]`", "", ACCESS_DEFINITIONS["access_must_not"]),
    ("What goes: `access.remove[]`", "One object an item.", ACCESS_DEFINITIONS["access_remove"]),
    ("What may stay: `access.keep[]`", "", ACCESS_DEFINITIONS["access_keep"]),
    ("The whole cluster: `cluster`", "", SCHEMA["$defs"]["cluster"]),
    ("`cluster.pod_security`", "", {"properties": {"on_violation": ON_VIOLATION}}),
    ("`cluster.resources`", "", {"properties": {"on_violation": RESOURCES_ON_VIOLATION}}),
    ("`cluster.access`", CLUSTER_ACCESS["description"], CLUSTER_ACCESS),
    ("A grant in the whole cluster: `cluster.access.grant[]`", "", ACCESS_DEFINITIONS["access_grant_in_cluster"]),
    (
        "What must not be anywhere: `cluster.access.must_not[]`",
        "A rule of a grant has the same keys without `who`.",
        ACCESS_DEFINITIONS["access_must_not_in_cluster"],
    ),
    (
        "What goes from the whole cluster: `cluster.access.remove[]`",
        "One object an item.",
        ACCESS_DEFINITIONS["access_remove_in_cluster"],
    ),
    (
        "What may stay in the whole cluster: `cluster.access.keep[]`",
        "",
        ACCESS_DEFINITIONS["access_keep_in_cluster"],
    ),
    ("`cluster.network.probe`", PROBE["description"], PROBE),
    ("`cluster.encryption`", CLUSTER_ENCRYPTION["description"], CLUSTER_ENCRYPTION),
    ("`cluster.encryption.kms`", KMS["description"], KMS),
    ("`cluster.encryption.escrow`", ESCROW["description"], ESCROW),
    ("A waiver: `waivers[]`", "", SCHEMA["$defs"]["waiver"]),
)

_FORMATS_SAID: Mapping[str, str] = {
    "set-name": "a name of a-z, 0-9 and -",
    "namespace-name": "a namespace's name",
    "namespace-glob": "a namespace's name or a glob",
    "label-selector": "a label selector",
    "label-key": "the key of a label",
    "label-value": "the value of a label",
    "pod-security-version": "`latest`, `v1.N` or `unlabelled`",
    "cidr": "a CIDR",
    "ip-address": "an IP address",
    "port": "a port",
    "day": "a day, as year-month-day",
    "control": "the id of a control",
    "control-or-subject": "the id of a control, or one and a subject",
    "container-image": "an image",
    "quantity": "a quantity",
    "quota-name": "something that a quota limits",
    "container-resource": "a resource of containers",
    "storage": "`storage`",
    "encrypted-resource": "a resource",
    "kms-plugin": "a name",
    "unix-socket": "a socket",
    "duration": "a duration",
    "absolute-path": "an absolute path",
    "words": "words",
}
_TYPES_SAID: Mapping[str, str] = {
    "object": "a mapping",
    "boolean": "`true` or `false`",
    "integer": "a whole number",
    "string": "words",
}


def policy_reference() -> str:
    """The text of docs/policy-reference.md."""
    return "\n".join([_INTRODUCTION, *(line for section in _SECTIONS for line in _section(*section))])


def cluster_roles() -> str:
    """The text of playbooks/files/cluster_roles.yml."""
    head = f"---\n# {_MADE}\napiVersion: v1\nkind: List\nitems:\n"
    return head + "".join(_cluster_role(*said) for said in _CLUSTER_ROLES) + _system() + _records()


def _cluster_role(name: str, description: str) -> str:
    return f"""\
  # {description}
  - apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRole
    metadata:
      name: {name}
    rules:
{_rules(name)}"""


def _system() -> str:
    return f"""\
  # The Role that goes with {ENCRYPTION}: its lock, and what kubeadm keeps.
  - apiVersion: rbac.authorization.k8s.io/v1
    kind: Role
    metadata:
      name: {SYSTEM}
      namespace: kube-system
    rules:
{_rules(SYSTEM)}"""


def _records() -> str:
    return f"""\
  # Where runs are recorded, and the Role that goes with {ENFORCE}: it keeps the records, and nothing elsewhere.
  - apiVersion: v1
    kind: Namespace
    metadata:
      name: {RECORD_NAMESPACE}
  - apiVersion: rbac.authorization.k8s.io/v1
    kind: Role
    metadata:
      name: {RECORDS}
      namespace: {RECORD_NAMESPACE}
    rules:
{_rules(RECORDS)}"""


def _rules(name: str) -> str:
    return "".join(map(_rule, cluster_role_rules(name)))


def _rule(rule: Mapping[str, list[str]]) -> str:
    verbs = f"        verbs: [{', '.join(rule['verbs'])}]\n"
    if "nonResourceURLs" in rule:
        return f"      - nonResourceURLs: [{', '.join(rule['nonResourceURLs'])}]\n{verbs}"
    return (
        f"      - apiGroups: [{', '.join(group or _CORE for group in rule['apiGroups'])}]\n"
        f"        resources: [{', '.join(rule['resources']).replace('*', _EVERY)}]\n"
        + "".join(f"        resourceNames: [{name}]\n" for name in rule.get("resourceNames", ()))
        + verbs
    )


FILES = {
    ROOT / "docs" / "policy-reference.md": policy_reference,
    ROOT / "playbooks" / "files" / "cluster_roles.yml": cluster_roles,
}


def _section(title: str, introduction: str, schema: Schema) -> Iterator[str]:
    yield f"## {title}\n"
    if introduction:
        yield f"{introduction}\n"
    yield "| key | value | meaning | example |"
    yield "|---|---|---|---|"
    required = schema.get("required", ())
    for key, inner in schema["properties"].items():
        name = f"`{key}`" + (" (required)" if key in required else "")
        yield f"| {name} | {_value(inner)} | {inner['description']} | `{_example(inner['examples'][0])}` |"
    yield ""


def _value(schema: Schema) -> str:
    if "$ref" in schema:
        return _value(SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")])
    if "anyOf" in schema:
        return ", or ".join(_value(branch) for branch in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{_example(each)}`" for each in schema["enum"])
    if schema.get("type") == "array":
        return f"a list: {_value(schema['items'])}"
    if "propertyNames" in schema and schema["propertyNames"]["format"] == "label-key":
        return "labels"
    return _FORMATS_SAID[schema["format"]] if "format" in schema else _TYPES_SAID[schema["type"]]


def _example(value: Any) -> str:
    """A value as one writes it in one line of YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_example(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_example, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    for file, text in FILES.items():
        file.write_text(text(), encoding="utf-8")
        print(file.relative_to(ROOT))
