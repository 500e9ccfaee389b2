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
        "boot_id": _line("/proc/sys/kernel/random/boot_id"),
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
    """The running processes of a program, those in containers too: pid, seconds since 1970 at its start, arguments."""
    found = []
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        with suppress(OSError, ValueError, IndexError):
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                arguments = [os.fsdecode(each) for each in file.read().split(b"\0")[:-1]]
            if os.path.basename(arguments[0]) == binary:
                found.append({"pid": pid, "started": _started(pid), "arguments": arguments})
    return found


def _started(pid: int) -> float:
    with open(f"/proc/{pid}/stat", "rb") as file:
        ticks = int(file.read().rpartition(b")")[2].split()[19])
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf("SC_CLK_TCK")


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
        staged = _stage_all(due, present, state)
        _put_all(staged, present, state)
    return [{"path": each.path, "hash": each.hash, "written": each in due} for each in wanted]


def _wanted(files: Sequence[dict[str, Any]], state: str) -> list[Wanted]:
    wanted = []
    for file in files:
        content = None if file["content"] is None else base64.b64decode(file["content"], validate=True)
        wanted.append(Wanted(file["path"], content, file["replaces"], int(str(file.get("mode") or "0600"), 8)))
    paths = [each.path for each in wanted]
    reserved = {os.path.join(state, name) for name in ("lock", "lock.flock")}
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


def _put_all(staged: Sequence[tuple[Wanted, str]], present: dict[str, Present | None], state: str) -> None:
    done: list[Wanted] = []
    try:
        for each, temporary in staged:
            done.append(each)
            _put(each.path, temporary)
    except OSError:
        _drop(temporary for _each, temporary in staged)
        for each in reversed(done):
            _put_back(each, present[each.path], state)
        raise


def _put_back(wanted: Wanted, before: Present | None, state: str) -> bool:
    """Undo one write, if what lies there is still what was written. Whether it then lies there as before."""
    lies = _present(wanted.path)
    if (lies.hash if lies else None) != wanted.hash:
        return (lies.hash if lies else None) == (before.hash if before else None)
    if before is None:
        _put(wanted.path, "")
    else:
        _replace(wanted.path, before.content, before.mode, state, before)
    return True


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
        for directory in {os.path.dirname(path) for path in removed}:
            _sync(directory)
    return sorted(removed)


OPERATIONS: dict[str, Callable[..., Any]] = {
    operation.__name__: operation
    for operation in (about, free, processes, read, names, take, keep, release, write, sweep)
}
