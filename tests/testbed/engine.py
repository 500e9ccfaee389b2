# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Docker engine: one that is there is used as it is; where there is none, a daemon of our own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from . import places, runtime
from .errors import SetupError
from .shell import run, say, succeeds
from .tables import ENGINE_PACKAGES

START_SECONDS = 60
NO_ENGINE = (
    "No Docker engine answers, and one is installed by itself only on Debian or Ubuntu as root: "
    "install Docker (https://docs.docker.com/engine/install/) and see that `docker info` works for this user."
)


@dataclass(frozen=True, slots=True)
class Engine:
    """A Docker engine that answers."""

    host: str | None
    own: bool

    @property
    def env(self) -> dict[str, str]:
        """The environment in which `docker` and `kind` talk to this engine."""
        return {**os.environ, **({"DOCKER_HOST": self.host} if self.host else {})}

    def docker(self, *arguments: str | Path, text: str | None = None, timeout: float | None = None) -> str:
        """Run the docker client; SetupError with its own words when it fails."""
        return run(["docker", *arguments], env=self.env, text=text, timeout=timeout)

    def does(self, *arguments: str | Path, timeout: float = 30) -> bool:
        """Whether a docker command succeeds."""
        return succeeds(["docker", *arguments], env=self.env, timeout=timeout)

    def has_image(self, image: str) -> bool:
        """Whether the image is in the engine's store."""
        return self.does("image", "inspect", image)


def answers(host: str | None) -> bool:
    """Whether a Docker engine answers; without a host the client's own settings decide."""
    env = {**os.environ, **({"DOCKER_HOST": host} if host else {})}
    return bool(shutil.which("docker")) and succeeds(["docker", "info", "--format", "{{.ID}}"], env=env, timeout=15)


def running() -> list[Engine]:
    """The engines that run now: the user's own first, then ours, which may have begun before there was another."""
    own = f"unix://{places.DAEMON_SOCKET}"
    found = []
    if os.environ.get("DOCKER_HOST") != own and answers(None):
        found.append(Engine(None, own=False))
    if places.DAEMON_SOCKET.exists() and answers(own):
        found.append(Engine(own, own=True))
    return found


def find() -> Engine | None:
    """The engine that is used: the first that runs."""
    return next(iter(running()), None)


def ensure() -> Engine:
    """The engine that runs, or a daemon of our own, installed from the distribution's packages and started."""
    engine = find()
    if engine:
        return engine
    if not can_install():
        raise SetupError(NO_ENGINE)
    if not all(shutil.which(program) for program in ("docker", "dockerd", "runc", "iptables")):
        say("No Docker engine answers: installing Debian's docker.io for a daemon of our own.")
        install(ENGINE_PACKAGES)
        # From Debian 13 on the client is a package of its own, which docker.io only recommends.
        if not shutil.which("docker"):
            install(["docker-cli"])
        # Where a service manager runs, the package has started the distribution's own daemon.
        engine = find()
        if engine:
            return engine
    say(f"No Docker engine answers: starting one of our own (socket {places.DAEMON_SOCKET}).")
    return start()


def can_install() -> bool:
    """Whether this is Debian or one of its children, and the user may install packages."""
    release = Path("/etc/os-release")
    facts = release.read_text() if release.exists() else ""
    words = {
        word.strip("\"'")
        for line in facts.splitlines()
        if line.startswith(("ID=", "ID_LIKE="))
        for word in line.partition("=")[2].split()
    }
    return os.geteuid() == 0 and bool(words & {"debian", "ubuntu"})


def install(packages: Iterable[str]) -> None:
    """Install packages of the distribution."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    log = places.cache() / "log" / "apt.log"
    # A package may start a daemon, which must not hold the lock for ever.
    run(["apt-get", "update"], env=env, log=log, holds_lock=False)
    run(["apt-get", "install", "-y", "--no-install-recommends", *packages], env=env, log=log, holds_lock=False)


def launcher() -> Path:
    """The executable that dockerd calls as its runtime. An isolated interpreter starts in 15 ms."""
    system = Path("/usr/bin/python3")
    python = system if system.exists() else Path(sys.executable).resolve()
    # Copied, so that the daemon outlives the checkout that started it.
    program = places.DAEMON_RUN / "runtime.py"
    program.write_bytes(Path(runtime.__file__).read_bytes())
    path = places.DAEMON_RUN / "runtime"
    path.write_text(f'#!/bin/sh\nexec {python} -I -S {program} "$@"\n')
    path.chmod(0o755)
    return path


def daemon_command() -> list[str]:
    """The command line of our daemon; the wrapper only where the host needs it."""
    folder = places.DAEMON_RUN
    command = [
        *("dockerd", "--data-root", str(places.cache() / "docker"), "--exec-root", str(folder / "exec")),
        *("--pidfile", str(places.DAEMON_PID), "--host", f"unix://{places.DAEMON_SOCKET}", "--bridge", "none"),
    ]
    if runtime.lacks_capability(Path("/proc/self/status").read_text()):
        command += ["--add-runtime", f"hardening={launcher()}", "--default-runtime", "hardening"]
    return command


def start() -> Engine:
    """Start our daemon, so that it outlives this command, and wait until it answers."""
    places.DAEMON_RUN.mkdir(parents=True, exist_ok=True)
    log = places.cache() / "log" / "dockerd.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    pid = daemon_process()
    if not pid:
        forget_dead()
        with log.open("wb") as out:
            pid = subprocess.Popen(
                daemon_command(), stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            ).pid
    own = f"unix://{places.DAEMON_SOCKET}"
    limit = time.monotonic() + START_SECONDS
    while time.monotonic() < limit and is_running(pid):
        if places.DAEMON_SOCKET.exists() and answers(own):
            return Engine(own, own=True)
        time.sleep(0.2)
    last = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
    raise SetupError(f"The Docker daemon did not start; its log is {log} and ends with:\n{last}")


def is_running(pid: int) -> bool:
    """Whether a process lives; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def process_of(file: Path, program: str) -> int | None:
    """The process that a pid file names, if it lives and runs this program.

    After a crash or a restart of the machine, the number may be somebody else's.
    """
    try:
        pid = int(file.read_text())
        started = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
    except (OSError, ValueError):
        return None
    return pid if Path(started).name == program and is_running(pid) else None


def forget_dead() -> None:
    """Remove pid files of processes that are no more, in which the daemon would believe."""
    containerd = places.DAEMON_RUN / "exec" / "containerd" / "containerd.pid"
    for file, program in ((places.DAEMON_PID, "dockerd"), (containerd, "containerd")):
        if not process_of(file, program):
            file.unlink(missing_ok=True)


def daemon_process() -> int | None:
    """The process id of our daemon, if it lives."""
    return process_of(places.DAEMON_PID, "dockerd")


def stop() -> None:
    """End our daemon and take away its run-time folder; its image store stays, as the cache."""
    pid = daemon_process()
    if pid:
        os.kill(pid, signal.SIGTERM)
        limit = time.monotonic() + START_SECONDS
        while daemon_process() and time.monotonic() < limit:
            time.sleep(0.1)
        if daemon_process():
            raise SetupError(
                f"The test bed's Docker daemon (process {pid}) does not end; its log is in {places.cache() / 'log'}."
            )
    shutil.rmtree(places.DAEMON_RUN, ignore_errors=True)
