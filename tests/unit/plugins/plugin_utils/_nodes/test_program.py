# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is sent to a node's Python, whichever it is, and what is read of what comes back."""

from __future__ import annotations

import subprocess
import sys
from json import JSONDecodeError

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._errors import HardeningError
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._nodes import _program

ECHO = """
import json, sys
def answer(text):
    sys.stdout.write("hardening.kubernetes:" + json.dumps([{"result": each} for each in json.loads(text)]) + "\\n")
"""
EVERYBODY = range(2**16)


def _run(program: str, *calls: _program.Call) -> bytes:
    sent = _program.sent(program, calls, seconds=60, users=EVERYBODY)
    return subprocess.run([sys.executable, *_program.ARGUMENTS], input=sent, capture_output=True, check=True).stdout


@pytest.mark.parametrize("said", ["plain", "'\"\\\n\r\0", "ключ 鍵 🗝", "\udcff", "{seconds} {{text}} %s"])
def test_any_text_arrives_as_it_is(said: str) -> None:
    assert _program.answers(_run(ECHO, ("echo", {"said": said}))) == [{"result": ["echo", {"said": said}]}]


def test_what_is_sent_is_ascii_and_ends_with_what_to_do() -> None:
    """Cut off anywhere, it does nothing."""
    sent = _program.sent(ECHO, [("echo", {"key": "ключ"})], seconds=60)
    assert sent.isascii()
    assert sent.rstrip().splitlines()[-1].startswith(b"_program.answer(")
    for end in (len(sent) - 2, len(sent) - 40, len(sent) // 2, 300):
        done = subprocess.run([sys.executable, *_program.ARGUMENTS], input=sent[:end], capture_output=True, check=False)
        assert _program.answers(done.stdout) is None


def test_a_python_that_is_too_old_reads_far_enough_to_say_so() -> None:
    sent = _program.sent("this is no Python", [], seconds=60).decode("ascii")
    old = sent.replace("import sys\n", "import sys\nsys.version_info = (3, 6)\n", 1)
    done = subprocess.run([sys.executable, *_program.ARGUMENTS], input=old.encode(), capture_output=True, check=True)
    [answer] = _program.answers(done.stdout) or []
    assert answer["refused"]["kind"] == "python"
    assert "ansible_python_interpreter" in answer["refused"]["told"]


def test_noise_before_the_answer_is_passed_over() -> None:
    out = b"Welcome!\nBECOME-SUCCESS-abc\nhardening.kubernetes:[]\n"
    assert _program.answers(out) == []
    assert _program.answers(b"Welcome!\n") is None


def test_an_answer_that_is_cut_off_is_an_error() -> None:
    with pytest.raises(JSONDecodeError):
        _program.answers(b'hardening.kubernetes:[{"result": ')


def test_a_program_that_is_missing_is_told() -> None:
    with pytest.raises(HardeningError, match="Install it again"):
        _program.source("_nothing")
