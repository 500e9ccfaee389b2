# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the controls of Pod Security, and what to do where they fail."""

from __future__ import annotations

ENFORCED = "pod_security.enforced"
REPORTED = "pod_security.reported"
RUNNING_COMPLY = "pod_security.running_comply"
SET_LABELS = "Set the labels: run the role pod_security in enforce mode."
LIFT_EXEMPTION = (
    "Take the namespace and the user out of the exemptions of PodSecurity in the API server's AdmissionConfiguration "
    "(--admission-control-config-file), and PodSecurity out of --disable-admission-plugins."
)
MEND = "Mend the pod template so that it meets the level, or give its namespace a looser one."
REACH_ALL = "Run this where every API server can be reached at its own address, or accept this unknown by name."
MAY_CREATE = (
    "Let this user create pods in the namespace: the pods of this check are dry runs, nothing is stored, "
    "and RBAC has no smaller permission for it."
)
