# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, cast

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._kube._client import Answer, Client
from ansible_collections.hardening.kubernetes.plugins.plugin_utils._encryption._evidence import evidence, evidence_of

OPERATIONS = "apiserver_storage_transformation_operations_total"
METRICS = f"""\
# HELP process_start_time_seconds [STABLE] Start time of the process since unix epoch in seconds.
# TYPE process_start_time_seconds gauge
process_start_time_seconds 1.79536306222e+09
apiserver_encryption_config_controller_automatic_reload_last_timestamp_seconds{{apiserver_id_hash="sha256:ab",status="failure"}} 1.79536350000e+09
apiserver_encryption_config_controller_automatic_reload_last_timestamp_seconds{{apiserver_id_hash="sha256:ab",status="success"}} 1.79536340000e+09
apiserver_encryption_config_controller_automatic_reloads_total{{apiserver_id_hash="sha256:ab",status="failure"}} 1
apiserver_encryption_config_controller_automatic_reloads_total{{apiserver_id_hash="sha256:ab",status="success"}} 2
apiserver_encryption_config_controller_last_config_info{{apiserver_id_hash="sha256:ab",hash="sha256:cd"}} 1
kubernetes_build_info{{build_date="",git_version="v1.36.3",major="1",minor="36"}} 1
process_start_time_seconds_of_somebody_else 5
apiserver_request_total{{code="200",resource="secrets"}} 7
{OPERATIONS}{{resource="secrets",status="OK",transformation_type="from_storage",transformer_prefix="k8s:enc:secretbox:v1:"}} 40
{OPERATIONS}{{resource="secrets",status="OK",transformation_type="from_storage",transformer_prefix="identity"}} 2
{OPERATIONS}{{resource="secrets",status="OK",transformation_type="from_storage",transformer_prefix="k1:"}} 40
{OPERATIONS}{{resource="secrets",status="OK",transformation_type="from_storage",transformer_prefix="identity-2:"}} 40
{OPERATIONS}{{resource="secrets",status="unknown-non-grpc",transformation_type="from_storage",transformer_prefix="unknown"}} 3
{OPERATIONS}{{resource="secrets",status="OK",transformation_type="to_storage",transformer_prefix="k8s:enc:secretbox:v1:"}} 5
{OPERATIONS}{{resource="configmaps",status="OK",transformation_type="to_storage",transformer_prefix="identity"}} 1
"""  # noqa: E501


def test_a_server_says_what_it_has_loaded_and_what_it_did_with_it() -> None:
    told = evidence_of(METRICS, 1_795_363_460)
    assert (told.loaded, told.identity, told.version) == ("sha256:cd", "sha256:ab", "v1.36.3")
    assert (told.started_at, told.reloaded_at, told.failed_at) == (1795363062.22, 1795363400, 1795363500)
    assert (told.reload_success, told.reload_failure) == (2, 1)
    assert told.from_storage == {"secrets": 42}
    assert told.from_storage_errors == 3
    assert told.to_storage == {"secrets": {"k8s:enc:secretbox:v1:": 5}, "configmaps": {"identity": 1}}


def test_it_is_unchanged_since_its_start_or_its_last_reload() -> None:
    assert evidence_of(METRICS, 1_795_363_460).unchanged_for == 60
    assert evidence_of("process_start_time_seconds 100\n", 130).unchanged_for == 30


def test_nobody_knows_for_how_long_it_is_unchanged_where_it_does_not_tell_the_time() -> None:
    assert evidence_of(METRICS).unchanged_for == 0
    assert evidence_of("", 130).unchanged_for == 0


def test_a_kms_uses_the_key_that_it_named_last() -> None:
    name = "apiserver_envelope_encryption_key_id_hash_status_last_timestamp_seconds"
    text = "".join(
        f'{name}{{apiserver_id_hash="sha256:ab",key_id_hash="sha256:{key}",provider_name="{plugin}"}} {at}\n'
        for plugin, key, at in (("vault", "old", 1.7e9), ("vault", "new", 1.8e9), ("cloud", "one", 1.75e9))
    )
    assert evidence_of(text).kms_key_ids == {"vault": "sha256:new", "cloud": "sha256:one"}


def test_a_server_without_encryption_has_loaded_nothing() -> None:
    told = evidence_of("process_start_time_seconds 100\n", 130)
    assert (told.loaded, told.from_storage, told.to_storage) == (None, {}, {})


FAILS = "[+]ping ok\n[-]etcd failed: reason withheld\n[-]poststarthook/start failed: not finished\n"


@pytest.mark.parametrize(
    ("status", "body", "ready", "unready"),
    [
        (200, "ok", True, ()),
        (403, "", True, ()),
        (500, FAILS, False, ("etcd", "poststarthook/start")),
        (503, "", False, ()),
    ],
)
def test_a_server_that_is_not_ready_tells_its_checks_and_a_user_who_may_not_ask_is_told_nothing(
    status: int, body: str, ready: bool, unready: tuple[str, ...]
) -> None:
    class Server:
        def request(self, _method: str, path: str, **_more: Any) -> Answer:
            return Answer(status, body) if path == "/readyz" else Answer(200, METRICS)

        def checked(self, answer: Answer) -> Answer:
            return answer

    told = evidence(cast(Client, Server()))
    assert (told.ready, told.unready) == (ready, unready)
