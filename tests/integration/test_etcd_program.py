# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program for nodes against a real etcd of its own, healthy and otherwise."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.hardening.kubernetes.plugins.module_utils._encryption._shapes import Key
from ansible_collections.hardening.kubernetes.plugins.module_utils._node._etcd import UNRECOGNISED

from tests.integration.own_etcd import PROGRAM, Answered, OwnEtcd, answers, encoded, free_ports, own_etcd

OLD, NEW = Key("secretbox", "k1").prefix, Key("secretbox", "k2").prefix
KMS = Key("kms_v2", "vault").prefix
SECRETS = "/registry/secrets/"


def value(prefix: str, size: int = 1200) -> bytes:
    return prefix.encode() + b"\x00\xffhunter2" * (size // 9)


def under(key_id: str) -> bytes:
    """A value of a KMS plugin: the data first, then the id of the key."""
    data, of = b"\x0a\xac\x02" + b"x" * 300, key_id.encode()
    return KMS.encode() + data + bytes([2 << 3 | 2, len(of)]) + of


@pytest.fixture(scope="module")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnEtcd]:
    """One member with a little of everything in it."""
    with own_etcd(tmp_path_factory.mktemp("etcd")) as running:
        running.put(
            {
                f"{SECRETS}default/a": value(NEW),
                f"{SECRETS}default/b": value(OLD),
                f"{SECRETS}shop/c": value(NEW),
                f"{SECRETS}shop/broken": b"password=hunter2",
                "/registry/secretsandmore/x": b"k8s\x00",
                "/registry/configmaps/default/d": b"k8s\x00hunter2",
                "/registry/example.com/widgets/w": b'{"password":"hunter2"}',
                "/registry/example.com/widgets/inner/v": under("key-1"),
                "/registry/kms/a": under("key-1"),
                "/registry/kms/b": under("key-2"),
                "/registry/kms/c": under("key-2"),
                "/registry/masterleases/10.0.0.1": b"k8s\x00",
                "/registry/masterleases/10.0.0.2": b"k8s\x00",
            }
        )
        yield running


def test_values_are_counted_by_what_they_begin_with(etcd: OwnEtcd) -> None:
    directories = [SECRETS, "/registry/configmaps/", "/registry/leases/"]
    found = etcd.ask("scan", directories=directories, prefixes=[NEW, OLD])
    assert found["counts"] == {
        SECRETS: {NEW: 2, OLD: 1, UNRECOGNISED: 1},
        "/registry/configmaps/": {"": 1},
        "/registry/leases/": {},
    }
    assert found["bytes"][SECRETS] == 3 * len(value(NEW)) + len(b"password=hunter2")
    assert found["bytes"]["/registry/leases/"] == 0
    assert found["revision"] >= 2 and found["key_ids"] == {}


def test_a_directory_in_another_one_is_counted_for_itself(etcd: OwnEtcd) -> None:
    outer = "/registry/example.com/widgets/"
    found = etcd.ask("scan", directories=[outer, f"{outer}inner/"], prefixes=[])
    assert found["counts"] == {outer: {"": 1}, f"{outer}inner/": {KMS: 1}}
    every = ["/registry/", "/registry/kms/", SECRETS, f"{outer}inner/", outer, "/registry/nothing/"]
    found = etcd.ask("scan", directories=every, prefixes=[NEW, OLD])
    assert found["counts"]["/registry/"] == {"": 4}, "configmaps, secretsandmore and the masterleases"
    assert found["counts"][outer] == {"": 1} and found["counts"]["/registry/kms/"] == {KMS: 3}


def test_the_keys_inside_a_kms_are_told_apart(etcd: OwnEtcd) -> None:
    found = etcd.ask("scan", directories=["/registry/kms/"], prefixes=[KMS], kms=[KMS])
    assert found["counts"] == {"/registry/kms/": {KMS: 3}}
    assert found["key_ids"] == {"/registry/kms/": {KMS: {"key-1": 1, "key-2": 2}}}


