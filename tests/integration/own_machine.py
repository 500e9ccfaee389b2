# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node without a cluster: a container with Python, sshd and sudo, reached in every way that a user's node may be."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.testbed import engine as engines
from tests.testbed import image
from tests.testbed.engine import Engine
from tests.testbed.tables import DEFAULT_KUBERNETES, kubernetes

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
PACKAGES = "openssh-server sudo python3 openssl curl procps"
MAKE = f"""
set -e
apt-get update
DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends {PACKAGES}
mkdir -p /run/sshd
useradd --create-home --shell /bin/bash deployer
echo 'deployer ALL=(ALL) ALL' > /etc/sudoers.d/deployer
"""
SERVE = """
set -e
mkdir -p /opt/server && cd /opt/server
test -e key.pem || openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=server -keyout key.pem -out cert.pem 2>/dev/null
ln -sf "$(readlink -f /usr/bin/python3)" {name}
cat > serve.py <<'END'
import http.server, ssl
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
server = http.server.HTTPServer(("127.0.0.1", 6443), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("cert.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
END
setsid ./{name} serve.py >/dev/null 2>&1 &
until curl --insecure --silent https://127.0.0.1:6443/readyz; do sleep 0.1; done
"""
DISKS = ("--tmpfs", "/small:size=64k,mode=0700", "--tmpfs", "/frozen:ro,mode=0700")


@dataclass(frozen=True, slots=True)
class Machine:
    """The container, the password of its user ``deployer``, for ssh and sudo, and where connections to it stay open."""

    engine: Engine
    name: str
    password: str
    control: Path

    def run(self, command: str, check: bool = True) -> str:
        done = subprocess.run(
            ["docker", "exec", self.name, "sh", "-c", command],
            env=self.engine.env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0 or not check, (command, done.stdout, done.stderr)
        return done.stdout

    def serve(self, name: str) -> None:
        """A process of this name that says at port 6443 that it is ready, as an API server does."""
        self.run(SERVE.format(name=name))

    def inventory(self) -> dict[str, dict[str, Any]]:
        """Ways to the same machine, by host of the inventory."""
        docker = {"ansible_connection": "community.docker.docker", "ansible_host": self.name}
        # sshd answers through `docker exec`, so that no port and no network are needed.
        through = f"docker exec -i {self.name} /usr/sbin/sshd -i"
        options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "PubkeyAuthentication=no")
        arguments = " ".join([f"-o ProxyCommand='{through}'", *(f"-o {option}" for option in options)])
        ssh = {
            "ansible_connection": "ssh",
            "ansible_ssh_common_args": arguments,
            "ansible_control_path_dir": str(self.control),
            "ansible_user": "deployer",
            "ansible_password": "{{ 'pass' ~ word }}",
            "word": self.password.removeprefix("pass"),
        }
        become = {"ansible_become": True, "ansible_become_password": "{{ ansible_password }}"}
        return {
            "docker": docker,
            "docker_sudo": {**docker, **become, "ansible_user": "deployer", "ansible_password": self.password},
            "ssh": {**ssh, **become},
            "ssh_plain": ssh,
            "ssh_wrong": {**ssh, "ansible_password": "wrong"},
            "sudo_wrong": {**ssh, **become, "ansible_become_password": "wrong"},
            "su": {**ssh, **become, "ansible_become_method": "su"},
            "no_python": {**docker, "ansible_python_interpreter": "/no/such/python3"},
            "no_machine": {**docker, "ansible_host": "no-such-container"},
            "here": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable},
        }


