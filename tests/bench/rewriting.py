# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rewrites all secrets of a cluster as the collection does: ``python -m tests.bench.rewriting KUBECONFIG``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / ".collections"))

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import connect
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._crew import Limits
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._rewrite import rewrite


def main(kubeconfig: str, workers: int) -> None:
    told = rewrite([connect({"kubeconfig": kubeconfig}, workers)], "secrets", Limits(workers))
    print(f"{told.done - told.unchanged} of {told.done} rewritten in {told.seconds:.3f} s")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 16)
