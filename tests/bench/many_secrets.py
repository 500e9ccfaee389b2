# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts many secrets in plain text straight into etcd, which takes seconds instead of minutes. Runs on a node."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import sys
import uuid

PKI = "/etc/kubernetes/pki"
AT_ONCE = 100
NAMESPACE = "bench-0"


def main(number: int) -> None:
    context = ssl.create_default_context(cafile=f"{PKI}/etcd/ca.crt")
    context.load_cert_chain(f"{PKI}/apiserver-etcd-client.crt", f"{PKI}/apiserver-etcd-client.key")
    etcd = http.client.HTTPSConnection("127.0.0.1", 2379, context=context)
    for first in range(0, number, AT_ONCE):
        puts = [{"requestPut": put(each)} for each in range(first, min(first + AT_ONCE, number))]
        etcd.request("POST", "/v3/kv/txn", json.dumps({"success": puts}))
        answer = etcd.getresponse()
        told = answer.read()
        if answer.status != 200:
            sys.exit(told.decode())


def put(number: int) -> dict[str, str]:
    name = f"many-{number:07}"
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "uid": str(uuid.uuid4()),
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"app.kubernetes.io/managed-by": "somebody", "app.kubernetes.io/name": name},
            "annotations": {"example.org/note": "what people write about a secret " * 8},
        },
        "type": "Opaque",
        "data": {"value": base64.b64encode(name.encode() * 40).decode()},
    }
    return {"key": encoded(f"/registry/secrets/{NAMESPACE}/{name}"), "value": encoded(json.dumps(secret))}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


main(int(sys.argv[1]))
