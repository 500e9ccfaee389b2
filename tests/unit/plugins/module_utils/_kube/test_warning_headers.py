# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._warnings import warning_texts

CASES = {
    "one": (['299 - "unknown field \\"a\\""'], ('unknown field "a"',)),
    "commas belong to the text": (
        ['299 - "pod: allowPrivilegeEscalation != false, runAsNonRoot != true"'],
        ("pod: allowPrivilegeEscalation != false, runAsNonRoot != true",),
    ),
    "several in one header": (['299 - "first, with comma", 299 - "second"'], ("first, with comma", "second")),
    "several headers": (['299 - "first"', '299 - "second"'], ("first", "second")),
    "each once": (['299 - "same"', '299 - "same"'], ("same",)),
    "an agent and a date": (['299 kube-apiserver "text" "Sun, 22 Nov 2026 00:00:00 GMT"'], ("text",)),
    "a backslash": (['299 - "a \\\\ b"'], ("a \\ b",)),
    "nothing that is one": (["nonsense"], ()),
    "none": ([], ()),
}


@pytest.mark.parametrize(("headers", "texts"), CASES.values(), ids=CASES)
def test_warnings_are_parsed_by_their_quotes(headers: list[str], texts: tuple[str, ...]) -> None:
    assert warning_texts(headers) == texts
