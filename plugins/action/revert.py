# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Puts back what a run replaced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from ansible import constants
from ansible.utils.display import Display
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._auth import AUTH_SPEC, connect
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Client
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._entries import Run, reverted
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._plan import Step, changed_by
from ansible_collections.hardening.kubernetes.plugins.module_utils._record._weaker import Weaker, weaker
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._namespaces import check_limit, is_meant
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import diff_of, result
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._action import HardeningAction, Progress
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._load import Records
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._recorder import (
    DEFAULT_FOLDER,
    RunRecorder,
    new_name,
)
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._revert import carry_out, flat, look
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._record._store import (
    check_keep,
    cluster_of,
    end,
    mark,
)

Batches = Sequence[Sequence[Step]]
_MOST_LINES = 50


class ActionModule(HardeningAction):
    """Field by field, the last written first; what was changed since stays."""

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {
        **AUTH_SPEC,
        "run": {"type": "str"},
        "record": {"type": "path"},
        "records": {"type": "path", "default": DEFAULT_FOLDER},
        "only": {"type": "list", "elements": "str"},
        "keep": {"type": "int", "default": 20},
    }
    RULES: ClassVar[dict[str, Any]] = {
        "required_one_of": [("run", "record")],
        "mutually_exclusive": [("run", "record")],
    }

    def perform(self, arguments: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        """Find the record, tell what becomes weaker, put everything back."""
        only = [] if arguments["only"] is None else [each.strip() for each in arguments["only"]] or [""]
        check_limit(only)
        check_keep(arguments["keep"])
        client = connect(arguments)
        folder = Path(arguments["records"]).absolute()
        records = Records(client, folder)
        file = Path(arguments["record"]).absolute() if arguments["record"] else None
        run = records.of_file(file) if file else records.run(arguments["run"])
        _refuse_other_cluster(client, run)
        batches = _blamed(look(client, run, lambda name: is_meant(name, only)), records, run)
        losses = _losses(batches)
        for line in _announced(run, losses, self.check_mode):
            Display().display(line, color=constants.COLOR_WARN if losses else None)
        told = self._carried_out(client, run, batches, folder, arguments["keep"])
        if told["run"] and not told.get("failed") and not only:
            told["warnings"] = [*told.get("warnings", ()), *mark(client, run, file or folder, reverted(told["run"]))]
        return {**told, "reverted": run.name, "weaker": [each.to_dict() for each in losses]}

    def _carried_out(self, client: Client, run: Run, batches: Batches, folder: Path, keep: int) -> dict[str, Any]:
        name = new_name()
        file = folder / f"{name}.jsonl"
        about = {"reverts": run.name, "policy": str(run.about.get("policy", "")), "playbook": "revert_cluster"}
        recorder = RunRecorder(client, file, about)
        client.recorder = recorder
        done = carry_out(client, batches, Progress("revert"), dry_run=self.check_mode)
        kept = end(lambda: client, file, [], keep) if recorder.begun else {}
        told = {**result(done), "run": name if recorder.begun else ""}
        for line in _ended(told, self.check_mode):
            Display().display(line, color=constants.COLOR_CHANGED if told["changed"] else constants.COLOR_OK)
        if kept.get("warnings"):
            told["warnings"] = [*told.get("warnings", ()), *kept["warnings"]]
        return {**told, "diff": diff_of(done)} if self.diff_mode else told


def _refuse_other_cluster(client: Client, run: Run) -> None:
    """Objects of the same names in another cluster are not those that the run wrote. Raises HardeningError."""
    wrote, here = str(run.about.get("cluster") or ""), cluster_of(client)
    if wrote and here and wrote != here:
        raise HardeningError(
            f"The run {run.name} wrote to another cluster, which it reached at {run.about.get('server')}, and this is "
            f"{client.server}: nothing was put back. Name the cluster of the run by kubeconfig and context."
        )


def _blamed(batches: Batches, records: Records, run: Run) -> Batches:
    """The steps; what a later run changed says which, since that one can be put back first."""
    if not any(step.paths for step in flat(batches)):
        return batches
    later = list(records.after(run))
    return [[_of_later(step, changed_by(later, step)) if step.paths else step for step in each] for each in batches]


def _of_later(step: Step, name: str) -> Step:
    return replace(step, refused=f"It was changed by the run {name} since: revert that one first.") if name else step


def _losses(batches: Batches) -> list[Weaker]:
    found = [each for step in flat(batches) if not step.refused for each in weaker(step.live, step.wanted)]
    return list(dict.fromkeys(found))


def _announced(run: Run, losses: Sequence[Weaker], check_mode: bool) -> Iterator[str]:
    yield f"The run {run.name}{_of(run)}: what it replaced {'would be' if check_mode else 'is'} put back."
    if run.reverted_by:
        yield f"It was put back before, by the run {run.reverted_by}."
    if losses:
        yield "Weaker by it:"
    yield from _some(f"  {each}" for each in losses)


def _of(run: Run) -> str:
    told = [f"of {run.time}" if run.time else "", f"by {run.about['user']}" if run.about.get("user") else ""]
    return "".join(f" {each}" for each in told if each)


def _ended(told: dict[str, Any], check_mode: bool) -> Iterator[str]:
    changed = sum(1 for each in told["objects"] if each["action"] not in ("unchanged", "failed"))
    failed = told["summary"]["failed"]
    yield (
        f"{changed} {'would be' if check_mode else 'were'} put back, {told['summary']['unchanged']} were as before, "
        f"{failed} are left as they are."
    )
    if changed and not check_mode:
        yield "Whoever runs harden_cluster with the same policy again puts all of it back into force."
        if told["run"]:
            yield "To take this revert back in its turn:"
            yield f"  ansible-playbook hardening.kubernetes.revert_cluster -e run={told['run']}"


def _some(lines: Iterable[str]) -> Iterator[str]:
    said = list(lines)
    yield from said[:_MOST_LINES]
    if len(said) > _MOST_LINES:
        yield f"  and {len(said) - _MOST_LINES} more"
