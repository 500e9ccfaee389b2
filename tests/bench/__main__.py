# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our speed beside kubernetes.core's and kubectl's: ``python -m tests.bench [--runs N] [--rows NAME,…]``.

Each round runs us and each peer, one after the other, on the same input file against the same cluster: create, then
once more with nothing to change. A row's figure is the median of all rounds. ``build/bench.json`` holds the rows.
Rows that write thousands of policies want a cluster whose network does not work on them meanwhile; the row that proves
policies wants one whose network enforces them. Each kind is made for its rows, one after the other.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from tests.bench.encryption import Encryption
from tests.bench.harden import Harden
from tests.bench.peers import Peers
from tests.bench.rotation import Rotation
from tests.bench.runner import CHECKOUT, BenchError, Runner
from tests.bench.tables import (
    HARDEN_LIMIT,
    HARDEN_ROW,
    MEMORY_ROW,
    NAMESPACES,
    PROOF_ROW,
    REENCRYPT_MEMORY_ROW,
    ROTATE_LIMIT,
    ROTATE_ROW,
    ROTATED_SECRETS,
    ROWS,
    ROWS_OF_ENCRYPTION,
    result,
)


def hardened(runner: Runner, runs: int, _rows: Collection[str]) -> list[dict[str, Any]]:
    """The row of the whole playbook, which has no peer but a limit."""
    measures = Harden(runner, f"bench-{uuid.uuid4().hex[:6]}").measures(runs)
    print(f"    largest process {max(each.mebibytes for each in measures):.0f} MiB")
    seconds = statistics.median(each.seconds for each in measures)
    return [result(HARDEN_ROW, seconds, HARDEN_LIMIT, f"limit at {NAMESPACES} namespaces", "s", 1)]


def beside_peers(runner: Runner, runs: int, rows: Collection[str]) -> list[dict[str, Any]]:
    """The rows that compare us with others, and that of the memory."""
    return Peers(runner, runs).results(rows)


def reencrypted(runner: Runner, runs: int, rows: Collection[str]) -> list[dict[str, Any]]:
    """The rows that change keys."""
    return Encryption(runner, runs, cluster_name("encryption")).results(rows)


def rotated(_runner: Runner, runs: int, _rows: Collection[str]) -> list[dict[str, Any]]:
    """The row of a whole rotation, which has no peer but a limit."""
    seconds = statistics.median(Rotation(cluster_name("rotation")).seconds(runs))
    return [result(ROTATE_ROW, seconds, ROTATE_LIMIT, f"limit at {ROTATED_SECRETS} secrets, three servers", "s", 1)]


CLUSTERS: dict[str, Callable[[Runner, int, Collection[str]], list[dict[str, Any]]]] = {
    "plain": beside_peers,
    "enforcing": hardened,
    "encryption": reencrypted,
    "rotation": rotated,
}
OPTIONS = {
    "plain": ["--cni", "plain"],
    "enforcing": ["--cni", "enforcing"],
    "encryption": ["--api-server", "fast"],
    "rotation": ["--api-server", "fast", "--nodes", "3"],
}
"""How each sort of cluster is made; keys cannot be changed in one that somebody else made."""
CLUSTER_OF = {
    **dict.fromkeys((*ROWS, MEMORY_ROW), "plain"),
    HARDEN_ROW: "enforcing",
    **dict.fromkeys((*ROWS_OF_ENCRYPTION, PROOF_ROW, REENCRYPT_MEMORY_ROW), "encryption"),
    ROTATE_ROW: "rotation",
}
"""Which sort of cluster each row wants."""


def main() -> int:
    options = arguments()
    rows = options.rows.split(",") if options.rows else list(CLUSTER_OF)
    if unknown := set(rows) - CLUSTER_OF.keys():
        print(f"There is no row {', '.join(sorted(unknown))}: choose among {', '.join(CLUSTER_OF)}.")
        return 2
    try:
        results = [result for sort in CLUSTERS for result in on_cluster(sort, rows, options)]
    except BenchError as error:
        print(error, file=sys.stderr)
        return 1
    write(results)
    return 0 if all(each["reached"] for each in results) else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Our speed beside that of others.")
    parser.add_argument("--runs", type=int, default=5, help="rounds, whose median counts")
    parser.add_argument("--rows", help=f"only these, separated by commas: {', '.join(CLUSTER_OF)}")
    parser.add_argument("--kubeconfig", help="a cluster for all rows; without it clusters are made, and removed again")
    parser.add_argument("--keep", action="store_true", help="leave the clusters that were made")
    return parser.parse_args()


def on_cluster(sort: str, rows: Collection[str], options: argparse.Namespace) -> list[dict[str, Any]]:
    """The results of the rows that want this sort of cluster."""
    wanted = [row for row in rows if CLUSTER_OF[row] == sort]
    given = options.kubeconfig if sort not in ("encryption", "rotation") else None
    if not wanted:
        return []
    kubeconfig = Path(given).resolve() if given else cluster_up(sort)
    try:
        with tempfile.TemporaryDirectory() as folder:
            return CLUSTERS[sort](Runner(Path(folder), kubeconfig), options.runs, wanted)
    finally:
        if not given and not options.keep:
            testbed("down", "--name", cluster_name(sort))


def testbed(*command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.testbed", *command], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def cluster_name(sort: str) -> str:
    return f"bench-{sort}"


def cluster_up(sort: str) -> Path:
    """A cluster for this alone."""
    name = cluster_name(sort)
    path = Path(testbed("up", "--name", name, *OPTIONS[sort]).splitlines()[-1].strip())
    exports = shlex.split(testbed("env", "--name", name))
    os.environ.update(each.split("=", 1) for each in exports if each.startswith(("PATH=", "DOCKER_HOST=")))
    return path


def write(results: list[dict[str, Any]]) -> None:
    path = CHECKOUT / "build" / "bench.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n")
    for each in results:
        verdict = "reached" if each["reached"] else "NOT REACHED"
        figures = f"{each['ours']:8.2f} {each['peer']:8.2f} {each['unit']:4} {each['ratio']:6.1f} of {each['goal']:<4g}"
        print(f"{each['name']:26}{figures} {verdict:12} {each['peer_name']}")


if __name__ == "__main__":
    sys.exit(main())
