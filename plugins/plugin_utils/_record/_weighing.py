# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: what speaks against putting a run back, and what becomes weaker by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._entries import Run
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._plan import Step, changed_by
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._weaker import Weaker, weaker
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._load import Records
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._revert import flat
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._store import cluster_of

Batches = Sequence[Sequence[Step]]


def refuse_other_cluster(client: Client, run: Run) -> None:
    """Objects of the same names in another cluster are not those that the run wrote. Raises HardeningError."""
    wrote, here = str(run.about.get("cluster") or ""), cluster_of(client)
    if wrote and here and wrote != here:
        raise HardeningError(
            f"The run {run.name} wrote to another cluster, which it reached at {run.about.get('server')}, and this is "
            f"{client.server}: nothing was put back. Name the cluster of the run by kubeconfig and context."
        )


def blamed(batches: Batches, records: Records, run: Run) -> Batches:
    """The steps; what a later run changed says which, since that one can be put back first."""
    if not any(step.paths for step in flat(batches)):
        return batches
    later = list(records.after(run))
    return [[_of_later(step, changed_by(later, step)) if step.paths else step for step in each] for each in batches]


def _of_later(step: Step, name: str) -> Step:
    return replace(step, refused=f"It was changed by the run {name} since: revert that one first.") if name else step


def losses_of(batches: Batches) -> list[Weaker]:
    """What becomes weaker, once each."""
    found = [each for step in flat(batches) if not step.refused for each in weaker(step.live, step.wanted)]
    return list(dict.fromkeys(found))