@dataclass(frozen=True, slots=True)
class Controller:
    """Where ansible-playbook runs, with a folder of its own for all that Ansible keeps."""

    folder: Path
    machine: Machine

    def start(
        self, nodes: list[str], *steps: Mapping[str, Any], secret: Path | None = None, timeout: int = 60
    ) -> subprocess.Popen[str]:
        """One action that asks these nodes, at -vvvv, in a session of its own."""
        folder = self.folder / uuid.uuid4().hex[:8]
        folder.mkdir()
        asked = {"nodes": nodes, "steps": [*steps], "timeout": timeout, **({"secret": str(secret)} if secret else {})}
        # As many plays on localhost have it: the nodes are not meant by that.
        own = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        play = [{"hosts": "localhost", "gather_facts": False, "vars": own, "tasks": [{"ask_nodes": asked}]}]
        (folder / "play.json").write_text(json.dumps(play))
        hosts = self.machine.inventory()
        (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": hosts}}))
        settings = {
            "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / ".collections"),
            "ANSIBLE_ACTION_PLUGINS": str(HERE / "nodes" / "action_plugins"),
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "tmp"),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "ANSIBLE_NOCOLOR": "1",
        }
        return subprocess.Popen(
            [
                *(Path(sys.executable).with_name("ansible-playbook"), "-vvvv"),
                *("-i", folder / "inventory.json", folder / "play.json"),
            ],
            cwd=folder,
            env={**self.machine.engine.env, **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def ask(self, nodes: list[str], *steps: Mapping[str, Any], timeout: int = 60) -> list[dict[str, Any]]:
        """The answers of each step by node."""
        return told(self.start(nodes, *steps, timeout=timeout))[0]


def told(process: subprocess.Popen[str]) -> tuple[list[dict[str, Any]], str]:
    """What the action told, and all that reached the terminal."""
    output, _none = process.communicate(timeout=300)
    assert '\n{\n    "custom_stats"' in output or '\n{\n    "plays"' in output, output
    start = output.index("\n{\n")
    (task,) = json.JSONDecoder().raw_decode(output[start + 1 :])[0]["plays"][0]["tasks"]
    result = task["hosts"]["localhost"]
    assert "told" in result, result
    return result["told"], output


def signal_all(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Signal a playbook and all below it: its worker is in a session of its own, and outlives it otherwise."""
    parents = {int(path.parent.name): _parent(path) for path in Path("/proc").glob("[0-9]*/stat")}
    found, below = {process.pid}, {process.pid}
    while below:
        below = {pid for pid, parent in parents.items() if parent in below} - found
        found |= below
    assert len(found) > 1
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _parent(stat: Path) -> int:
    try:
        return int(stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
    except OSError:
        return 0


@contextmanager
def machine() -> Iterator[Machine]:
    """A machine of a test's own, removed afterwards."""
    engine = engines.ensure()
    name = f"hardening-machine-{uuid.uuid4().hex[:8]}"
    started = ("run", "--detach", "--rm", "--name", name, "--network", "none", *DISKS)
    engine.docker(*started, "--entrypoint", "sleep", _image(engine), "infinity")
    try:
        # The path of a socket may have 107 bytes at most, which pytest's folders exceed.
        with TemporaryDirectory(prefix="cp-") as control:
            own = Machine(engine, name, f"pass{uuid.uuid4().hex[:12]}", Path(control))
            own.run(f"echo deployer:{own.password} | chpasswd")
            yield own
    finally:
        engine.docker("rm", "--force", name)


def _image(engine: Engine) -> str:
    """Made once out of a node's image and packages of its distribution."""
    base = image.ensure_node(engine, kubernetes(DEFAULT_KUBERNETES))
    name = f"hardening.local/machine:{hashlib.sha256(f'{base}{MAKE}'.encode()).hexdigest()[:12]}"
    if not engine.has_image(name):
        making = f"hardening-machine-image-{os.getpid()}"
        engine.docker(
            "run", "--detach", "--network", "host", "--name", making, "--entrypoint", "sleep", base, "infinity"
        )
        try:
            engine.docker("exec", making, "sh", "-c", MAKE)
            engine.docker("commit", making, name)
        finally:
            engine.docker("rm", "--force", making)
    return name
