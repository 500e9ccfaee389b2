# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debian root file system of a node, and the few programs out of it that network images need."""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from . import engine, gobuild, places
from .archive import Entry
from .errors import SetupError
from .shell import run
from .tables import BUILD_PACKAGES, DEBIAN_MIRROR, DEBIAN_SUITE, NODE_PACKAGES

NO_DEBOOTSTRAP = (
    "The node image can be assembled on Debian or Ubuntu as root only (it needs debootstrap): "
    "make docker.io reachable, so that kindest/node can be pulled, or run this there."
)
# Systemd starts what is wanted by a target; in a container most of that must not run.
UNWANTED = (
    *("usr/lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service", "etc/systemd/system/*.wants/*"),
    *(f"usr/lib/systemd/system/{target}.target.wants/*" for target in ("multi-user", "local-fs", "basic")),
    *(f"usr/lib/systemd/system/sockets.target.wants/*{name}*" for name in ("udev", "initctl")),
    *("dev/*", "proc/*", "sys/*", "run/*", "tmp/*", "var/cache/apt/*", "var/lib/apt/lists/*", "var/log/*"),
    *("usr/share/doc/*", "usr/share/man/*", "usr/share/locale/*", "etc/machine-id"),
)
NETWORK_PROGRAMS = ("usr/sbin/xtables-nft-multi", "usr/sbin/xtables-legacy-multi", "usr/sbin/ipset", "usr/bin/ip")
NETWORK_FOLDERS = ("usr/lib/{multiarch}/xtables", "etc/iproute2")
NETWORK_LINKS = {
    "iptables": ("iptables", "iptables-save", "iptables-restore"),
    "ip6tables": ("ip6tables", "ip6tables-save", "ip6tables-restore"),
}
BUSYBOX_LINKS = ("sh", "cat", "cp", "mv", "mkdir", "rm", "ln", "ls", "grep", "cut", "modprobe", "sleep")
# The same choice as kind's entrypoint makes for the node: whoever has more rules is in use.
SELECT_IPTABLES = b"""\
legacy=$({ iptables-legacy-save; ip6tables-legacy-save; } 2>/dev/null | grep -c '^-')
nft=$({ iptables-nft-save; ip6tables-nft-save; } 2>/dev/null | grep -c '^-')
mode=nft
[ "$legacy" -ge "$nft" ] && mode=legacy
for name in iptables ip6tables; do
  for suffix in '' -save -restore; do
    ln -sf "xtables-$mode-multi" "/usr/sbin/$name$suffix"
  done
done
"""


def folder() -> Path:
    """Where the root file system is, once it is complete."""
    key = gobuild.digest([DEBIAN_SUITE, *NODE_PACKAGES])
    return places.cache() / "rootfs" / f"{DEBIAN_SUITE}-{key}"


def is_built() -> bool:
    """Whether the root file system is complete."""
    return folder().is_dir()


def build() -> Path:
    """Make the root file system with debootstrap, or return the one that is there."""
    done = folder()
    if done.is_dir():
        return done
    if not engine.can_install():
        raise SetupError(NO_DEBOOTSTRAP)
    if not shutil.which("debootstrap"):
        engine.install(BUILD_PACKAGES)
    partial = done.with_name(f"{done.name}.partial")
    discard(partial)
    partial.parent.mkdir(parents=True, exist_ok=True)
    command = [
        *("debootstrap", "--variant=minbase", f"--include={','.join(NODE_PACKAGES)}"),
        *(DEBIAN_SUITE, str(partial), os.environ.get("DEBIAN_MIRROR", DEBIAN_MIRROR)),
    ]
    run(command, log=places.cache() / "log" / "debootstrap.log")
    unmount(partial)
    partial.rename(done)
    return done


def unmount(root: Path) -> None:
    """Undo the mounts below a folder that an interrupted debootstrap left behind."""
    points = mount_points(Path("/proc/self/mountinfo").read_text())
    for point in sorted((point for point in points if Path(point).is_relative_to(root)), reverse=True):
        run(["umount", "--lazy", point])


