# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the door that every action plugin of the collection goes through."""

from __future__ import annotations

import gc
import os
import time
import traceback
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePath
from typing import Any, ClassVar

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import STATUSES, Finding
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._result import ObjectResult, diff_of, result

_FIRST_NOTICE_SECONDS = 4.0
_NOTICE_SECONDS = 5.0
_COLLECT_AFTER = 50_000
"""So many new containers before Python looks for cycles among them, instead of 700: what is read of a cluster has none,
and a task that finds thousands of objects in order spent a sixth of its time on looking."""


class Progress:
    """Tells an operator how far long work has come: nothing for short work, then a line every few seconds.

    Only ``Display`` reaches the terminal from a worker of ansible-core 2.19.
    """

    def __init__(self, what: str) -> None:
        """Take the words that stand before the count, like ``apply``."""
        self._what = what
        self._next = time.monotonic() + _FIRST_NOTICE_SECONDS

    def __call__(self, done: int, total: int) -> None:
        """Say ``what: done of total`` if it is time to."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _NOTICE_SECONDS
            Display().display(f"{self._what}: {done} of {total}")


class HardeningAction(ActionBase):
    """An action plugin: arguments validated, one call, one result, one place that catches errors.

    A subclass gives ``ARGUMENT_SPEC`` (and ``RULES``: ``mutually_exclusive``, ``required_if`` and so on) and
    :meth:`perform`, which returns the result or raises :class:`HardeningError`.
    """

    ARGUMENT_SPEC: ClassVar[dict[str, Any]] = {}
    RULES: ClassVar[dict[str, Any]] = {}

    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Validate, perform, and turn every :class:`HardeningError` into a failed result that says what to do."""
        super().run(tmp, task_vars)
        # This process is the task's own, as below.
        gc.set_threshold(_COLLECT_AFTER)
        # Ansible hands a task's `environment` to modules alone. Here it has to count as well: without it a
        # KUBECONFIG that stands there would be passed over, and another cluster be changed than the one meant.
        os.environ.update(self._environment())
        _validation, arguments = self.validate_argument_spec(argument_spec=self.ARGUMENT_SPEC, **self.RULES)
        try:
            told = self.perform(arguments, task_vars or {})
        except HardeningError as error:
            return {"failed": True, "changed": False, "msg": str(error)}
        except AnsibleError:
            raise
        except Exception as error:
            return _mistake_of_ours(error)
        return told

    def _environment(self) -> dict[str, str]:
        """The task's `environment`, innermost last; this process is the task's own and ends with it."""
        layers = [self._templar.template(each) for each in self._task.environment or () if each]
        return {str(name): str(value) for layer in layers for name, value in layer.items()}

    @property
    def check_mode(self) -> bool:
        """Whether nothing may be written."""
        return bool(self._task.check_mode)

    @property
    def diff_mode(self) -> bool:
        """Whether the user asked for diffs."""
        return bool(self._task.diff)

    def told(
        self,
        done: Iterable[ObjectResult],
        findings: Iterable[Finding] = (),
        wrong: Iterable[Finding] = (),
        warnings: Iterable[str] = (),
    ) -> dict[str, Any]:
        """The result of an action that changes a cluster.

        ``wrong`` are findings, too, that fail the task at the end, when everything else is done. In check mode, where
        findings inform, they warn.
        """
        objects, stopped = list(done), list(wrong)
        found = [*stopped, *findings]
        if self.check_mode:
            found = [replace(finding, would=finding.would or finding.status) for finding in found]
        told = result(objects, found)
        sentences = [f"{finding.subject}: {finding.evidence}. {finding.remedy}" for finding in stopped]
        warned = [*told.get("warnings", ()), *warnings, *(sentences if self.check_mode else ())]
        if warned:
            told["warnings"] = warned
        if sentences and not self.check_mode:
            told |= {"failed": True, "msg": "\n".join([*filter(None, [told.get("msg", "")]), *sentences])}
        return {**told, "diff": diff_of(objects)} if self.diff_mode else told

    @staticmethod
    def judged(findings: Iterable[Finding]) -> dict[str, Any]:
        """The result of an action that looks and changes nothing."""
        found = list(findings)
        counts = Counter(finding.status for finding in found)
        return {
            "changed": False,
            "findings": [finding.to_dict() for finding in found],
            "summary": {status: counts[status] for status in STATUSES},
        }

    @abstractmethod
    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Do the one thing that this plugin is for."""


def _mistake_of_ours(error: Exception) -> dict[str, Any]:
    """A failed result for what nobody foresaw. Some of the work may be done: a second run shows what is not."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    return {
        "failed": True,
        "msg": (
            f"This is a mistake of hardening.kubernetes, not of yours: {type(error).__name__} "
            f"in {PurePath(where.filename).name}, line {where.lineno}. Run it with -vvv and report what it shows. "
            "What was done before stays done."
        ),
        "exception": "".join(traceback.format_tb(error.__traceback__)),
    }
