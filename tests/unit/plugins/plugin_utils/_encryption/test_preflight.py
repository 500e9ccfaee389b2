# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What speaks against a walk before it has touched anything."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._configuration_rules import KmsPlugin
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._manifest import Settings, read_manifest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import IDENTITY, Goal, Key
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption import _preflight
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._context import Context
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._facts import Seen
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._memory import Memory
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._migrations import GROUPS
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes._reach import NodeError

from tests.unit.plugins.module_utils._encryption.manifests import KUBEADM, POD
from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, group

Look = Callable[[Context, Seen], Iterable[str]]

KEY = Key("secretbox", "k1", "1111")
ENCRYPT, DECRYPT = Goal({"secrets": KEY}), Goal({"secrets": IDENTITY})
KMS = Key("kms_v2", "vault")
SOCKET = "/run/kms/kms.sock"
PLUGIN = KmsPlugin("vault", "v2", f"unix://{SOCKET}")


def told(look: Look, *nodes: Any, ring: Any = None, **known: Any) -> list[str]:
    """What a look tells of nodes, with no more of a context than it wants."""
    known = {"goal": ENCRYPT, "memory": Memory(), "nodes": None, "meant_by": lambda name: [name]} | known
    seen = SimpleNamespace(on_node={each.name: each for each in nodes}, ring=ring or {})
    return list(look(cast(Context, SimpleNamespace(**known)), cast(Seen, seen)))


def node(name: str = "cp1", manifest: str = KUBEADM, **changes: Any) -> Any:
    content = SimpleNamespace(content=manifest.encode())
    return SimpleNamespace(name=name, manifest=content, said=read_manifest(manifest), settings=Settings(), **changes)


def run_as(user: int) -> str:
    pod = json.loads(json.dumps(POD))
    pod["spec"]["securityContext"] = {"runAsUser": user}
    return json.dumps(pod)


def mounted(directory: str, at: str) -> str:
    """A manifest that mounts a directory of the node."""
    pod = json.loads(json.dumps(POD))
    pod["spec"]["containers"][0]["volumeMounts"].append({"name": "kms", "mountPath": at})
    pod["spec"]["volumes"].append({"name": "kms", "hostPath": {"path": directory}})
    return json.dumps(pod)


def etcd_knows(known: set[str] | NodeError) -> Any:
    """Nodes on which etcd names these API servers, or cannot be asked."""

    def ask(_name: str, _program: str, _calls: Any, timeout: float = 60) -> list[Any]:
        if isinstance(known, NodeError):
            raise known
        return [sorted(known)]

    return SimpleNamespace(ask=ask)


# The API servers that etcd knows.


def test_a_server_that_only_etcd_knows_is_told() -> None:
    one, two = (node(hints=frozenset({f"10.0.0.{each}"}), name=f"cp{each}") for each in (1, 2))
    known = {"10.0.0.1", "10.0.0.2"}
    assert told(_preflight.obstacles, one, two, nodes=etcd_knows(known)) == []
    (sentence,) = told(_preflight.obstacles, one, two, nodes=etcd_knows(known | {"10.0.0.3"}))
    assert sentence.startswith("etcd knows an API server at 10.0.0.3 that is on none of the nodes named")


def test_etcd_that_does_not_tell_which_servers_there_are_is_an_obstacle() -> None:
    nodes = etcd_knows(NodeError("cp1", "its program did not end within 30 seconds: see that it is well."))
    one = node(hints=frozenset())
    (sentence,) = told(_preflight.obstacles, one, nodes=nodes)
    assert sentence == (
        "Which API servers etcd knows could not be asked: cp1: its program did not end within 30 seconds: see that it "
        "is well. One that is not named could fail to read what is written: see that etcd answers on the control plane "
        "nodes, and run again."
    )
    assert told(_preflight.obstacles, one, nodes=nodes, memory=Memory(unscannable="its gateway is off")) == []


# The nodes.