def test_a_scan_sees_one_revision(etcd: OwnEtcd) -> None:
    before = etcd.ask("scan", directories=[SECRETS], prefixes=[NEW, OLD])
    etcd.put({f"{SECRETS}later/{at}": value(OLD) for at in range(10)})
    again = etcd.ask("scan", directories=[SECRETS], prefixes=[NEW, OLD], revision=before["revision"])
    now = etcd.ask("scan", directories=[SECRETS], prefixes=[NEW, OLD])
    etcd.post(
        "kv/deleterange",
        {"key": encoded(b"/registry/secrets/later/"), "range_end": encoded(b"/registry/secrets/later0")},
    )
    assert again == before
    assert now["counts"][SECRETS][OLD] == before["counts"][SECRETS][OLD] + 10 and now["revision"] > before["revision"]


def test_what_one_value_begins_with(etcd: OwnEtcd) -> None:
    assert etcd.ask("prefix_at", key=f"{SECRETS}default/a", prefixes=[NEW]) == NEW
    assert etcd.ask("prefix_at", key="/registry/configmaps/default/d", prefixes=[NEW]) == ""
    assert etcd.ask("prefix_at", key=f"{SECRETS}default/absent", prefixes=[NEW]) is None


def test_api_servers_are_known_by_their_leases(etcd: OwnEtcd) -> None:
    assert etcd.ask("servers") == etcd.ask("servers", etcd_prefix="registry/") == ["10.0.0.1", "10.0.0.2"]
    assert etcd.ask("servers", etcd_prefix="/other") == []


def test_a_member_says_how_it_is(etcd: OwnEtcd) -> None:
    said = etcd.ask("status")
    (member,) = said["members"]
    assert said["member"] == said["leader"] == member["id"]
    assert member == {"id": said["member"], "name": "m0", "learner": False, "endpoints": etcd.endpoints}
    assert said["version"].startswith("3.") and said["quota"] == 2 << 30 and said["alarms"] == []
    assert said["db_size"] >= said["db_in_use"] > 0 and said["raft_applied"] <= said["raft_index"]
    assert said["member"] in etcd.etcdctl("member", "list").stdout


def test_no_value_is_given_out(etcd: OwnEtcd) -> None:
    reach = {"etcd": etcd.reach}
    told = answers(
        [
            ("scan", {**reach, "directories": ["/registry/"], "prefixes": [NEW], "kms": [KMS]}),
            ("prefix_at", {**reach, "key": f"{SECRETS}shop/broken", "prefixes": []}),
            ("status", reach),
        ]
    )
    assert [*told[0]] == ["result"] and len(told) == 3 and "hunter2" not in json.dumps(told)


def test_after_a_refusal_nothing_more_is_done(etcd: OwnEtcd) -> None:
    reach = {"etcd": etcd.reach}
    refused, *more = answers([("prefix_at", {**reach, "key": "", "prefixes": []}), ("status", reach)])
    assert refused["refused"]["kind"] == "failed" and "key is not provided" in refused["refused"]["told"] and not more
    (mistaken,) = answers([("scan", {**reach, "directories": None, "prefixes": []})])
    assert mistaken["refused"]["kind"] == "mistake"


def test_a_revision_that_was_compacted_is_refused_as_such(etcd: OwnEtcd) -> None:
    with pytest.raises(Answered, match="compacted away") as refused:
        etcd.ask("scan", directories=[SECRETS], prefixes=[], revision=etcd.ask("compact") - 1)
    assert refused.value.kind == "compacted"


def test_to_compact_twice_is_to_compact_once(etcd: OwnEtcd) -> None:
    revision = etcd.put({"/registry/other": b"k8s\x00"})
    assert etcd.ask("compact") == etcd.ask("compact", revision=revision) == revision


