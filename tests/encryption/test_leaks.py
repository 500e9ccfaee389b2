# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No key is anywhere but where it has to be, after clean and killed runs that say all that Ansible can say."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import textwrap
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.encryption.clusters import STATE, Cluster
from tests.encryption.door import Door
from tests.encryption.kills import Moment
from tests.encryption.leaks import LENGTH, Leaks, allowed, drawn_keys, sampled, watch_entropy
from tests.encryption.runs import Run

TELLS_ALL = """
    import json
    import os
    from ansible.plugins.callback import CallbackBase
    class CallbackModule(CallbackBase):
        CALLBACK_VERSION = 2.0
        CALLBACK_TYPE = "aggregate"
        CALLBACK_NAME = "tells_all"
        CALLBACK_NEEDS_ENABLED = True
        def _tell(self, *said):
            with open(os.environ["TELLS_ALL"], "a") as out:
                out.write(json.dumps(said, default=repr) + "\\n")
        def v2_playbook_on_task_start(self, task, is_conditional):
            self._tell("task", task.dump_attrs())
        def v2_runner_on_ok(self, result):
            self._tell("ok", vars(result))
        def v2_runner_on_failed(self, result, ignore_errors=False):
            self._tell("failed", vars(result))
"""
KEPT_AS_FACT = {"ansible.builtin.set_fact": {"told_before": "{{ told }}", "cacheable": True}}
VAULT = """\
#!/usr/bin/env python3
import json, os, sys
path = {path!r}
kept = json.load(open(path)) if os.path.exists(path) else []
said = json.load(sys.stdin) if sys.argv[-1] != "list" else None
if sys.argv[-1] == "put":
    os.umask(0o077)
    json.dump([*kept, said], open(path, "w"))
elif sys.argv[-1] == "list":
    print(json.dumps([{{name: each[name] for name in ("provider", "name", "fingerprint")}} for each in kept]))
else:
    print(json.dumps(next(each for each in kept if each["fingerprint"] == said["fingerprint"])))
"""
KILLS = (
    Moment(words="1 of 8, keep_key", seconds=0.3),
    Moment(words="4 of 8, reencrypt", seconds=0.5),
    Moment(words="6 of 8, configure", seconds=0.3),
)
SOME_SECRETS = """
for number in $(seq 40); do
  printf -- '---\\napiVersion: v1\\nkind: Secret\\nmetadata: {name: secret-%s}\\n' $number
done | kubectl --kubeconfig /etc/kubernetes/admin.conf create --filename -
"""
BASE64 = "base64 at 0"
SECRET = re.compile(r'(?<=")[A-Za-z0-9+/]{43}=(?=")')
BROKEN = (
    ("{path}", "truncate --size=-60"),
    ("{path}", "sed -i '$ s/$/ trailing:/'"),
    (f"{STATE}/keys.json", "truncate --size=-60"),
)
"""What a hand that slips makes of a file with keys; whoever reads it is to say where the mistake is and no more."""


@dataclass(slots=True)
class Talkative:
    """Runs that say and keep all that they can, below one folder; ``private`` is what is not theirs."""

    cluster: Cluster
    folder: Path
    outputs: list[str] = field(default_factory=list)

    @property
    def private(self) -> Path:
        """Where the vault is, and the list of all keys."""
        return self.folder / "private"

    @property
    def said(self) -> Path:
        """Where runs write what they have to say."""
        return self.folder / "said"

    def prepare(self) -> Path:
        """Make the folders, the plugin that tells all and the vault; where the list of all keys will be."""
        for each in (self.private, self.said, self.said / "plugins"):
            each.mkdir(mode=0o700)
        (self.said / "plugins" / "tells_all.py").write_text(textwrap.dedent(TELLS_ALL))
        vault = self.private / "vault"
        vault.write_text(VAULT.format(path=str(self.private / "vault.json")))
        vault.chmod(0o700)
        return watch_entropy(self.private)

    def run(self, moment: Moment | None = None, **arguments: Any) -> int:
        """A command, killed at a moment or to its end; its status, which is negative where it was killed."""
        variables = {
            "ANSIBLE_CACHE_PLUGIN": "jsonfile",
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(self.said / "facts"),
            "ANSIBLE_CALLBACKS_ENABLED": "tells_all",
            "ANSIBLE_CALLBACK_PLUGINS": str(self.said / "plugins"),
            "ANSIBLE_KEEP_REMOTE_FILES": "1",
            "ANSIBLE_LOG_PATH": str(self.said / "log"),
            "PYTHONPATH": str(self.private),
            "TELLS_ALL": str(self.said / "told.json"),
        }
        run = Run(self.cluster, self.said, arguments, ("-vvvv", "--diff"), variables, [KEPT_AS_FACT])
        if moment:
            assert moment.come(run), run.output[-5000:]
            run.kill()
        status = run.end()
        self.outputs.append(run.output)
        return status


