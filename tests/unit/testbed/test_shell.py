# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from tests.testbed import shell
from tests.testbed.errors import SetupError

TRACE = """\
error execution phase preflight: port 6443 is in use
k8s.io/kubernetes/cmd/kubeadm/app/cmd/phases/workflow.(*Runner).Run.func1
\tk8s.io/kubernetes@v1.36.3/cmd/kubeadm/app/cmd/phases/workflow/runner.go:260
main.main
\tk8s.io/kubernetes@v1.36.3/cmd/kubeadm/kubeadm.go:25
runtime.goexit
\truntime/asm_amd64.s:1771
"""


def test_the_error_above_a_stack_trace_is_told() -> None:
    assert shell.last_words(TRACE) == ["error execution phase preflight: port 6443 is in use"]
    with pytest.raises(SetupError, match="port 6443 is in use$"):
        shell.run(["sh", "-c", "cat >&2; exit 1"], text=TRACE)


def test_only_the_last_lines_are_told() -> None:
    lines = [str(number) for number in range(shell.LAST_LINES + 5)]
    assert shell.last_words("\n".join(lines)) == lines[5:]


def test_a_command_that_says_nothing_has_no_last_words() -> None:
    assert shell.last_words("") == []