def test_what_was_overwritten_is_gone_after_a_defragmentation(etcd: OwnEtcd) -> None:
    mark = b"k8s\x00the-former-value"
    etcd.put({"/registry/configmaps/default/former": mark * 50})
    etcd.put({"/registry/configmaps/default/former": value(NEW)})
    database = etcd.members[0].folder / "member/snap/db"
    time.sleep(0.5)
    assert mark in database.read_bytes()
    etcd.ask("compact")
    sizes = etcd.ask("defragment")
    assert mark not in database.read_bytes() and 0 < sizes["after"] <= sizes["before"]
    assert etcd.ask("prefix_at", key="/registry/configmaps/default/former", prefixes=[NEW]) == NEW


def test_a_snapshot_is_whole_and_private(etcd: OwnEtcd, tmp_path: Path) -> None:
    path = tmp_path / "snapshots" / "a.db"
    path.parent.mkdir()
    (path.parent / ".hardening-0123456789abcdef").write_bytes(b"x")
    made = etcd.ask("snapshot", path=str(path))
    assert [each.name for each in path.parent.iterdir()] == ["a.db"]
    assert path.stat().st_mode & 0o777 == 0o600 and path.stat().st_size == made["bytes"]
    told = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout
    assert made["hash"] == f"sha256:{told.split()[0]}"
    assert made["bytes"] % 512 == 32, "pages of the database and the checksum that etcdutl restores by"
    assert made["revision"] == etcd.ask("status")["revision"]
    with pytest.raises(Answered, match="is there already"):
        etcd.ask("snapshot", path=str(path))


@pytest.mark.parametrize("python", ["3.8", "3.13"])
def test_old_and_new_pythons_will_do(etcd: OwnEtcd, python: str) -> None:
    found = subprocess.run(
        [f"python{python}", "-c", "import sys; print(sys.executable)"], capture_output=True, text=True, check=False
    )
    interpreter = found.stdout.strip() if found.returncode == 0 else sys.executable
    (answer,) = answers([("scan", {"etcd": etcd.reach, "directories": [SECRETS], "prefixes": [NEW]})], interpreter)
    assert answer["result"]["counts"][SECRETS][NEW] == 2


def test_the_next_endpoint_is_asked_where_one_is_down(etcd: OwnEtcd) -> None:
    reach = {**etcd.reach, "endpoints": ["https://127.0.0.1:1", *etcd.endpoints]}
    assert etcd.ask("status", etcd=reach)["members"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"endpoints": ["https://127.0.0.1:1"]}, "refused"),
        ({"endpoints": []}, "no etcd server is named"),
        ({"endpoints": ["unix://kine.sock"]}, "not etcd's HTTP"),
        ({"ca": ""}, "CERTIFICATE_VERIFY_FAILED"),
        ({"certificate": "/nowhere.crt"}, "cannot be read on this node: .*/nowhere.crt"),
        ({"certificate": "", "key": ""}, "TLS|closed"),
    ],
)
def test_what_is_in_the_way_is_told(etcd: OwnEtcd, change: dict[str, object], told: str) -> None:
    with pytest.raises(Answered, match=told) as refused:
        etcd.ask("status", etcd={**etcd.reach, **change}, patience=0)
    assert refused.value.kind in ("unreachable", "gateway_off")


def test_a_gateway_that_is_off(tmp_path: Path) -> None:
    with own_etcd(tmp_path, flags=["--enable-grpc-gateway=false"]) as etcd:
        with pytest.raises(Answered, match="--enable-grpc-gateway=true") as refused:
            etcd.ask("scan", directories=[SECRETS], prefixes=[])
        assert refused.value.kind == "gateway_off"