@pytest.mark.parametrize(
    ("skew", "sentences"),
    [
        (5.0, []),
        (-5.0, []),
        (6.2, ["The clock of the node cp1 is 6 s ahead of this machine's"]),
        (-7.9, ["The clock of the node cp1 is 8 s behind this machine's"]),
    ],
)
def test_a_clock_that_is_wrong_is_told(skew: float, sentences: list[str]) -> None:
    found = told(_preflight._clocks, node(skew=skew), node("cp2", skew=0.0))
    assert [each.partition(",")[0] for each in found] == sentences


def test_a_server_that_is_not_roots_could_not_read_the_keys() -> None:
    nodes = node(manifest=run_as(1000)), node("cp2"), node("cp3", run_as(0))
    (sentence,) = told(_preflight._users, *nodes)
    assert sentence.startswith("The manifest of the API server cp1 (1000) has it run as another user than root")
    assert told(_preflight._users, *nodes, goal=DECRYPT) == [], "nothing is left to read"


def test_what_lies_beside_the_manifests_is_looked_at() -> None:
    nodes = SimpleNamespace(ask_each=lambda calls, _program: {name: NodeError(name, "it is off.") for name in calls})
    one = SimpleNamespace(
        name="cp1",
        manifest=SimpleNamespace(path="/etc/kubernetes/manifests/kube-apiserver.yaml"),
        beside_manifest=("etcd.yaml",),
    )
    (sentence,) = told(_preflight._foreign_files, one, nodes=nodes)
    assert sentence == "What lies beside the manifests could not be read: cp1: it is off."


# The KMS.


def kms(manifest: str = "", found: Any = None, plugin: KmsPlugin = PLUGIN, ring: Any = None) -> list[str]:
    """What is told of a plugin that is asked for, with what is found on the node where its socket shall be."""
    found = found or {"kind": "other"}
    answer = found if isinstance(found, NodeError) else [{SOCKET: found}]
    return told(
        _preflight._plugins,
        node(manifest=manifest or mounted("/run/kms", "/run/kms")),
        ring=ring,
        options=SimpleNamespace(plugins={KMS: plugin}),
        nodes=SimpleNamespace(ask_each=lambda calls, _program: dict.fromkeys(calls, answer)),
    )


def test_a_plugin_whose_socket_is_there_and_seen_is_good() -> None:
    assert kms() == kms(ring={KMS: PLUGIN}) == []


@pytest.mark.parametrize("manifest", [KUBEADM, mounted("/run", "/run/kms"), mounted("/elsewhere", "/run/kms")])
def test_a_socket_that_the_server_does_not_see_is_told(manifest: str) -> None:
    (sentence,) = kms(manifest)
    assert sentence.startswith(f"The API server cp1 does not see the socket {SOCKET} of the KMS: mount its directory")


@pytest.mark.parametrize(
    "other", [KmsPlugin("vault", "v2", "unix:///run/other.sock"), KmsPlugin("vault", "v2", PLUGIN.endpoint, "10s")]
)
def test_a_plugin_that_is_known_otherwise_is_told(other: KmsPlugin) -> None:
    (sentence,) = kms(ring={KMS: other})
    assert "has another endpoint or timeout on the nodes than the one asked for" in sentence


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:1", "unix://kms.sock", SOCKET])
def test_an_endpoint_that_is_no_socket_is_told(endpoint: str) -> None:
    (sentence,) = kms(plugin=KmsPlugin("vault", "v2", endpoint))
    assert sentence.startswith(f"The endpoint {endpoint} of the KMS is not one: write unix:///")


def test_a_socket_that_is_not_there_is_told() -> None:
    (sentence,) = kms(found={"kind": "file"})
    assert sentence == f"There is no socket {SOCKET} of the KMS on the node cp1: start the plugin there first."
    (sentence,) = kms(found=NodeError("cp1", "it is off."))
    assert sentence == f"Whether there is a socket {SOCKET} of the KMS could not be seen: cp1: it is off."


# etcd, kubeadm, and what the API refuses.


