# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the controls that it claims, and the proof that each of them asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Proof = Literal["effect", "server", "config", "none"]
PROOFS_STRONGEST_FIRST: tuple[Proof, ...] = get_args(Proof)


@dataclass(frozen=True, slots=True)
class Control:
    """A control: its id, what it promises, and the weakest proof on which it may be called ``pass``.

    Proof by ``effect``: it was tried. ``server``: the running server said so. ``config``: an object says so.
    ``none``: nothing could be seen. ``benchmarks`` are the items of published benchmarks that it decides, each as the
    benchmark with its version and the item's number, which differs between them.
    """

    id: str
    promise: str
    weakest_pass: Proof
    benchmarks: tuple[tuple[str, str], ...] = ()


CONTROLS: dict[str, Control] = {
    control.id: control
    for control in (
        Control("pod_security.enforced", "The namespace refuses pods that break its Pod Security level.", "effect"),
        Control(
            "pod_security.running_comply", "No running pod or pod template breaks the namespace's level.", "server"
        ),
        Control("pod_security.reported", "Pods that break the namespace's audit or warn level are reported.", "config"),
        Control("network.default_deny", "Traffic that no policy allows is blocked.", "effect"),
        Control("network.api_server_addresses", "Flows to the API server name its present addresses.", "config"),
        Control("network.flows", "Every declared flow names workloads that exist and ports that they have.", "config"),
        Control("resources.quota", "A pod that exceeds the namespace's quota is refused.", "effect"),
        Control(
            "resources.quota_counted",
            "The server counts, and limits, what no single pod can exceed the namespace's quota of.",
            "server",
        ),
        Control("resources.limits", "Containers get the defaults of the LimitRange, and none gets past it.", "effect"),
        Control(
            "resources.running_fit",
            "Nothing runs above a quota, and nothing would be refused at its next restart.",
            "server",
        ),
        Control("access.granted", "Everybody may do what is granted to them.", "server"),
        Control("access.denied", "Nobody may do what they must not.", "server"),
        Control(
            "access.undeclared", "Nobody has access to the policy's namespaces that it does not declare.", "server"
        ),
        Control("access.subjects", "Every service account that is named exists.", "server"),
        Control(
            "encryption.at_rest",
            "No value in etcd of what is to be encrypted is in plain text.",
            "effect",
            (("CIS 1.12", "1.2.27"),),
        ),
        Control(
            "encryption.provider",
            "Values in etcd are encrypted, and will be, by a provider that is strong enough.",
            "effect",
            (("CIS 1.12", "1.2.28"),),
        ),
        Control("encryption.stragglers", "Every value in etcd was written with the present key.", "effect"),
        Control("encryption.prefixes", "Every value in etcd is under a key that is known.", "effect"),
        Control("encryption.servers", "Every API server has loaded the same, and reads all that is in etcd.", "server"),
        Control("encryption.old_keys", "No API server reads with a key that nothing needs any more.", "server"),
        Control("encryption.plain_text", "No API server takes plain text for an encrypted value.", "server"),
        Control("encryption.finished", "No change of keys was begun and not finished.", "config"),
        Control("encryption.key_age", "The key that writes is young enough.", "config"),
        Control("encryption.keys", "Keys look drawn at random, and nothing speaks against the file.", "config"),
        Control("encryption.files", "Nobody but root reads the files with keys.", "config"),
        Control("encryption.upgrade", "The encryption outlasts the next upgrade by kubeadm.", "config"),
        Control("encryption.backups", "Every key that etcd or a backup needs lies in more than one place.", "config"),
        Control("policy.namespaces", "Every namespace that the policy names exists.", "server"),
        Control("policy.leftovers", "Nothing of the policy's set is left that the policy no longer names.", "server"),
        Control("policy.waivers", "Every waiver is in date and matches a finding.", "config"),
    )
}
