# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: a verdict as JUnit XML, the form in which CI servers read test results.

One ``testsuite`` a control, one ``testcase`` a finding. The file has a failure or an error if and only if the verdict
is failure, so that a CI server that reads nothing else comes to the same verdict.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._controls import CONTROLS
from ansible_collections.hardening.kubernetes.plugins.module_utils._shapes._finding import Finding, Status
from ansible_collections.hardening.kubernetes.plugins.module_utils._verdict._verdict import NOTHING_EVALUATED, Verdict

JUNIT_BEGINNING = '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="hardening.kubernetes'
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_THE_RUN = "run"
_NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write, not even escaped (production 2, Char)."""


@dataclass(frozen=True, slots=True)
class _Case:
    """A testcase: ``outcome`` is the element inside it, ``""`` for one that passed."""

    suite: str
    name: str
    outcome: str
    message: str
    text: str


def junit(verdict: Verdict, policy: str = "", time: str = "", properties: Mapping[str, str] | None = None) -> str:
    """The verdict as the text of an XML file, whatever characters its findings hold.

    ``policy`` is the policy's name, ``time`` an ISO 8601 time, ``properties`` are told of every testsuite.
    """
    cases = [*_findings(verdict), *_of_the_run(verdict)]
    name = f"hardening.kubernetes: {policy}" if policy else "hardening.kubernetes"
    root = ElementTree.Element("testsuites", {"name": _said(name), **_counts(cases)})
    for suite in dict.fromkeys(case.suite for case in cases):
        its = [case for case in cases if case.suite == suite]
        element = ElementTree.SubElement(root, "testsuite", {"name": suite, **_counts(its)})
        if time:
            element.set("timestamp", _said(time))
        _tell_properties(element, {**_promise(suite), **(properties or {})})
        for case in its:
            _tell(element, case)
    ElementTree.indent(root)
    return f"{_HEAD}{ElementTree.tostring(root, encoding='unicode')}\n"


def _findings(verdict: Verdict) -> Iterator[_Case]:
    seen: Counter[tuple[str, str]] = Counter()
    order = {control: at for at, control in enumerate(CONTROLS)}
    for at, finding in sorted(enumerate(verdict.findings), key=lambda each: order[each[1].control]):
        seen[finding.control, finding.subject] += 1
        # CI servers keep one test case of a name.
        count = seen[finding.control, finding.subject]
        name = finding.subject if count == 1 else f"{finding.subject} ({count})"
        yield _case(finding, name, at in verdict.accepted)


def _case(finding: Finding, name: str, accepted: bool) -> _Case:
    outcome = "skipped" if accepted else _OUTCOMES[finding.status]
    message = f"accepted as unknown by the policy: {finding.evidence}" if accepted else finding.evidence
    return _Case(finding.control, name, outcome, message, "\n".join(_text(finding)))


_OUTCOMES: Mapping[Status, str] = {
    "pass": "",
    "fail": "failure",
    "unknown": "error",
    "waived": "skipped",
    "not_applicable": "skipped",
}


def _text(finding: Finding) -> Iterator[str]:
    yield f"seen: {finding.evidence}"
    yield f"proof: {finding.proof}"
    if finding.remedy:
        yield f"remedy: {finding.remedy}"
    if finding.would is not None:
        yield f"expected after a run: {finding.would}"


def _of_the_run(verdict: Verdict) -> Iterator[_Case]:
    for error in verdict.errors:
        part, colon, what = error.partition(": ")
        yield _Case(_THE_RUN, part if colon else _THE_RUN, "error", what or error, error)
    if NOTHING_EVALUATED in verdict.reasons:
        yield _Case(_THE_RUN, "verdict", "error", NOTHING_EVALUATED, NOTHING_EVALUATED)


def _tell(suite: ElementTree.Element, case: _Case) -> None:
    element = ElementTree.SubElement(suite, "testcase", {"classname": case.suite, "name": _said(case.name)})
    if not case.outcome:
        ElementTree.SubElement(element, "system-out").text = _said(case.text)
        return
    outcome = ElementTree.SubElement(element, case.outcome, {"message": _said(case.message)})
    if case.outcome != "skipped":
        outcome.set("type", _TYPES[case.outcome])
    outcome.text = _said(case.text)


_TYPES: Mapping[str, str] = {"failure": "fail", "error": "unknown"}


def _tell_properties(suite: ElementTree.Element, properties: Mapping[str, str]) -> None:
    if properties:
        element = ElementTree.SubElement(suite, "properties")
        for name, value in properties.items():
            ElementTree.SubElement(element, "property", {"name": _said(name), "value": _said(value)})


def _promise(suite: str) -> dict[str, str]:
    return {"promise": CONTROLS[suite].promise} if suite in CONTROLS else {}


_COUNTED: Mapping[str, str] = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def _counts(cases: Sequence[_Case]) -> dict[str, str]:
    outcomes = Counter(case.outcome for case in cases)
    return {"tests": str(len(cases)), **{name: str(outcomes[outcome]) for name, outcome in _COUNTED.items()}}


def _said(text: str) -> str:
    """Words of a cluster's users as XML can hold them: what it has no way to write stands there by its number."""
    return _NO_CHARACTER.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
