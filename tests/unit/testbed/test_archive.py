# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

from tests.testbed.archive import Entry, Image, write_images, write_layer
from tests.testbed.rootfs import is_wanted


def layer(path: Path) -> Path:
    source = path.with_suffix(".source")
    source.write_bytes(b"program")
    return write_layer(
        path, [Entry("bin"), Entry("bin/tool", source=source), Entry("bin/sh", link="tool"), Entry("etc", mode=0o700)]
    )


def test_layer_has_folders_files_and_links(tmp_path: Path) -> None:
    with tarfile.open(layer(tmp_path / "a.tar")) as tar:
        found = {info.name: (info.type, info.mode, info.linkname, info.size, info.mtime) for info in tar}
    assert found == {
        "bin": (tarfile.DIRTYPE, 0o755, "", 0, 0),
        "bin/tool": (tarfile.REGTYPE, 0o755, "", 7, 0),
        "bin/sh": (tarfile.SYMTYPE, 0o777, "tool", 0, 0),
        "etc": (tarfile.DIRTYPE, 0o700, "", 0, 0),
    }


def test_equal_inputs_give_equal_layers(tmp_path: Path) -> None:
    assert layer(tmp_path / "a.tar").read_bytes() == layer(tmp_path / "b.tar").read_bytes()


def test_archive_names_what_it_holds_by_its_digests(tmp_path: Path) -> None:
    shared, own = layer(tmp_path / "shared.tar"), write_layer(tmp_path / "own.tar", [Entry("x", content=b"1")])
    images = [Image("one:1", [shared], {"User": "0"}), Image("two:1", [shared, own], {"Entrypoint": ["/x"]})]
    with tarfile.open(write_images(tmp_path / "images.tar", images)) as tar:
        contents = {info.name: tar.extractfile(info).read() for info in tar if info.isfile()}  # type: ignore[union-attr]
    manifest = json.loads(contents["manifest.json"])
    assert [item["RepoTags"] for item in manifest] == [["one:1"], ["two:1"]]
    assert sum(name.endswith("layer.tar") for name in contents) == 2
    for item, image in zip(manifest, images, strict=True):
        text = contents[item["Config"]]
        document = json.loads(text)
        assert item["Config"] == f"{hashlib.sha256(text).hexdigest()}.json"
        assert document["config"] == image.config
        held = [f"sha256:{hashlib.sha256(contents[name]).hexdigest()}" for name in item["Layers"]]
        assert document["rootfs"]["diff_ids"] == held


def test_units_that_a_container_must_not_start_stay_out() -> None:
    assert not is_wanted("etc/systemd/system/getty.target.wants/getty@tty1.service")
    assert not is_wanted("usr/lib/systemd/system/sockets.target.wants/systemd-udevd-control.socket")
    assert not is_wanted("var/lib/apt/lists/deb.debian.org_main")
    assert is_wanted("usr/lib/systemd/system/systemd-journald.service")
    assert is_wanted("usr/lib/systemd/system/sockets.target.wants/systemd-journald.socket")
    assert is_wanted("dev")
