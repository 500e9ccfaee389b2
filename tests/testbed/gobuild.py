# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Building programs from Go modules, once per set of inputs."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from . import places
from .errors import SetupError
from .shell import run
from .tables import GoTool

NO_GO = (
    "The test bed builds its programs from Go modules, which needs Go 1.26 or newer: "
    "install it from https://go.dev/dl/ and have `go` on the PATH."
)


def digest(parts: Iterable[str | bytes]) -> str:
    """Twelve characters that change with any of the inputs."""
    total = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode()
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()[:12]


def source(tool: GoTool) -> Path:
    """The folder with the tool's go.mod."""
    return places.PROGRAMS if tool.name == "programs" else places.MODULES / (tool.module or tool.name)


def inputs(tool: GoTool) -> list[str | bytes]:
    """All that decides what the binaries are: the pinned modules, own sources and the table's row."""
    folders = [source(tool), *([places.MODULES / tool.sources] if tool.sources else [])]
    named = [
        item
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.suffix in {".go", ".mod", ".sum"}
        for item in (str(path.relative_to(folder)), path.read_bytes())
    ]
    return [repr(tool), *named]


def folder(tool: GoTool) -> Path:
    """Where the tool's binaries are, once built."""
    return places.cache() / "bin" / f"{tool.name}-{digest(inputs(tool))}"


def is_built(tool: GoTool) -> bool:
    """Whether all binaries are there; the folder gets its name only when the last one is."""
    return folder(tool).is_dir()


def command(tool: GoTool, program: str, target: Path) -> list[str | Path]:
    """The `go build` of one program."""
    package = "/".join(part for part in (tool.base, tool.programs[program]) if part)
    tags = ["-tags", tool.tags] if tool.tags else []
    return ["go", "build", "-trimpath", "-buildvcs=false", *tags, "-ldflags", tool.ldflags, "-o", target, package]


def build(tool: GoTool) -> Path:
    """Build what is missing and return the folder. Go's own cache makes an interrupted build go on where it was."""
    done = folder(tool)
    if done.is_dir():
        return done
    if not shutil.which("go"):
        raise SetupError(NO_GO)
    partial = done.with_name(f"{done.name}.partial")
    partial.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    log = places.cache() / "log" / f"go-{tool.name}.log"
    log.unlink(missing_ok=True)
    for program in tool.programs:
        run(command(tool, program, partial / program), cwd=source(tool), env=env, log=log)
    partial.rename(done)
    return done
