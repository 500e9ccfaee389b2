# Copyright: (c) 2026, hardening.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private to the collection: the program that reads and writes files of a node. It is sent as it stands here.

Needs Python 3.8 and its standard library. Nothing that it is given or finds is in its arguments or in a file other
than those it is told to write. Every operation may be sent again: what is done already is not done twice.
"""

from __future__ import annotations

import base64
import errno
import fcntl
import hashlib
import json
import os
import platform
import re
import secrets
import signal
import socket
import stat
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Callable, Iterator, Sequence

MARKER = "hardening.kubernetes:"
STATE = "/etc/kubernetes/hardening"
TEMPORARY = ".hardening-"

_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_LARGEST = 8 * 1024 * 1024
_SECONDS_FOR_THE_FLOCK = 20.0


class Refused(Exception):
    """What an operation does not do, by a word for programs and a sentence for people."""

    def __init__(self, kind: str, told: str) -> None:
        super().__init__(told)
        self.kind = kind
        self.told = told


def answer(text: str) -> None:
    """Do the operations of a JSON list ``[[operation, {arguments}], …]`` and print one line: a marker and JSON.

    That is a list of ``{"result": …}``; a ``{"refused": {"kind": …, "told": …}}`` ends it, and the rest is not done.
    """
    answers: list[dict[str, Any]] = []
    for operation, arguments in json.loads(text):
        try:
            answers.append({"result": OPERATIONS[operation](**arguments)})
        except Refused as refused:
            answers.append({"refused": {"kind": refused.kind, "told": refused.told}})
        except OSError as error:
            kind, told = _of_system(error)
            answers.append({"refused": {"kind": kind, "told": told}})
        except Exception as error:
            # Its text may hold what was read, so only its name and place are told.
            answers.append({"refused": {"kind": "mistake", "told": _place(error)}})
        if "refused" in answers[-1]:
            break
    sys.stdout.write("\n" + MARKER + json.dumps(answers) + "\n")
    sys.stdout.flush()


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f"{type(error).__name__} in line {trace.tb_lineno if trace else 0} of the node's program"
    return f"This is a mistake of hardening.kubernetes, not of yours: {where}."


_SYSTEM = {
    errno.ENOSPC: ("disk_full", "the disk is full: make room"),
    errno.EDQUOT: ("disk_full", "the quota of the disk is used up: make room"),
    errno.EROFS: ("read_only", "the file system is read-only: mount it writable"),
    errno.EXDEV: ("file_system", "its folder is mounted on its own: a file cannot be put there in one step"),
    errno.EPERM: ("not_permitted", "not even root may do that: see `lsattr` and SELinux"),
    errno.EACCES: ("not_permitted", "not even root may do that: see `lsattr` and SELinux"),
}


def _of_system(error: OSError) -> tuple[str, str]:
    kind, told = _SYSTEM.get(error.errno or 0, ("failed", error.strerror or type(error).__name__))
    return kind, "{}: {}.".format(error.filename2 or error.filename or "A file", told)


# What a node is and has.


def about() -> dict[str, Any]:
    """Who this node is, and the time by its clock: seconds since 1970."""
    return {
        "hostname": socket.gethostname(),
        "machine_id": _line("/etc/machine-id"),
        "boot_id": _line(_BOOT_ID),
        "time": time.time(),
        "python": platform.python_version(),
        "addresses": _addresses(),
    }


def _line(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.readline().strip()
    except OSError:
        return ""


def _addresses() -> list[str]:
    """The node's own addresses, without those that only it can reach."""
    found: list[str] = []
    with suppress(OSError), open("/proc/net/fib_trie", encoding="ascii") as file:
        address = ""
        for line in file:
            if "|--" in line:
                address = line.split("|--")[1].strip()
            elif "/32 host LOCAL" in line and not address.startswith("127."):
                found.append(address)
    with suppress(OSError), open("/proc/net/if_inet6", encoding="ascii") as file:
        for line in file:
            digits, _index, _length, scope = line.split()[:4]
            if scope not in ("10", "20"):  # the loopback's and a link's own
                found.append(socket.inet_ntop(socket.AF_INET6, bytes.fromhex(digits)))
    return sorted(set(found))