def on_node(cluster: Cluster) -> set[bytes]:
    """The keys that lie on the nodes where they may."""
    script = "cat $(ls {path} {state}/keys.json 2>/dev/null)"
    found = set()
    for node in cluster.nodes:
        path = cluster.configuration_path(node)
        text = cluster.on(node, "sh", "-c", script.format(path=path, state=STATE))
        found |= {base64.b64decode(each) for each in SECRET.findall(text)}
    return found


def answers(cluster: Cluster) -> list[bytes]:
    """What servers and kubelets tell of themselves, and what they have logged."""
    paths = ["/configz", "/flagz", "/statusz", "/metrics", "/api/v1/events"]
    paths += [f"/api/v1/nodes/{node}/proxy/{each}" for node in cluster.nodes for each in ("configz", "logs/")]
    paths += [f"/api/v1/namespaces/kube-system/pods/kube-apiserver-{node}/log" for node in cluster.nodes]
    doors = [Door(cluster.addresses[node], cluster.context()) for node in cluster.nodes]
    return [door.raw("GET", path)[1] for door in doors for path in paths]


def test_no_key_is_anywhere_but_where_it_has_to_be(one: Cluster, tmp_path: Path) -> None:
    (node,) = one.nodes
    began = time.time()
    runs = Talkative(one, tmp_path)
    drawn = runs.prepare()
    vault = {"escrow": {"command": [str(runs.private / "vault")]}}
    one.on(node, "sh", "-c", SOME_SECRETS)
    with sampled(one) as processes:
        assert runs.run(state="present", snapshot="/var/lib/hardening-snapshots") == 0, runs.outputs[-1][-5000:]
        keys = on_node(one)
        for moment in KILLS:
            runs.run(moment, state="rotated", most_per_second=20)
            keys |= on_node(one)
        path = one.configuration_path(node)
        for file, breaks in BROKEN:
            each = file.format(path=path)
            one.on(node, "sh", "-c", f"cp -p {each} {each}.sound && {breaks} {each}")
            assert runs.run(state="rotated") > 0
            one.on(node, "mv", f"{each}.sound", each)
        assert runs.run(state="present", provider="aescbc", **vault) == 0, runs.outputs[-1][-5000:]
        keys |= on_node(one)
    assert keys <= drawn_keys(drawn)
    leaks = Leaks(one, drawn_keys(drawn), began)
    found = [
        *leaks.in_text("the terminal", *runs.outputs),
        *leaks.in_text("arguments and environments", *processes),
        *leaks.in_text("what servers tell", *answers(one)),
        *leaks.on_nodes(),
        *leaks.here(runs.private, *runs.private.iterdir()),
    ]
    assert not found
    assert len(keys) >= 3, "too few keys were made for this to tell anything"
    assert set(allowed(one, node)) == {path, f"{STATE}/keys.json"}


def test_a_key_is_known_however_it_is_written() -> None:
    key = os.urandom(LENGTH)
    text = base64.b64encode(key)
    file = b'{"secret": "' + text + b'"}'
    written = [
        *(key, text, text.rstrip(b"="), key.hex().encode(), key.hex().upper().encode(), repr(key).encode()),
        *(base64.urlsafe_b64encode(key), base64.encodebytes(b"..." + key)),
        *(base64.b64encode(b"." * offset + each + b"...") for offset in range(3) for each in (key, text, file)),
    ]
    leaks = Leaks(None, [key], 0)
    assert [each for each in written if not leaks.in_text("here", each)] == []
    assert leaks.in_text("here", *(base64.b64encode(os.urandom(3 * LENGTH)) for _time in range(100))) == []


def test_a_key_that_lies_about_is_found(one: Cluster, tmp_path: Path) -> None:
    """Planted where none may be, each of another key: on the node and here, in files and in processes."""
    (node,) = one.nodes
    began = time.time()
    keys = [os.urandom(LENGTH) for _place in range(5)]
    texts = [base64.b64encode(key).decode() for key in keys]
    one.on(node, "sh", "-c", "base64 --decode > /var/tmp/planted", text=texts[0])
    one.on(node, "systemd-cat", "--identifier=planted", text=f"key {texts[1]}\n")
    with sampled(one) as processes:
        one.on(node, "sh", "-c", f"sleep 1; : {texts[2]}")
        subprocess.run(["sleep", "1"], env={**os.environ, "PLANTED": texts[3]}, check=True)
    (tmp_path / "planted").write_text(base64.b64encode(f'{{"secret": "{texts[4]}"}}'.encode()).decode())
    leaks = Leaks(one, keys, began)
    try:
        there = {f"{node} /var/tmp/planted: key 0 as bytes", f"{node} the journal: key 1 as {BASE64}"}
        assert there <= set(leaks.on_nodes())
        found = {f"processes: key {number} as {BASE64}" for number in (2, 3)}
        assert found <= set(leaks.in_text("processes", *processes))
        assert [each for each in leaks.here() if str(tmp_path) in each]
    finally:
        one.on(node, "rm", "/var/tmp/planted")
