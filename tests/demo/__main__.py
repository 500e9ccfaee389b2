# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.demo`: needs a virtual environment, makes the rest; fails where it does not see what it promises."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.demo.cluster import Cluster

ROOT = Path(__file__).resolve().parents[2]
SHOP = Path("examples/shop")
REPORT = ROOT / "build" / "demo-report.json"
HOST_READER = SHOP / "manifests" / "host-reader.yml"
GREEDY = SHOP / "manifests" / "greedy.yml"
QUIET = {
    "ANSIBLE_DISPLAY_OK_HOSTS": "false",
    "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
    "ANSIBLE_LOCALHOST_WARNING": "false",
    "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
}
FAILURE = 2  # the exit status of ansible-playbook when a task failed, as a verdict does
SECONDS_TO_SETTLE = 30
BLOCKED = ("refused", "timeout")  # what a network says that drops or rejects; anything else is a broken neighbour
THE_ONE_FAILURE = {("pod_security.running_comply", "Pod/neighbours/host-reader")}


class Surprise(Exception):
    """The demo did not see what it promises."""


def main() -> int:
    """Before, harden, after; returns the exit status."""
    os.chdir(ROOT)
    say("1. A cluster")
    kubeconfig = cluster_up()
    cluster = Cluster(kubeconfig)
    known = cluster.enforced("neighbours") != ""

    say("2. A shop, and neighbours that nobody has checked")
    insecure = ["-e", f"insecure={str(not known).lower()}"]
    play("shop.yml", kubeconfig, str(SHOP / "shop.yml"), *insecure, unchanged=known)

    say("3. As an earlier run has left it" if known else "3. Before")
    look(cluster, hardened=known)

    say("4. One command")
    one_left = cluster.has_pod("neighbours", "host-reader")
    harden(kubeconfig, failing=THE_ONE_FAILURE if one_left else set(), unchanged=known)

    say("5. After")
    look(cluster, hardened=True)
    if one_left:
        say("6. The pod that ran already is the one failure left. Without it:")
        cluster.delete_pod("neighbours", "host-reader")
        harden(kubeconfig, failing=set(), unchanged=True)
    return 0


def cluster_up() -> Path:
    """The kubeconfig of the test bed's cluster, or with CLUSTER=existing of the user's own."""
    existing = ["--existing"] if os.environ.get("CLUSTER") == "existing" else []
    command = [sys.executable, "-m", "tests.testbed", "up", *existing]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    kubeconfig = Path(done.stdout.strip().splitlines()[-1])
    print(f"   kubeconfig {kubeconfig}")
    return kubeconfig


def look(cluster: Cluster, *, hardened: bool) -> None:
    """See from inside the cluster who reaches what, and hold it against what this demo promises."""
    frontend = cluster.pod_of("shop", "frontend")
    sees(
        "a customer's request, through frontend, backend and postgres",
        lambda: cluster.run("shop", frontend, "wget", "-q", "-T", "3", "-O", "-", "http://127.0.0.1:8080/"),
        lambda answer: answer == "frontend -> backend -> postgres: ok",
    )
    sees(
        "the neighbour `curious` connects to postgres.shop:5432",
        lambda: cluster.run("neighbours", "curious", "toolbox", "connect", "-t", "2", "postgres.shop", "5432"),
        lambda answer: answer in (BLOCKED if hardened else ("open",)),
    )
    sees(
        "a new pod that mounts the host is",
        lambda: cluster.refusal(HOST_READER, "host-reader-too") or "accepted",
        lambda answer: ("violates PodSecurity" in answer) is hardened,
    )
    sees(
        "who runs a pod of the neighbours may read the shop's secrets",
        lambda: cluster.may("system:serviceaccount:neighbours:default", "get", "secrets", "shop"),
        lambda answer: answer == ("no" if hardened else "yes"),
    )
    sees(
        "a new pod of the shop that asks for 64 CPUs is",
        lambda: cluster.refusal(GREEDY, "greedy") or "accepted",
        lambda answer: ("exceeded quota" in answer) is hardened,
    )
    if cluster.has_pod("neighbours", "host-reader"):
        sees(
            "the running pod `host-reader` sees of the node's keys",
            lambda: cluster.run("neighbours", "host-reader", "ls", "/host/etc/kubernetes"),
            lambda answer: "admin.conf" in answer or "kubelet.conf" in answer,
        )


def sees(what: str, ask: Callable[[], str], promised: Callable[[str], bool]) -> None:
    """Show an answer; the promised one, as soon as it is there."""
    deadline = time.monotonic() + SECONDS_TO_SETTLE
    while not promised(answer := ask()):
        if time.monotonic() > deadline:
            raise Surprise(f"{what}: {answer or 'no answer'}")
        time.sleep(1)
    print(textwrap.fill(f"{what}: {answer}", 100, initial_indent="   ", subsequent_indent="      "))


def harden(kubeconfig: Path, failing: set[tuple[str, str]], *, unchanged: bool = False) -> None:
    """The command that a user runs; its report names exactly these controls and subjects as not in order."""
    policy = SHOP / "cluster-policy.yml"
    expected = FAILURE if failing else 0
    command = ["harden-cluster.yml", "-e", f"policy={policy}"]
    play("harden-cluster.yml", kubeconfig, *command, expected=expected, unchanged=unchanged)
    seen = not_in_order(json.loads(REPORT.read_text(encoding="utf-8")))
    if seen != failing:
        raise Surprise(f"the report names {sorted(seen) or 'nothing'}, not {sorted(failing) or 'nothing'}")


def not_in_order(report: dict[str, Any]) -> set[tuple[str, str]]:
    """What speaks against the cluster: control and subject of each failed or unknown finding, and every error."""
    wrong = [each for each in report["findings"] if each["status"] in ("fail", "unknown")]
    return {(each["control"], each["subject"]) for each in wrong} | {("error", each) for each in report["errors"]}


def play(what: str, kubeconfig: Path, *arguments: str, expected: int = 0, unchanged: bool = False) -> None:
    """Run a playbook before everybody's eyes; another exit status, or a change where none is due, is a surprise."""
    print(f"   $ ansible-playbook {' '.join(arguments)}", flush=True)
    command = [str(Path(sys.executable).parent / "ansible-playbook"), *arguments]
    colour = {"ANSIBLE_FORCE_COLOR": "true"} if sys.stdout.isatty() else {}
    environment = {**os.environ, **QUIET, **colour, "KUBECONFIG": str(kubeconfig)}
    command += ["-e", json.dumps({"report": str(REPORT)})]
    changes: list[str] = []
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            changes += re.findall(r"changed=(\d+)", line)
    if process.returncode != expected:
        raise Surprise(f"{what} ended with status {process.returncode}, not {expected}")
    if unchanged and changes != ["0"]:
        raise Surprise(
            f"{what} changed {' and '.join(changes) or 'who knows what'}, and everything was in order before"
        )


def say(what: str) -> None:
    """A heading."""
    print(f"\n== {what}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Surprise as surprise:
        sys.exit(f"demo: not as promised: {surprise}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"demo: {' '.join(error.cmd[1:])} ended with status {error.returncode}")