def test_a_resource_that_is_kept_in_another_etcd_is_told() -> None:
    flag = "    - --etcd-servers-overrides=/secrets#https://10.0.0.9:2379\n"
    apart = node(manifest=KUBEADM.replace("    - --runtime-config=\n", flag))
    (sentence,) = told(_preflight._etcd_elsewhere, apart)
    assert sentence.startswith("--etcd-servers-overrides keeps secrets in another etcd")
    assert told(_preflight._etcd_elsewhere, apart, goal=Goal({"configmaps": KEY})) == []
    assert told(_preflight._etcd_elsewhere, node()) == []


def test_the_members_of_etcd_are_looked_at_and_what_nobody_can_see_is_told() -> None:
    status = {
        "member": "1",
        "members": [{"id": "1", "name": "m1", "endpoints": []}],
        "cluster": "c",
        "leader": "1",
        "learner": False,
        "alarms": [],
        **dict.fromkeys(("db_size", "db_in_use", "quota", "raft_index", "raft_applied"), 0),
    }
    answers = {"_etcd": [status], "_files": [[]]}
    nodes = SimpleNamespace(ask_each=lambda calls, program, **_timeout: dict.fromkeys(calls, answers[program]))
    lines: list[str] = []
    assert told(_preflight._etcd_members, node(), nodes=nodes, tell=lines.append) == []
    assert [line.startswith("where the etcd member m1 has its data is not in the flags") for line in lines] == [True]
    memory = Memory(bytes=1 << 40)
    (sentence,) = told(_preflight._etcd_members, node(), nodes=nodes, tell=lines.append, memory=memory)
    assert sentence.endswith("raise --quota-backend-bytes.")


@pytest.mark.parametrize("text", ["kind: ClusterConfiguration\napiVersion: kubeadm.k8s.io/v1beta1\n", "{"])
def test_what_kubeadm_could_not_write_is_told(api: FakeApi, client: Client, text: str) -> None:
    assert told(_preflight._kubeadm, node(), client=client) == [], "there is no ConfigMap"
    api.store("configmaps", "kube-system", "kubeadm-config", data={"ClusterConfiguration": text})
    (sentence,) = told(_preflight._kubeadm, node(), node("cp2"), client=client)
    assert sentence.startswith("kubeadm's ClusterConfiguration")
    assert told(_preflight._kubeadm, node(), client=client, goal=DECRYPT) == []


def test_what_kubeadm_has_to_write_and_may_not_be_read_is_told(api: FakeApi, client: Client) -> None:
    api.forbidden = lambda _method, at: at.plural == "configmaps"
    (sentence,) = told(_preflight._kubeadm, node(), client=client)
    assert "configmaps is forbidden" in sentence


def test_what_admission_refuses_is_told_or_why_it_cannot_be_tried(api: FakeApi, client: Client) -> None:
    assert told(_preflight._refusals, client=client) == []
    api.forbidden = lambda method, _at: method == "POST"
    (sentence,) = told(_preflight._refusals, client=client)
    assert sentence.startswith("The object hardening-probe-encryption of secrets in kube-system")
    api.forbidden = lambda method, _at: method == "GET"
    (sentence,) = told(_preflight._refusals, client=client)
    assert sentence.startswith("What admission would refuse could not be tried: The server ")
    assert "secrets is forbidden" in sentence


def test_a_migration_is_told_or_that_none_can_be_seen(api: FakeApi, client: Client) -> None:
    assert told(_preflight._migrations, client=client) == []
    client.forget_kinds()
    api.kinds = [group(GROUPS[0], v1beta1=["StorageVersionMigration"])]
    plural = "storageversionmigrations"
    api.store(plural, "", "mine", f"apis/{GROUPS[0]}/v1beta1", spec={"resource": {"resource": "secrets"}})
    (sentence,) = told(_preflight._migrations, client=client)
    assert sentence == (
        f"The storage version migration {plural}.{GROUPS[0]}/mine writes all secrets anew, and has not ended: wait "
        "until it has, or delete it, and create it again afterwards."
    )
    api.forbidden = lambda _method, at: at.plural == plural
    (sentence,) = told(_preflight._migrations, client=client)
    assert sentence.startswith("Whether a storage version migration runs could not be seen: The server ")
    assert sentence.endswith(
        "To list them, bind the ClusterRole hardening-encryption, which the playbook cluster_roles installs."
    )