def test_an_address_where_only_grpc_is_spoken(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with own_etcd(tmp_path, flags=[f"--listen-client-http-urls=https://127.0.0.1:{port}"]) as etcd:
        with pytest.raises(Answered, match="gRPC alone"):
            etcd.ask("status", patience=0)
        assert etcd.ask("status", etcd={**etcd.reach, "endpoints": [f"https://127.0.0.1:{port}"]})["members"]


def test_etcds_own_access_control(tmp_path: Path) -> None:
    with own_etcd(tmp_path) as etcd:
        etcd.put({f"{SECRETS}default/a": value(NEW)})
        for step in (
            ["user", "add", "root", "--no-password"],
            ["user", "grant-role", "root", "root"],
            ["auth", "enable"],
        ):
            etcd.etcdctl(*step)
        nameless = {"certificate": str(etcd.pki / "nameless.crt"), "key": str(etcd.pki / "nameless.key")}
        for reach in (etcd.reach, {**etcd.reach, **nameless}):
            with pytest.raises(Answered, match="access control is on") as of_scan:
                etcd.ask("scan", etcd=reach, directories=[SECRETS], prefixes=[])
            with pytest.raises(Answered, match="access control is on") as of_status:
                etcd.ask("status", etcd=reach)
            assert of_scan.value.kind == of_status.value.kind == "auth_on"


def test_a_database_that_is_full(tmp_path: Path) -> None:
    with own_etcd(tmp_path, flags=["--quota-backend-bytes=2000000"]) as etcd:
        filled = 0
        while etcd.etcdctl("put", f"{SECRETS}default/{filled}", "x" * 100_000, check=False).returncode == 0:
            filled += 1
        said = etcd.ask("status")
        assert said["alarms"] == ["NOSPACE"] and said["quota"] == 2_000_000
        found = etcd.ask("scan", directories=[SECRETS], prefixes=[NEW])
        assert found["counts"] == {SECRETS: {UNRECOGNISED: filled}}
        assert etcd.ask("compact") and etcd.ask("defragment")


def test_members_and_a_change_of_leader(tmp_path: Path) -> None:
    with own_etcd(tmp_path, members=3) as etcd:
        etcd.put({f"{SECRETS}default/{at}": value(NEW) for at in range(500)})
        said = [etcd.ask("status", etcd={**etcd.reach, "endpoints": [each]}) for each in etcd.endpoints]
        assert len({each["member"] for each in said}) == 3 and len({each["leader"] for each in said}) == 1
        leader = next(at for at, each in enumerate(said) if each["member"] == each["leader"])
        etcd.members[leader].stop()
        found = etcd.ask("scan", directories=[SECRETS], prefixes=[NEW])
        assert found["counts"] == {SECRETS: {NEW: 500}}
        with pytest.raises(Answered, match="does not answer"):
            etcd.ask("status", etcd={**etcd.reach, "endpoints": [etcd.endpoints[leader]]}, patience=0)


def test_large_values_take_pages_that_are_small(etcd: OwnEtcd) -> None:
    """Between small values lie some of a megabyte, as those of Helm; memory is that of some of them."""
    small = {f"/registry/mixed/a{at:04}": value(OLD, 200) for at in range(1000)}
    large = {f"/registry/mixed/b{at:04}": value(NEW, 1_000_000) for at in range(20)}
    etcd.put(small)
    etcd.put(large)
    call = json.dumps([("scan", {"etcd": etcd.reach, "directories": ["/registry/mixed/"], "prefixes": [OLD, NEW]})])
    peak = "import resource\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    code = f"{PROGRAM.read_text()}\nanswer({call!r})\n{peak}"
    ran = subprocess.run([sys.executable, "-I", "-"], input=code, capture_output=True, text=True, check=True)
    *_noise, answer, kibibytes = ran.stdout.splitlines()
    assert f'"{OLD}": 1000, "{NEW}": 20' in answer
    assert int(kibibytes) < 150 * 1024


def test_ten_thousand_values_take_a_moment(etcd: OwnEtcd) -> None:
    etcd.put({f"/registry/many/{at:05}": value(NEW) for at in range(10_000)})
    began = time.monotonic()
    found = etcd.ask("scan", directories=["/registry/many/"], prefixes=[NEW])
    assert found["counts"] == {"/registry/many/": {NEW: 10_000}}
    assert time.monotonic() - began < 3