def free(path: str) -> int:
    """The bytes that may still be written where ``path`` lies or will lie."""
    while not os.path.exists(path) and path != os.path.dirname(path):
        path = os.path.dirname(path)
    system = os.statvfs(path)
    return system.f_bavail * system.f_frsize


def processes(binary: str) -> list[dict[str, Any]]:
    """The running processes of a program: pid, seconds since 1970 at its start, arguments.

    Those in containers too, if they have the node's own network, as a static pod of the control plane has. The API
    servers of other clusters, which run in pods of this one, are none of the node's.
    """
    epoch = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return [
        {"pid": each.pid, "started": epoch + each.started, "arguments": each.arguments} for each in _running(binary)
    ]


@dataclass(frozen=True)
class Process:
    """A running process; ``started`` are seconds since the boot, by a clock that nobody sets."""

    pid: int
    started: float
    arguments: list[str]


def _running(binary: str) -> list[Process]:
    found = []
    network = os.stat("/proc/self/ns/net")
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        # It may end while it is looked at.
        with suppress(OSError, ValueError, IndexError):
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                arguments = [os.fsdecode(each) for each in file.read().split(b"\0")[:-1]]
            if os.path.basename(arguments[0]) != binary:
                continue
            if os.path.samestat(os.stat(f"/proc/{pid}/ns/net"), network):
                found.append(Process(pid, _ticks(pid) / os.sysconf("SC_CLK_TCK"), arguments))
    return found


