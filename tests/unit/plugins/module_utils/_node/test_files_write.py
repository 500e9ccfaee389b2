# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writing files of a node: what is replaced is named, all or nothing, and a kill leaves nothing half done."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.unit.plugins.module_utils._node.node import SOURCE, Node, file, hash_of, told, until

BEFORE_PUT = "\n_put_file = _put\ndef _put(path, temporary):\n"
"""Put behind the program's source: what happens before a file is put into its place."""


@pytest.fixture
def node(tmp_path: Path) -> Node:
    node = Node(tmp_path)
    node.call("take", run="one", holder="me", seconds=600)
    return node


@pytest.fixture
def keys(node: Node) -> Path:
    return node.folder / "kubernetes" / "encryption" / "configuration.json"


@pytest.fixture
def manifest(node: Node) -> Path:
    manifests = node.folder / "kubernetes" / "manifests"
    manifests.mkdir()
    path = manifests / "kube-apiserver.yaml"
    path.write_bytes(b"old")
    return path


def _leftovers(node: Node) -> list[str]:
    return sorted(str(path.relative_to(node.folder)) for path in node.folder.rglob(".hardening-*"))


def test_new_files_and_folders_are_closed_to_others(node: Node, keys: Path) -> None:
    [written] = node.call("write", run="one", files=[file(keys, b"new")])
    assert written == {"path": str(keys), "hash": hash_of(b"new"), "written": True}
    assert keys.read_bytes() == b"new"
    assert [oct(path.stat().st_mode & 0o777) for path in (keys.parent, keys)] == ["0o700", "0o600"]
    assert _leftovers(node) == []


def test_a_file_is_replaced_only_if_it_is_the_one_that_was_named(node: Node, keys: Path) -> None:
    node.call("write", run="one", files=[file(keys, b"first")])
    for replaces in (None, b"another"):
        refused = node.refused("write", run="one", files=[file(keys, b"second", replaces=replaces)])
        assert refused["kind"] == "changed" and str(keys) in refused["told"]
    missing = keys.with_name("missing")
    assert node.refused("write", run="one", files=[file(missing, b"x", replaces=b"y")])["kind"] == "changed"
    assert keys.read_bytes() == b"first" and not missing.exists()
    node.call("write", run="one", files=[file(keys, b"second", replaces=b"first")])
    assert keys.read_bytes() == b"second"


def test_nothing_is_written_when_one_of_several_has_changed(node: Node, keys: Path, manifest: Path) -> None:
    files = [file(keys, b"new"), file(manifest, b"new", replaces=b"what was never there")]
    assert node.refused("write", run="one", files=files)["kind"] == "changed"
    assert not keys.exists() and manifest.read_bytes() == b"old"


def test_the_same_call_again_does_nothing(node: Node, keys: Path, manifest: Path) -> None:
    """Its answer may have been lost on the way."""
    gone = keys.with_name("gone")
    node.call("write", run="one", files=[file(gone, b"gone")])
    files = [
        file(keys, b"new"),
        file(manifest, b"new", replaces=b"old"),
        file(gone, None, replaces=b"gone"),
    ]
    assert [each["written"] for each in node.call("write", run="one", files=files)] == [True, True, True]
    inode = keys.stat().st_ino
    assert [each["written"] for each in node.call("write", run="one", files=files)] == [False, False, False]
    assert keys.stat().st_ino == inode and not gone.exists()


def test_a_mode_alone_is_put_right(node: Node, keys: Path) -> None:
    node.call("write", run="one", files=[file(keys, b"new", mode="0640")])
    assert keys.stat().st_mode & 0o777 == 0o640
    [written] = node.call("write", run="one", files=[file(keys, b"new", replaces=b"new", mode="0600")])
    assert written["written"] and keys.stat().st_mode & 0o777 == 0o600


def test_a_removal_names_what_it_removes(node: Node, keys: Path) -> None:
    node.call("write", run="one", files=[file(keys, b"new")])
    assert node.refused("write", run="one", files=[file(keys, None, replaces=b"old")])["kind"] == "changed"
    [removed] = node.call("write", run="one", files=[file(keys, None, replaces=b"new")])
    assert removed == {"path": str(keys), "hash": None, "written": True}
    assert not keys.exists()


