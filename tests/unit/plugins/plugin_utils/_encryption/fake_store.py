# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An API server's store as far as rewriting needs it: which key wrote each object, and what happens meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.unit.plugins.module_utils._kube.fake_api import FakeApi, Request, place, status

Reply = tuple[int, dict[str, Any] | str]


@dataclass(slots=True)
class FakeStore:
    """Secrets of which the ``stale`` ones are written when somebody patches them, as a server with a new key does it.

    ``meanwhile`` may answer a request itself, or change what is stored before it is answered.
    """

    api: FakeApi
    stale: set[str] = field(default_factory=set)
    patches: list[dict[str, Any]] = field(default_factory=list)
    meanwhile: Callable[[Request], Reply | None] = lambda _request: None
    expire_after: int = 10**9

    def fill(self, number: int, namespace: str = "shop") -> None:
        """Make so many stale secrets."""
        for each in range(number):
            self.stale.add(self.path(each, namespace))
            self.api.store("secrets", namespace, f"secret-{each:06}")

    @staticmethod
    def path(number: int, namespace: str = "shop") -> str:
        return f"/api/v1/namespaces/{namespace}/secrets/secret-{number:06}"

    def write(self, path: str) -> None:
        """Somebody else writes an object anew."""
        obj = self.api.objects[path]
        self.api.store("secrets", obj["metadata"]["namespace"], obj["metadata"]["name"])
        self.api.objects[path]["metadata"]["uid"] = obj["metadata"]["uid"]
        self.stale.discard(path)

    def intercept(self, request: Request) -> Reply | None:
        if answer := self.meanwhile(request):
            return answer
        if request.method == "PATCH":
            return self._patched(request.path, self.api.bodies[-1])
        if not place(request.path).name and request.query.get("continue", "").isdigit() and self.expire_after <= 0:
            self.expire_after = 10**9
            anew = {"continue": f"{request.query['continue']}-anew"}
            return 410, {**status(410, "Expired", "The provided continue parameter is too old"), "metadata": anew}
        if not place(request.path).name:
            self.expire_after -= 1
            request.query["continue"] = request.query.get("continue", "0").partition("-")[0]
        return None

    def _patched(self, path: str, body: dict[str, Any]) -> Reply:
        self.patches.append(body)
        live = self.api.objects.get(path)
        if live is None:
            return 404, status(404, "NotFound", f'secrets "{path}" not found')
        if body["metadata"]["resourceVersion"] != live["metadata"]["resourceVersion"]:
            return 409, status(409, "Conflict", "the object has been modified; please apply your changes to the latest")
        if path in self.stale:
            self.write(path)
        return 200, {"kind": "PartialObjectMetadata", "metadata": self.api.objects[path]["metadata"]}