def mount_points(mountinfo: str) -> list[str]:
    """The mount points that /proc/self/mountinfo lists; it writes spaces and the like as octal numbers."""
    written = [line.split()[4] for line in mountinfo.splitlines()]
    return [re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), point) for point in written]


def discard(root: Path) -> None:
    """Remove a folder with file systems mounted in it, without touching what is in those."""
    if root.exists():
        unmount(root)
        shutil.rmtree(root)


def is_wanted(path: str) -> bool:
    """Whether a path (without leading slash) goes into the node image."""
    return not any(fnmatch.fnmatchcase(path, pattern) for pattern in UNWANTED)


def copy(tar: tarfile.TarFile, root: Path) -> None:
    """Write all that is wanted of the root file system into a layer, with its owners and modes."""

    def wanted(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
        return info if is_wanted(info.name) else None

    for child in sorted(root.iterdir()):
        tar.add(child, arcname=child.name, filter=wanted)


def libraries(root: Path, files: Iterable[str]) -> set[str]:
    """The shared libraries of programs or of libraries, as paths without leading slash below the merged /usr."""
    listed = run(["chroot", root, "ldd", *(f"/{file}" for file in files)])
    words = {word for line in listed.splitlines() for word in line.split() if word.startswith("/") and word[-1] != ":"}
    return {f"usr{word}" if word.startswith("/lib") else word.lstrip("/") for word in words}


def inside(root: Path, path: str) -> Path:
    """The file that a path means within the root, all symbolic links followed there and not in ours."""
    current = root / path
    while current.is_symlink():
        target = current.readlink()
        current = root / str(target).lstrip("/") if target.is_absolute() else current.parent / target
    return current


def network_entries(root: Path) -> Iterator[Entry]:
    """A small root file system with iptables of both kinds, ipset, ip and a shell: for kube-proxy and kube-router."""
    (multiarch,) = (path.name for path in (root / "usr/lib").glob("*-linux-gnu"))
    found = [root / pattern.format(multiarch=multiarch) for pattern in NETWORK_FOLDERS]
    held = {str(path.relative_to(root)) for folder in found for path in folder.iterdir() if not path.is_dir()}
    # iptables loads its extensions at run time, and these need libraries that it does not.
    linked = [*NETWORK_PROGRAMS, *sorted(path for path in held if path.endswith(".so"))]
    files = {*NETWORK_PROGRAMS, *held, *libraries(root, linked), "usr/bin/busybox"}
    for path in sorted({str(parent) for file in files for parent in Path(file).parents} - {"."}):
        yield Entry(path)
    for path in ("run", "tmp", "var", "var/lib", "usr/local", "usr/local/bin", "usr/local/lib"):
        yield Entry(path)
    for path in ("bin", "sbin", "lib", "lib64"):
        yield Entry(path, link=f"usr/{path}")
    for file in sorted(files):
        yield Entry(file, source=inside(root, file))
    for names in NETWORK_LINKS.values():
        for name in names:
            family, _dash, action = name.partition("-")
            for mode in ("nft", "legacy"):
                suffix = f"-{action}" if action else ""
                yield Entry(f"usr/sbin/{family}-{mode}{suffix}", link=f"xtables-{mode}-multi")
            yield Entry(f"usr/sbin/{name}", link="xtables-nft-multi")
    for name in BUSYBOX_LINKS:
        yield Entry(f"usr/bin/{name}", link="busybox")
    yield Entry("usr/local/lib/select-iptables", content=SELECT_IPTABLES, mode=0o644)


def wrapped(name: str, binary: Path) -> list[Entry]:
    """A program that first selects the node's kind of iptables."""
    script = f'#!/bin/sh\n. /usr/local/lib/select-iptables\nexec /usr/local/lib/{name} "$@"\n'
    return [
        Entry(f"usr/local/lib/{name}", source=binary),
        Entry(f"usr/local/bin/{name}", content=script.encode()),
    ]