def test_nothing_ever_lies_beside_a_manifest(node: Node, manifest: Path) -> None:
    seen = node.folder / "seen"
    look = f"    open({str(seen)!r}, 'a').write(' '.join(os.listdir(os.path.dirname(path))) + ';')\n"
    source = SOURCE + BEFORE_PUT + look + "    _put_file(path, temporary)\n"
    [answer] = node.answers(
        ("write", {"run": "one", "files": [file(manifest, b"new", b"old")], "state": str(node.state)}), source=source
    )
    assert answer["result"][0]["written"]
    assert seen.read_text(encoding="ascii") == "kube-apiserver.yaml;"
    assert manifest.read_bytes() == b"new"


@pytest.mark.parametrize("name", ["lock", "lock.flock", "watch.json"])
def test_what_the_program_itself_keeps_is_not_written(node: Node, name: str) -> None:
    assert node.refused("write", run="one", files=[file(node.state / name, b"x")])["kind"] == "mistake"


@pytest.mark.parametrize("path", ["relative", "/tmp/../etc/x", "/tmp//x", "/tmp/x/"])
def test_paths_that_do_not_say_plainly_where_are_refused(node: Node, path: str) -> None:
    refused = node.refused("write", run="one", files=[{**file(Path("/"), b"x"), "path": path}])
    assert refused["kind"] == "mistake"


def test_a_link_is_neither_followed_nor_replaced(node: Node, keys: Path) -> None:
    keys.parent.mkdir(mode=0o700)
    other = node.folder / "other"
    other.write_bytes(b"other")
    keys.symlink_to(other)
    for replaces in (None, b"other"):
        assert node.refused("write", run="one", files=[file(keys, b"x", replaces)])["kind"] == "not_a_file"
    keys.unlink()
    keys.symlink_to(node.folder / "nowhere")
    assert node.refused("write", run="one", files=[file(keys, b"x")])["kind"] == "not_a_file"
    assert other.read_bytes() == b"other" and keys.is_symlink()


def test_a_folder_that_is_a_link_leads_to_where_it_points(node: Node, keys: Path) -> None:
    """As where /etc/kubernetes lies on another disk."""
    real = node.folder / "real"
    real.mkdir(mode=0o700)
    keys.parent.symlink_to(real)
    node.call("write", run="one", files=[file(keys, b"new")])
    assert (real / keys.name).read_bytes() == b"new"


def test_a_folder_that_others_may_write_to_is_refused(node: Node, keys: Path) -> None:
    keys.parent.mkdir()
    keys.parent.chmod(0o777)
    refused = node.refused("write", run="one", files=[file(keys, b"new")])
    assert refused["kind"] == "unsafe" and "chmod 0700" in refused["told"]
    assert list(keys.parent.iterdir()) == []


def test_a_file_in_the_way_of_a_folder_is_told(node: Node, keys: Path) -> None:
    keys.parent.write_bytes(b"")
    assert node.refused("write", run="one", files=[file(keys, b"new")])["kind"] == "not_a_directory"


def _failing(error: str, path: Path) -> str:
    """The program, in which putting this file into its place fails."""
    fails = f"    if path == {str(path)!r} and temporary and not os.path.exists({str(path) + '.failed'!r}):\n"
    fails += f"        open({str(path) + '.failed'!r}, 'w').close()\n"
    fails += f"        raise OSError(errno.{error}, os.strerror(errno.{error}), path)\n"
    return SOURCE + BEFORE_PUT + fails + "    _put_file(path, temporary)\n"


def test_what_fails_in_the_middle_is_undone(node: Node, keys: Path, manifest: Path) -> None:
    last = keys.with_name("last")
    node.call("write", run="one", files=[file(last, b"old")])
    files = [file(keys, b"new"), file(manifest, b"new", replaces=b"old"), file(last, b"new", replaces=b"old")]
    [answer] = node.answers(
        ("write", {"run": "one", "files": files, "state": str(node.state)}), source=_failing("EROFS", last)
    )
    assert answer["refused"]["kind"] == "read_only"
    assert not keys.exists() and manifest.read_bytes() == b"old" and last.read_bytes() == b"old"
    assert _leftovers(node) == []