def _ticks(pid: int) -> int:
    with open(f"/proc/{pid}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[19])


_LOGS = r"!?\blog_(?:input|output|stdin|stdout)\b"
_TAGS = r"\b(?:NO)?LOG_(?:INPUT|OUTPUT)\b"


def sudo_logs() -> list[str]:
    """By which of its settings sudo keeps what goes through it to this program, and what comes back: none by default.

    To be asked before anything is sent that is worth more than this question.
    """
    user = os.environ.get("SUDO_USER")
    if not user:
        return []
    settings: dict[str, bool] = {}
    for setting in re.findall(f"{_LOGS}|{_TAGS}", _sudo_settings(user)):
        plain = re.sub("^(?:!|NO)", "", setting)
        settings[plain] = plain == setting
    return sorted(setting for setting, on in settings.items() if on)


def _sudo_settings(user: str) -> str:
    """What is in force for this user, the later above the former, or where sudo does not say: all that is written."""
    # Takes as long to import as much else together.
    import subprocess

    try:
        listing = ["sudo", "--non-interactive", "--list", f"--other-user={user}"]
        return subprocess.run(
            listing,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C"},
            timeout=30,
            check=True,
        ).stdout.decode("utf-8", "replace")
    except (OSError, subprocess.SubprocessError):
        written = ["/etc/sudoers", *(os.path.join("/etc/sudoers.d", name) for name in names("/etc/sudoers.d") or [])]
        return "\n".join(line for path in written for line in _lines(path) if not line.lstrip().startswith("#"))


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []


# What lies there.


@dataclass(frozen=True)
class Present:
    """A regular file as it lies there."""

    content: bytes
    mode: int
    owner: int
    group: int
    label: bytes | None = None

    @property
    def hash(self) -> str:
        return hash_of(self.content)


def hash_of(content: bytes) -> str:
    """How contents are compared and told."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


_KINDS = ((stat.S_ISLNK, "link"), (stat.S_ISDIR, "directory"), (stat.S_ISREG, "file"))


def read(paths: Sequence[str]) -> dict[str, Any]:
    """What lies at each path: None for nothing, and no content for what is not a regular file."""
    return {path: _read(path) for path in paths}


def _read(path: str) -> dict[str, Any] | None:
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    told: dict[str, Any] = {
        "kind": next((kind for judge, kind in _KINDS if judge(found.st_mode)), "other"),
        "mode": f"{stat.S_IMODE(found.st_mode):04o}",
        "owner": found.st_uid,
    }
    if told["kind"] == "link":
        told["target"] = os.path.realpath(path)
    if told["kind"] != "file":
        return told
    present = _present(path)
    if present is None:
        return None
    return {**told, "content": base64.b64encode(present.content).decode("ascii"), "hash": present.hash}


def _present(path: str) -> Present | None:
    try:
        # A pipe that nobody writes to would hold the program for ever.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise _not_a_file(path) from None
        raise
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise _not_a_file(path)
        if found.st_size > _LARGEST:
            raise Refused("too_large", f"{path} has {found.st_size} bytes, and none that we know is as large.")
        label = None
        with suppress(OSError):
            label = os.getxattr(handle, "security.selinux")
        return Present(file.read(), stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid, label)


def _not_a_file(path: str) -> Refused:
    return Refused("not_a_file", f"{path} is a link, a folder or a device: put a regular file in its place.")


def names(directory: str) -> list[str] | None:
    """What a folder has, hidden names too; None where there is no such folder."""
    try:
        return sorted(os.listdir(directory))
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        raise Refused("not_a_directory", f"{directory} is not a folder.") from None


# The lock: who may write.


@contextmanager
def _alone(state: str) -> Iterator[None]:
    """Nobody else of us reads or changes the lock, or writes, meanwhile. The kernel ends it with the process."""
    _make_directory(state)
    path = os.path.join(state, "lock.flock")
    until = time.monotonic() + _SECONDS_FOR_THE_FLOCK
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever removes the file leaves others with a lock on nothing.
            if os.fstat(handle).st_ino == os.stat(path).st_ino:
                break
        except (BlockingIOError, FileNotFoundError):
            pass
        os.close(handle)
        if time.monotonic() > until:
            raise Refused("busy", f"Another program holds {path}: see `fuser {path}`, and end it if it hangs.")
        time.sleep(0.05)
    try:
        yield
    finally:
        os.close(handle)


def _lock(state: str) -> dict[str, Any] | None:
    path = os.path.join(state, "lock")
    present = _present(path)
    if present is None:
        return None
    try:
        lock = json.loads(present.content.decode("utf-8"))
        return {
            "run": str(lock["run"]),
            "holder": str(lock["holder"]),
            "since": float(lock["since"]),
            "expires": float(lock["expires"]),
        }
    except (ValueError, KeyError, TypeError):
        raise Refused(
            "locked", f"{path} says nothing that can be read: see that no run is at work, and remove it."
        ) from None


def _put_lock(state: str, lock: dict[str, Any]) -> dict[str, Any]:
    _replace(os.path.join(state, "lock"), json.dumps(lock).encode("utf-8"), 0o600, state, None)
    return lock


def take(run: str, holder: str, seconds: float, instead_of: str | None = None, state: str = STATE) -> dict[str, Any]:
    """Lock the node for a run: {run, holder, since, expires, before}; ``before`` is the lock of another that lay there.

    The same run may take it again. Refused (``locked``) while another's has not expired, unless that is
    ``instead_of``, a run that is known to be dead.
    """
    with _alone(state):
        now = time.time()
        lock = _lock(state)
        if lock and lock["run"] not in (run, instead_of) and lock["expires"] > now:
            raise Refused(
                "locked",
                "Another run is at work since {}: {} (run {}). Wait for it, or, if it is dead, until {}.".format(
                    _clock(lock["since"]), lock["holder"], lock["run"], _clock(lock["expires"])
                ),
            )
        since = lock["since"] if lock and lock["run"] == run else now
        before = lock if lock and lock["run"] != run else None
        ours = _put_lock(state, {"run": run, "holder": holder, "since": since, "expires": now + seconds})
        return {**ours, "before": before}


def keep(run: str, seconds: float, state: str = STATE) -> dict[str, Any]:
    """Prolong the lock. One that has expired is still the run's as long as nobody else took it."""
    with _alone(state):
        lock = _lock(state)
        if lock is None or lock["run"] != run:
            raise _not_ours(lock)
        return _put_lock(state, {**lock, "expires": time.time() + seconds})


def release(run: str, state: str = STATE) -> bool:
    """Remove the lock if it is the run's, and say whether it was."""
    with _alone(state):
        lock = _lock(state)
        if lock is None or lock["run"] != run:
            return False
        os.unlink(os.path.join(state, "lock"))
        _sync(state)
        return True


def _not_ours(lock: dict[str, Any] | None) -> Refused:
    if lock is None:
        return Refused(
            "not_ours", "This run no longer has the node's lock, and another may have been at work: run it again."
        )
    return Refused(
        "not_ours",
        "{} (run {}) has taken over at this node: wait until it has ended.".format(lock["holder"], lock["run"]),
    )


def _check_lock(state: str, run: str) -> None:
    lock = _lock(state)
    if lock is None or lock["run"] != run:
        raise _not_ours(lock)
    if lock["expires"] <= time.time():
        raise Refused("not_ours", "This run was held up for so long that its lock has expired: run it again.")


def _clock(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


# Writing.


@dataclass(frozen=True)
class Wanted:
    """A file to write; without content, to remove."""

    path: str
    content: bytes | None
    replaces: str | None
    mode: int

    @property
    def hash(self) -> str | None:
        return None if self.content is None else hash_of(self.content)


def write(run: str, files: Sequence[dict[str, Any]], state: str = STATE) -> list[dict[str, Any]]:
    """Write or remove files in their order: [{path, hash, written}]. All or nothing, as far as a disk lets us.

    Each is ``{path, content (base64, None: remove), replaces ("sha256:…", None: nothing may lie there), mode}``.
    What lies there already as it is wanted is left alone. Refused before anything is written: ``not_ours`` without
    the lock, ``changed`` where something else lies there than what is to be replaced.
    """
    wanted = _wanted(files, state)
    with _alone(state):
        _check_lock(state, run)
        present = {each.path: _present(each.path) for each in wanted}
        due = [each for each in wanted if _is_due(each, present[each.path])]
        _check_unwatched(due, state)
        _put_all(_stage_all(due, present, state), present, state)
    return _told(wanted, due)


def _told(wanted: Sequence[Wanted], due: Sequence[Wanted]) -> list[dict[str, Any]]:
    return [{"path": each.path, "hash": each.hash, "written": each in due} for each in wanted]


def _wanted(files: Sequence[dict[str, Any]], state: str) -> list[Wanted]:
    wanted = []
    for file in files:
        content = None if file["content"] is None else base64.b64decode(file["content"], validate=True)
        wanted.append(Wanted(file["path"], content, file["replaces"], int(str(file.get("mode") or "0600"), 8)))
    paths = [each.path for each in wanted]
    reserved = {os.path.join(state, name) for name in ("lock", "lock.flock", "watch.json")}
    for path in paths:
        if not os.path.isabs(path) or os.path.normpath(path) != path or path in reserved or paths.count(path) > 1:
            raise Refused("mistake", f"{path} cannot be written by this program.")
    return wanted


def _is_due(wanted: Wanted, present: Present | None) -> bool:
    lies = present.hash if present else None
    if lies == wanted.hash and (present is None or present.mode == wanted.mode):
        return False
    if lies not in (wanted.replaces, wanted.hash):
        raise Refused(
            "changed",
            f"{wanted.path} is no longer as this run saw it: somebody changed it. See what they did, and run it again.",
        )
    return True


def _stage_all(due: Sequence[Wanted], present: dict[str, Present | None], state: str) -> list[tuple[Wanted, str]]:
    """Everything written beside its place first: a full disk shows before anything is replaced."""
    staged: list[tuple[Wanted, str]] = []
    try:
        for each in due:
            temporary = ""
            if each.content is not None:
                _make_directory(os.path.dirname(each.path), ours=False)
                temporary = _stage(each.path, each.content, each.mode, state, present[each.path])
            staged.append((each, temporary))
    except BaseException:
        _drop(temporary for _each, temporary in staged)
        raise
    return staged


def _put_all(
    staged: Sequence[tuple[Wanted, str]],
    present: dict[str, Present | None],
    state: str,
    before_each: Callable[[], None] = lambda: None,
) -> None:
    done: list[Wanted] = []
    try:
        for each, temporary in staged:
            before_each()
            done.append(each)
            _put(each.path, temporary)
    except OSError as error:
        _drop(temporary for _each, temporary in staged)
        stayed = _put_back(done, present, state)
        if stayed:
            raise Refused(
                "half_done",
                f"{_of_system(error)[1]} {', '.join(stayed)} could not be put back as it was: do so by hand.",
            ) from None
        raise


def _put_back(done: Sequence[Wanted], present: dict[str, Present | None], state: str) -> list[str]:
    """Undo these writes, the last one first, where what was written still lies there: the paths that could not be."""
    stayed = []
    for each in reversed(done):
        before = present[each.path]
        try:
            if _hash_at(each.path) != each.hash:
                continue
            if before is None:
                _put(each.path, "")
            else:
                _replace(each.path, before.content, before.mode, state, before)
        except (OSError, Refused):
            stayed.append(each.path)
    return stayed


def _hash_at(path: str) -> str | None:
    present = _present(path)
    return present.hash if present else None


def _replace(path: str, content: bytes, mode: int, state: str, present: Present | None) -> None:
    temporary = _stage(path, content, mode, state, present)
    try:
        _put(path, temporary)
    except BaseException:
        _drop([temporary])
        raise


def _stage(path: str, content: bytes, mode: int, state: str, present: Present | None) -> str:
    """The content in a temporary file that only needs to be renamed, with the owner and label of what it replaces."""
    directory = _staging(path, state)
    temporary = os.path.join(directory, TEMPORARY + secrets.token_hex(8))
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            if present and (present.owner, present.group) != (os.geteuid(), os.getegid()):
                os.fchown(handle, present.owner, present.group)
            if present and present.label:
                with suppress(OSError):
                    os.setxattr(handle, "security.selinux", present.label)
            os.fchmod(handle, mode)
            os.fsync(handle)
    except OSError as error:
        _drop([temporary])
        error.filename = path
        raise
    except BaseException:
        _drop([temporary])
        raise
    return temporary


def _staging(path: str, state: str) -> str:
    """Beside the file, but never in a folder of manifests: the kubelet runs what it finds there."""
    directory = os.path.dirname(path)
    if os.path.basename(directory) != "manifests":
        return directory
    if os.stat(directory).st_dev != os.stat(state).st_dev:
        raise Refused(
            "file_system",
            f"{directory} is on another file system than {state}: a manifest cannot be put there in one step.",
        )
    return state


def _put(path: str, temporary: str) -> None:
    """Rename into place, or remove where there is no temporary file; on disk when this returns."""
    if temporary:
        os.replace(temporary, path)
        _sync(os.path.dirname(temporary))
    else:
        with suppress(FileNotFoundError):
            os.unlink(path)
    _sync(os.path.dirname(path))


def _drop(temporaries: Iterator[str] | Sequence[str]) -> None:
    for temporary in temporaries:
        with suppress(OSError):
            if temporary:
                os.unlink(temporary)


def _sync(directory: str) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _make_directory(directory: str, ours: bool = True) -> None:
    """The folder and those above it, 0700 where they are new. One that others could write to is refused."""
    try:
        found = os.stat(directory)
    except FileNotFoundError:
        _make_directory(os.path.dirname(directory), ours=False)
        with suppress(FileExistsError):
            os.mkdir(directory, 0o700)
            _sync(os.path.dirname(directory))
        found = os.stat(directory)
    if not stat.S_ISDIR(found.st_mode):
        raise Refused("not_a_directory", f"{directory} is not a folder: a folder is needed there.")
    if found.st_uid != os.geteuid() or (found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX):
        raise Refused(
            "unsafe", "Others than root may write to {}: `chown root {}` and `chmod 0700 {}`.".format(*[directory] * 3)
        )
    if ours and stat.S_IMODE(found.st_mode) != 0o700:
        os.chmod(directory, 0o700)


def sweep(run: str, directories: Sequence[str] = (), state: str = STATE) -> list[str]:
    """Remove what a killed write left in these folders and in the state's: the paths."""
    with _alone(state):
        _check_lock(state, run)
        removed = [
            os.path.join(directory, name)
            for directory in dict.fromkeys([state, *directories])
            for name in names(directory) or []
            if re.fullmatch(re.escape(TEMPORARY) + "[0-9a-f]{16}", name)
        ]
        for path in removed:
            os.unlink(path)
        for directory in dict.fromkeys(os.path.dirname(path) for path in removed):
            _sync(directory)
    return sorted(removed)


# Writing what an API server starts with: it comes back, or its former files do.

_EVERY_SECONDS = 1.0
_TIMES_READY = 3
_SECONDS_TO_PUT_BACK = 600.0
_CLIENT = "/etc/kubernetes/pki/apiserver-kubelet-client"


@dataclass(frozen=True)
class Server:
    """The process that has to start anew, and where it says that it is ready."""

    binary: str
    host: str
    port: int
    certificate: str
    key: str
    seconds: float


def write_watched(
    run: str,
    files: Sequence[dict[str, Any]],
    binary: str,
    port: int,
    seconds: float,
    host: str = "",
    certificate: str = "",
    key: str = "",
    repairs: bool = False,
    state: str = STATE,
) -> list[dict[str, Any]]:
    """As ``write``, and a process stays that puts the former files back unless the server comes back.

    That is: within ``seconds`` all processes of ``binary`` that serve ``port`` have started after the write, and the
    port answers /readyz with 200 three times in a row. Needs nobody afterwards; ``watched`` tells how it went.
    Refused (``watched``) while an earlier one still waits, and (``not_ready``) where it is not ready before: nobody
    could tell whether it comes back; unless that is what this ``repairs``. What is not given of host, certificate and
    key is as the running one has it.
    """
    wanted = _wanted(files, state)
    with _alone(state):
        _check_lock(state, run)
        present = {each.path: _present(each.path) for each in wanted}
        due = [each for each in wanted if _is_due(each, present[each.path])]
        if due:
            _check_unwatched([], state)
            server = _server(binary, port, seconds, host, certificate, key)
            if not repairs:
                _check_ready(server)
            staged = _stage_all(due, present, state)
            try:
                watcher = _Watcher.begin(run, server, due, present, state)
            except BaseException:
                _drop(temporary for _each, temporary in staged)
                raise
            watcher.during(lambda: _put_all(staged, present, state, watcher.mark))
    return _told(wanted, due)


def _server(binary: str, port: int, seconds: float, host: str, certificate: str, key: str) -> Server:
    running = [each.arguments for each in _running(binary) if _port_of(each.arguments) == port]
    arguments = running[0] if running else []
    bound = _flag(arguments, "bind-address")
    return Server(
        binary,
        host or (bound if bound.strip("0.:") else "127.0.0.1"),
        port,
        certificate or _flag(arguments, "kubelet-client-certificate") or _CLIENT + ".crt",
        key or _flag(arguments, "kubelet-client-key") or _CLIENT + ".key",
        seconds,
    )


def _check_ready(server: Server) -> None:
    seen = ""
    for _attempt in range(_TIMES_READY):
        seen = _ask(server)
        if seen == _READY:
            return
        time.sleep(_EVERY_SECONDS)
    where = f"https://{server.host}:{server.port}/readyz"
    raise Refused(
        "not_ready",
        f"The {server.binary} of this node is not ready before ({seen}), so nobody could tell whether it comes back: "
        f"see its log, and whether {where} answers to the certificate {server.certificate}.",
    )


def watched(state: str = STATE) -> dict[str, Any] | None:
    """How the last ``write_watched`` went: {run, state, since, until, told, paths}, None where there was none.

    ``state`` is ``waiting``, ``ready``, ``restored`` (the former files lie there again), ``left`` (somebody changed
    them meanwhile, so nothing was touched), ``failed`` (they could not be put back) or ``lost`` (the watching process
    is gone, as after a reboot, and nobody waits any more).
    """
    present = _present(os.path.join(state, "watch.json"))
    if present is None:
        return None
    watch = json.loads(present.content.decode("utf-8"))
    if watch["state"] == "waiting" and not _lives(watch):
        watch.update(state="lost", told="The process that waited for the server is gone: see whether the server runs.")
    return {name: watch[name] for name in ("run", "state", "since", "until", "told", "paths")}


def _lives(watch: dict[str, Any]) -> bool:
    try:
        return bool(watch["boot_id"] == _line(_BOOT_ID) and watch["ticks"] == _ticks(watch["pid"]))
    except (OSError, ValueError, IndexError):
        return False


def _check_unwatched(due: Sequence[Wanted], state: str) -> None:
    """No watching process may find something else than it wrote; without ``due``, there may be none at all."""
    watch = watched(state)
    if watch is None or watch["state"] != "waiting":
        return
    if not due or any(each.path in watch["paths"] for each in due):
        raise Refused(
            "watched",
            f"A server is waited for until {_clock(watch['until'])} at most: see how it went, and run it again.",
        )


class _Watcher:
    """The process that stays, as the process that writes sees it."""

    def __init__(self, words: int) -> None:
        self._words = words

    @classmethod
    def begin(
        cls, run: str, server: Server, due: Sequence[Wanted], present: dict[str, Present | None], state: str
    ) -> _Watcher:
        """Fork it, before anything is replaced: if the writer is killed while it writes, somebody is there to undo."""
        now = time.time()
        watch = {
            "run": run,
            "state": "waiting",
            "since": now,
            "until": now + server.seconds,
            "told": f"Waiting for a new {server.binary} that is ready.",
            "paths": [each.path for each in due],
            "boot_id": _line(_BOOT_ID),
        }
        heard, words = os.pipe()
        told, tells = os.pipe()
        child = os.fork()
        if child == 0:
            _detach(keep=(heard, tells))
            _stay(watch, server, due, present, state, heard, tells)
        os.close(heard)
        os.close(tells)
        os.waitpid(child, 0)
        with os.fdopen(told, "rb") as file:
            pid = file.read()
        if not pid:
            os.close(words)
            raise Refused(
                "failed", "No process could be left there to wait for the server: see the node's memory and limits."
            )
        watcher = cls(words)
        try:
            watch.update(pid=int(pid), ticks=_ticks(int(pid)))
            _put_watch(watch, state)
        except BaseException:
            os.close(words)
            raise
        return watcher

    def mark(self) -> None:
        """A process that has started before now does not count."""
        try:
            os.write(self._words, b"n")
        except BrokenPipeError:
            raise Refused("failed", "The process that was to wait for the server was killed: run it again.") from None

    def during(self, write: Callable[[], None]) -> None:
        """Write, and say so. Unsaid, it counts as cut off."""
        try:
            write()
            os.write(self._words, b"w")
        finally:
            os.close(self._words)


def _detach(keep: tuple[int, int]) -> None:
    """Go on as a process that belongs to no session and holds nothing of the one that began it."""
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        os.setsid()
        if os.fork():
            os._exit(0)
        os.chdir("/")
        os.umask(0o077)
        nothing = os.open(os.devnull, os.O_RDWR)
        for handle in (0, 1, 2):
            os.dup2(nothing, handle)
        for name in os.listdir("/proc/self/fd"):
            if int(name) > 2 and int(name) not in keep:
                with suppress(OSError):
                    os.close(int(name))
        # Where logind kills what a user leaves behind, it looks for it by control group.
        for path in ("/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/systemd/cgroup.procs"):
            with suppress(OSError), open(path, "r+", encoding="ascii") as file:
                file.write(str(os.getpid()))
    except BaseException:
        os._exit(1)


def _stay(
    watch: dict[str, Any],
    server: Server,
    due: Sequence[Wanted],
    present: dict[str, Present | None],
    state: str,
    heard: int,
    tells: int,
) -> None:
    """All that the process that stays does. Never returns."""
    try:
        watch.update(pid=os.getpid(), ticks=_ticks(os.getpid()))
        os.write(tells, str(os.getpid()).encode("ascii"))
        os.close(tells)
        written = _listen(heard)
        if written is None:
            watch.update(_restored(due, present, state, "The program that wrote did not write all"))
        else:
            ready, seen = _wait(server, written)
            if ready:
                watch.update(state="ready", told=seen)
            else:
                why = f"No new {server.binary} was ready within {server.seconds:.0f} seconds ({seen})"
                watch.update(_restored(due, present, state, why))
        _patiently(lambda: _put_watch_alone(watch, state))
    finally:
        os._exit(0)


def _listen(heard: int) -> float | None:
    """When the writer began to put the last file into place, in seconds since the boot. None: it did not write all."""
    began = None
    while True:
        word = os.read(heard, 1)
        if word == b"n":
            began = time.clock_gettime(time.CLOCK_BOOTTIME)
        else:
            return began if word == b"w" else None


def _wait(server: Server, written: float) -> tuple[bool, str]:
    """Whether the server came back in time, and what was seen last."""
    began = time.monotonic()
    pids: list[int] = []
    times, seen = 0, ""
    while True:
        running = [each for each in _running(server.binary) if _port_of(each.arguments) == server.port]
        seen = "it is not running"
        if any(each.started <= written for each in running):
            seen = "the former one is still running"
        elif running:
            seen = _ask(server)
        same = pids == [each.pid for each in running]
        pids = [each.pid for each in running]
        times = (times if same else 0) + 1 if seen == _READY else 0
        took = time.monotonic() - began
        if times >= _TIMES_READY:
            return True, f"A new {server.binary} was ready after {took:.0f} seconds."
        if took >= server.seconds:
            return False, seen
        time.sleep(_EVERY_SECONDS)


_READY = "it is ready"


def _port_of(arguments: Sequence[str]) -> int:
    port = _flag(arguments, "secure-port")
    return int(port) if port.isdigit() else 6443


def _flag(arguments: Sequence[str], name: str) -> str:
    """The value of a flag, the last one where it is given again; "" where it is not given."""
    value = ""
    for argument, following in zip(arguments, [*arguments[1:], ""]):
        flag, equals, given = argument.partition("=")
        if flag.startswith("-") and flag.lstrip("-") == name:
            value = given if equals else following
    return value


def _ask(server: Server) -> str:
    # They take longer to import than all else together, and every other operation does without.
    import http.client
    import ssl

    context = ssl.create_default_context()
    # It is asked at this node itself, and nothing is believed but that it is ready.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        if os.path.exists(server.certificate) and os.path.exists(server.key):
            context.load_cert_chain(server.certificate, server.key)
        connection = http.client.HTTPSConnection(server.host, server.port, timeout=5, context=context)
        try:
            connection.request("GET", "/readyz")
            status = connection.getresponse().status
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        return f"/readyz: {type(error).__name__}"
    return _READY if status == 200 else f"/readyz: status {status}"


def _restored(due: Sequence[Wanted], present: dict[str, Present | None], state: str, why: str) -> dict[str, Any]:
    """Put the former files back, all or none, and tell it as an update of ``watch.json``."""

    def restore() -> dict[str, Any]:
        with _alone(state):
            for each in due:
                if not _is_known(each, present[each.path]):
                    told = f"{why}, but {each.path} has been changed since: nothing was put back."
                    return {"state": "left", "told": told}
            stayed = _put_back(due, present, state)
            if stayed:
                raise OSError(errno.EIO, ", ".join(stayed))
            return {"state": "restored", "told": f"{why}: the former files were put back."}

    outcome = _patiently(restore)
    return outcome or {"state": "failed", "told": f"{why}, and the former files could not be put back."}


def _is_known(written: Wanted, before: Present | None) -> bool:
    """Whether what lies there is what was written, or still what lay there before."""
    try:
        return _hash_at(written.path) in (written.hash, before.hash if before else None)
    except Refused:
        return False


def _patiently(work: Callable[[], Any]) -> Any:
    """Try until it works; None where it never did."""
    until = time.monotonic() + _SECONDS_TO_PUT_BACK
    while time.monotonic() < until:
        with suppress(OSError, Refused):
            return work()
        time.sleep(_EVERY_SECONDS)
    return None


def _put_watch_alone(watch: dict[str, Any], state: str) -> None:
    with _alone(state):
        _put_watch(watch, state)


def _put_watch(watch: dict[str, Any], state: str) -> None:
    _replace(os.path.join(state, "watch.json"), json.dumps(watch).encode("utf-8"), 0o600, state, None)


OPERATIONS: dict[str, Callable[..., Any]] = {
    operation.__name__: operation
    for operation in (
        about,
        free,
        processes,
        sudo_logs,
        read,
        names,
        take,
        keep,
        release,
        write,
        sweep,
        write_watched,
        watched,
    )
}
