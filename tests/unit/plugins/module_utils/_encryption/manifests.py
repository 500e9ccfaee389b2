# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manifests of a kube-apiserver in the styles that are met: what kubeadm writes, and what people make of it."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import yaml

KUBEADM = """\
apiVersion: v1
kind: Pod
metadata:
  annotations:
    kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint: 172.18.0.2:6443
  labels:
    component: kube-apiserver
    tier: control-plane
  name: kube-apiserver
  namespace: kube-system
spec:
  containers:
  - command:
    - kube-apiserver
    - --advertise-address=172.18.0.2
    - --etcd-cafile=/etc/kubernetes/pki/etcd/ca.crt
    - --etcd-servers=https://127.0.0.1:2379
    - --runtime-config=
    - --secure-port=6443
    - --tls-private-key-file=/etc/kubernetes/pki/apiserver.key
    image: registry.k8s.io/kube-apiserver:v1.36.3
    imagePullPolicy: IfNotPresent
    livenessProbe:
      failureThreshold: 8
      httpGet:
        host: 172.18.0.2
        path: /livez
        port: probe-port
        scheme: HTTPS
    name: kube-apiserver
    resources:
      requests:
        cpu: 250m
    volumeMounts:
    - mountPath: /etc/ssl/certs
      name: ca-certs
      readOnly: true
    - mountPath: /etc/kubernetes/pki
      name: k8s-certs
      readOnly: true
  hostNetwork: true
  priority: 2000001000
  securityContext:
    seccompProfile:
      type: RuntimeDefault
  volumes:
  - hostPath:
      path: /etc/ssl/certs
      type: DirectoryOrCreate
    name: ca-certs
  - hostPath:
      path: /etc/kubernetes/pki
      type: DirectoryOrCreate
    name: k8s-certs
status: {}
"""
POD: dict[str, Any] = yaml.safe_load(KUBEADM)


def without(*paths: str) -> dict[str, Any]:
    """kubeadm's pod without some keys of its specification or of its container."""
    pod: dict[str, Any] = json.loads(json.dumps(POD))
    for path in paths:
        pod["spec"].pop(path, None)
        pod["spec"]["containers"][0].pop(path, None)
    return pod


def edited(**container: Any) -> dict[str, Any]:
    """kubeadm's pod with other values in its container."""
    pod = without()
    pod["spec"]["containers"][0] |= container
    return pod


FLAGS = POD["spec"]["containers"][0]["command"][1:]
SIDECAR = {"name": "proxy", "image": "proxy:1", "command": ["proxy", "--upstream=kube-apiserver:6443"]}
WITH_SIDECARS = edited()
WITH_SIDECARS["spec"]["containers"] = [SIDECAR, *WITH_SIDECARS["spec"]["containers"], {**SIDECAR, "name": "other"}]
WITH_SIDECARS["spec"]["initContainers"] = [SIDECAR]
WITH_SIDECARS = json.loads(json.dumps(WITH_SIDECARS))  # or else PyYAML writes aliases