def test_what_cannot_be_undone_is_named(node: Node, keys: Path, manifest: Path) -> None:
    never = f"    if path == {str(keys)!r} or (path == {str(manifest)!r} and os.path.getsize(temporary) == 3):\n"
    never += "        raise OSError(errno.EIO, 'broken', path)\n    _put_file(path, temporary)\n"
    source = SOURCE + BEFORE_PUT + never
    files = [file(manifest, b"newer", replaces=b"old"), file(keys, b"new")]
    [answer] = node.answers(("write", {"run": "one", "files": files, "state": str(node.state)}), source=source)
    assert answer["refused"]["kind"] == "half_done"
    assert f"{manifest} could not be put back" in answer["refused"]["told"]


def test_a_kill_between_the_temporary_file_and_its_place_changes_nothing(
    node: Node, keys: Path, manifest: Path
) -> None:
    node.call("write", run="one", files=[file(keys, b"old")])
    source = SOURCE + BEFORE_PUT + "    time.sleep(60)\n"
    files = [file(keys, b"new", replaces=b"old"), file(manifest, b"new", replaces=b"old")]
    process = node.start(("write", {"run": "one", "files": files, "state": str(node.state)}), source=source)
    until(lambda: len(_leftovers(node)) == 2)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert keys.read_bytes() == b"old" and manifest.read_bytes() == b"old"
    assert [path.name for path in manifest.parent.iterdir()] == [manifest.name]
    left = _leftovers(node)
    assert node.call("sweep", run="one", directories=[str(keys.parent), "/no/such/folder"]) == sorted(
        str(node.folder / path) for path in left
    )
    assert _leftovers(node) == []
    assert [each["written"] for each in node.call("write", run="one", files=files)] == [True, True]


def test_sweeping_leaves_what_is_not_ours(node: Node) -> None:
    for name in (".hardening-notes", ".hardening-0123456789abcdef0", "configuration.json"):
        (node.state / name).touch()
    (node.state / ".hardening-0123456789abcdef").touch()
    assert node.call("sweep", run="one") == [str(node.state / ".hardening-0123456789abcdef")]


@pytest.mark.parametrize(
    ("error", "kind"), [("ENOSPC", "disk_full"), ("EDQUOT", "disk_full"), ("EPERM", "not_permitted")]
)
def test_what_cannot_be_staged_shows_before_anything_is_replaced(
    node: Node, keys: Path, manifest: Path, error: str, kind: str
) -> None:
    fails = f"    if path == {str(keys)!r}:\n        raise OSError(errno.{error}, os.strerror(errno.{error}), path)\n"
    source = SOURCE + "\n_stage_file = _stage\ndef _stage(path, *others):\n" + fails
    source += "    return _stage_file(path, *others)\n"
    files = [file(manifest, b"new", replaces=b"old"), file(keys, b"new")]
    [answer] = node.answers(("write", {"run": "one", "files": files, "state": str(node.state)}), source=source)
    assert answer["refused"]["kind"] == kind and str(keys) in answer["refused"]["told"]
    assert manifest.read_bytes() == b"old" and _leftovers(node) == []


def test_two_programs_never_write_at_once(node: Node, keys: Path) -> None:
    """Each replaces what the other may have written meanwhile: exactly one can be right."""
    node.call("write", run="one", files=[file(keys, b"old")])
    processes = [
        node.start(
            ("write", {"run": "one", "files": [file(keys, b"new%d" % number, b"old")], "state": str(node.state)})
        )
        for number in range(6)
    ]
    answers = [told(process)[0] for process in processes]
    assert [list(answer) for answer in answers].count(["result"]) == 1
    assert {answer["refused"]["kind"] for answer in answers if "refused" in answer} == {"changed"}
    [number] = [number for number, answer in enumerate(answers) if "result" in answer]
    assert keys.read_bytes() == b"new%d" % number
