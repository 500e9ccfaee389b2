#!/usr/bin/python
# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: summary
short_description: Judge all findings of a run, show them, and write them to a file
version_added: 1.0.0
description:
  - Applies waivers to findings and comes to a verdict.
  - The verdict is success only if at least one control was evaluated and every finding passes, is not applicable or is
    validly waived. An unknown finding fails too, unless O(accept_unknown) names it.
  - Shows a table on the terminal, a row for each control, then each failure with its evidence and its remedy.
  - Fails where the verdict is failure. In check mode it only tells which verdict is expected after a run, and fails
    where a part of the run itself failed.
author:
  - hardening.kubernetes contributors (@hardening-kubernetes)
options:
  state:
    description:
      - With V(judged), judges the findings.
      - V(begun) is for the beginning of a run. It removes the report of an earlier run, so that nobody takes that for
        the report of a run that ends early, and fails where O(report) cannot be written or is another file. The same
        goes for O(junit).
    type: str
    choices: [begun, judged]
    default: judged
  findings:
    description:
      - The findings, as modules and roles of this collection return them.
      - Required with O(state=judged).
    type: list
    elements: dict
  parts:
    description:
      - What the run was to judge. Each of these without a finding of its own is a failure, like one of O(errors).
    type: list
    elements: str
    choices: [pod_security, resource_limits, network_policies, rbac, encryption_at_rest]
    default: []
  waivers:
    description:
      - Failures that somebody answers for until a day, each with C(control), C(subject) or C(subject_glob), C(reason),
        C(owner) and C(expires).
      - A waiver holds to the end of the day C(expires), in UTC.
      - In C(subject_glob), a C(*) reaches as far as the next C(/).
      - One that has expired, and one that matches no finding, is a failure of the control C(policy.waivers).
    type: list
    elements: dict
    default: []
  accept_unknown:
    description:
      - Controls whose status may be unknown, as C(control) or C(control subject).
      - One that matches no finding is a failure of the control C(policy.waivers).
    type: list
    elements: str
    default: []
  errors:
    description:
      - Parts of the run that failed, each with what happened. Each makes the verdict failure.
    type: list
    elements: str
    default: []
  about:
    description:
      - What to write into the report beside the verdict, like the name of the policy.
    type: dict
    default: {}
  report:
    description:
      - The JSON file to write. It is replaced as a whole, and only its owner may read it. With O(state=begun), it or
        O(junit) is required.
      - It is output like a log, not state, so that it is written in check mode too, and is never a change.
    type: path
  junit:
    description:
      - The JUnit XML file to write, in the same way. It is what CI servers show.
      - It has a testsuite for each control and a testcase for each finding, with the control as C(classname) and the
        subject as C(name). A finding that fails is a failure, one that is unknown an error, one that is waived, not
        applicable or accepted as unknown is skipped, with the reason. A part of the run that failed is an error.
    type: path
  only:
    description:
      - What the run is limited to, names and globs of namespaces. It is told beside the verdict and in the reports.
      - A waiver, or an entry of O(accept_unknown), that matches no finding may be about other namespaces, and is then
        not judged.
    type: list
    elements: str
    default: []
  canary:
    description:
      - The namespaces that the run works on first.
    type: list
    elements: str
    default: []
  stage:
    description:
      - With V(canary), the findings are those of O(canary) alone. Where these are in order, one line says so and no
        report is written, since the run goes on. Where they are not, the task fails and says that nothing else was
        touched.
    type: str
    choices: [canary, whole]
    default: whole
attributes:
  action:
    description: Runs on the controller alone.
    support: full
  check_mode:
    description: Tells the verdict, and fails only where a part of the run failed.
    support: full
  diff_mode:
    description: Returns what changed.
    support: none
seealso:
  - module: hardening.kubernetes.policy
"""

EXAMPLES = r"""
- name: Make room for the report
  hardening.kubernetes.summary:
    state: begun
    report: hardening-report.json
    junit: hardening-report.xml

- name: Judge what the roles have found
  hardening.kubernetes.summary:
    findings: "{{ pod_security_findings + network_policies_findings }}"
    waivers:
      - control: pod_security.running_comply
        subject: DaemonSet/monitoring/node-exporter
        reason: reads the host's metrics by design
        owner: platform team
        expires: "2027-03-01"
    report: hardening-report.json
    junit: hardening-report.xml
"""

RETURN = r"""
report:
  description: The file that has all findings, empty where none was asked for or it could not be written.
  returned: when O(state=judged)
  type: str
verdict:
  description: The verdict.
  returned: when O(state=judged)
  type: dict
  contains:
    success:
      description: Whether nothing speaks against the cluster as it is.
      type: bool
      returned: always
    reasons:
      description: What speaks against it.
      type: list
      elements: str
      returned: always
      sample: [2 findings fail]
    counts:
      description: How many findings have which status.
      type: dict
      returned: always
    would:
      description: C(success) and C(reasons) as expected after a run.
      type: dict
      returned: in check mode
"""