STYLES: dict[str, str] = {
    "kubeadm": KUBEADM,
    "no end of line": KUBEADM.rstrip("\n"),
    "Windows": KUBEADM.replace("\n", "\r\n"),
    "comments": KUBEADM.replace("    image:", "    # not a flag\n\n    image:")
    .replace("=6443\n", "=6443  # the port\n")
    .replace("status: {}", "# the end of the volumes\n\n# and more\nstatus: {} # nothing"),
    "comment after the last flag": KUBEADM.replace("apiserver.key\n", "apiserver.key # last\n    # of all\n"),
    "commented flag": KUBEADM.replace("apiserver.key\n", "apiserver.key\n    # - --encryption-provider-config=/x/y\n"),
    "blank lines": KUBEADM.replace("\n", "\n\n"),
    "document marks": "# ours\n---\n" + KUBEADM + "...\n",
    "trailing spaces": KUBEADM.replace("\n", "  \n"),
    "volumes last": KUBEADM.replace("status: {}\n", ""),
    "volumes last, no end of line": KUBEADM.replace("status: {}\n", "").rstrip("\n"),
    "double quotes": KUBEADM.replace("- --", '- "--')
    .replace("=6443\n", '=6443"\n')
    .replace("2379\n", '2379"\n')
    .replace("172.18.0.2\n    - ", '172.18.0.2"\n    - ')
    .replace("ca.crt\n", 'ca.crt"\n')
    .replace("config=\n", 'config="\n')
    .replace("apiserver.key\n", 'apiserver.key"\n'),
    "single quotes": KUBEADM.replace("- --secure-port=6443\n", "- '--secure-port=6443'\n"),
    "indented lists": yaml.dump(POD, indent=8),
    "wide dashes": KUBEADM.replace("    - --", "    -    --").replace("    - kube", "    -    kube"),
    "flow command": KUBEADM.replace(
        KUBEADM[KUBEADM.index("    - kube-apiserver\n") : KUBEADM.index("    image:")], ""
    ).replace("- command:\n", f"- command: [kube-apiserver, {', '.join(FLAGS)}]\n"),
    "flow over lines": KUBEADM.replace(
        KUBEADM[KUBEADM.index("    - kube-apiserver\n") : KUBEADM.index("    image:")], ""
    ).replace("- command:\n", f"- command: [\n      kube-apiserver, # the binary\n      {FLAGS[0]}, # one\n    ]\n"),
    "flow throughout": yaml.dump(POD, default_flow_style=True, width=10_000),
    "flow, wrapped": yaml.dump(POD, default_flow_style=True, width=40),
    "flow leaves": yaml.dump(POD, default_flow_style=None),
    "JSON": json.dumps(POD),
    "JSON, indented": json.dumps(POD, indent=2) + "\n",
    "no mounts": yaml.dump(without("volumes", "volumeMounts")),
    "no mounts, JSON": json.dumps(without("volumes", "volumeMounts"), indent=1),
    "empty lists of mounts": yaml.dump({**POD, "spec": {**edited(volumeMounts=[])["spec"], "volumes": []}}),
    "flags in args": yaml.dump(edited(command=["/usr/local/bin/kube-apiserver"], args=FLAGS), sort_keys=False),
    "the image's own command": yaml.dump({**POD, "spec": {"containers": [{"name": "kube-apiserver", "args": FLAGS}]}}),
    "no flags": yaml.dump(edited(command=["kube-apiserver"])),
    "nothing but a name": yaml.dump({**POD, "spec": {"containers": [{"name": "kube-apiserver", "image": "a"}]}}),
    "runner": yaml.dump(edited(command=["/go-runner", "--log-file=/a", "/usr/local/bin/kube-apiserver", *FLAGS])),
    "sidecars": yaml.dump(WITH_SIDECARS, sort_keys=False),
    "long lines folded": yaml.dump(edited(command=["kube-apiserver", "--a=" + "b c " * 60, "--d=e"]), width=60),
    "a mount of the same directory": KUBEADM.replace("/etc/ssl/certs", "/etc/kubernetes/encryption"),
}


def scrambled(seed: int) -> str:
    """One of the manifests above, its keys in another order, in another style, with comments and spaces anywhere."""
    random = Random(seed)
    text = random.choice(list(STYLES.values()))
    if random.random() < 0.5:
        text = yaml.dump(
            _shuffled(json.loads(json.dumps(yaml.safe_load(text))), random),
            sort_keys=False,
            default_flow_style=random.choice([False, None, True]),
            default_style=random.choice([None, None, '"', "'"]),
            width=random.choice([20, 80, 1000]),
            indent=random.choice([2, 4, 7]),
            explicit_start=random.random() < 0.3,
        )
    lines = text.split("\n")
    for _time in range(random.randrange(6)):
        at = random.randrange(len(lines))
        indent = " " * random.randrange(9)
        added = random.choice([f"{indent}# - --encryption-provider-config=/x/y", indent])
        if random.random() < 0.5:
            lines.insert(at, added)
        else:
            lines[at] += random.choice(["  # why: [a, b]", "   "])
    return random.choice(["\n", "\n", "\r\n"]).join(lines)


def _shuffled(value: Any, random: Random) -> Any:
    if isinstance(value, list):
        return [_shuffled(each, random) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: _shuffled(value[key], random) for key in random.sample(list(value), len(value))}
