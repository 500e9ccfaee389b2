# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An API server as far as reading everything through it needs it."""

from __future__ import annotations

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, Request, place, status
from tests.unit.plugins.plugin_utils._encryption.fake_store import Reply

UNREADABLE = "Internal error occurred: no matching key was found for the provided Secretbox transformer"


class FakeServer:
    """One that decrypts what it gets out of etcd, and counts that; ``cached`` is what it answers without."""

    def __init__(self, api: FakeApi) -> None:
        self.api = api
        self.decrypted = 1_000
        self.errors = 3
        self.started = 1_000
        self.unreadable: set[str] = set()
        self.cached: set[str] = set()
        api.intercept = self.intercept

    def fill(self, number: int) -> None:
        for each in range(number):
            self.api.store("secrets", "shop", f"secret-{each:04}")

    def intercept(self, request: Request) -> Reply | None:
        if request.path == "/metrics":
            labels = 'resource="secrets",transformation_type="from_storage",transformer_prefix="k8s:enc:secretbox:v1:"'
            told = {"OK": self.decrypted, "Internal": self.errors}
            name = "apiserver_storage_transformation_operations_total"
            counted = "".join(f'{name}{{{labels},status="{each}"}} {value}\n' for each, value in told.items())
            return 200, f"{counted}process_start_time_seconds {self.started}\n"
        name = place(request.path).name
        if name in self.unreadable:
            return 500, status(500, "InternalError", UNREADABLE)
        if name and request.path in self.api.objects and name not in self.cached:
            self.decrypted += 1
        return None
