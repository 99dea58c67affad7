# SPDX-License-Identifier: Apache-2.0
"""Two-stage supervisor of one child process tree; run by path: ``python -I -S supervisor.py``.

The JVM starts the *relay*; the relay forks the *watcher*, which leads a session of its own, adopts orphans
(``PR_SET_CHILD_SUBREAPER``) and starts the command in a further session. Ray ends an actor by SIGKILL to the
direct children of its JVM, and newer versions to its process group: that hits the relay only. The watcher then sees
the end of file of its standard input, whose only write end is in the JVM, and ends every descendant, however each of
them tried to detach itself. Should the watcher itself be killed, the command dies by its parent-death signal and the
relay, which is a subreaper too, ends the rest. Should both be killed, the JVM runs ``supervisor.py --sweep MARK PID``.
A stopped one is continued when its parent or the owner dies.

A fork server (``fork_server.py``) runs under one of these and forks others, which start their commands by forking too.

Protocol (docs/python-bridge.md has the whole): standard input is one JSON object on the first line, then command lines;
standard output is one JSON event per line. Python 3.9+, Linux, standard library only.
"""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from stat import S_ISFIFO, S_ISREG
from typing import IO, Any, NamedTuple, NoReturn, Protocol

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36

#: The supervisor could not start the command (bad specification, log file, working directory, ...).
EXIT_NOT_STARTED = 125
#: The command was not found or may not be executed (as shells say it).
EXIT_NOT_EXECUTABLE = 126
EXIT_NOT_FOUND = 127

DEFAULT_GRACE_S = 10.0
DEFAULT_OWNER_GRACE_S = 2.0
#: Longest wait for processes that SIGKILL does not end (uninterruptible sleep in a driver).
KILL_PATIENCE_S = 10.0
#: So many reads of output, of 64 KiB each, before everything else has its turn.
OUTPUT_CHUNKS = 16
#: So much output may wait for a slow log, in bytes.
MAX_BACKLOG = 8 << 20
#: After so long in one write the log counts as hung, in seconds: what then does not fit is lost.
LOG_PATIENCE_S = 5.0
#: So long what the command printed last may take to reach the log before its end is reported, in seconds.
FLUSH_S = 1.0
#: A variable of the command's environment: the size at which a new log is begun, in bytes; 0 for never.
LOG_BYTES = "SGLANG_RAY_LOG_BYTES"
DEFAULT_LOG_BYTES = 64 << 20
#: So many files of a log are kept: the log, and its older parts LOG.1 (the newest of them), LOG.2, ...
LOG_FILES = 4
#: A variable of the command's environment by which its descendants are found when no adopter is left.
MARK = "SGLANG_RAY_TREE"
#: How often a watcher without an owner is continued, in seconds.
CONTINUE_S = 1.0
#: So long all of a tree are stopped before they are killed, in seconds: those that are found only then get less.
FREEZE_S = 1.0
#: How much longer than the others a resource tracker may live, to remove the shared memory that they could not.
TRACKER_PATIENCE_S = 1.0
#: Where shared memory and semaphores have names.
SHARED_MEMORY = "/dev/shm"
#: What an engine's own is called: of SGLang, multiprocessing, NCCL, CUDA and the all-reduce of processors. What else
#: the tree has mapped may be another's, such as a trainer's (``psm_``, ``torch_``), who made it and removes it.
OWN_SHARED_MEMORY = (
    "sgl_shm_",
    "sglang_",
    "multi_tokenizer_args_",
    "sem.",
    "nccl-",
    "cuda.shm.",
    "deepspeed_allreduce_buffer",
)
#: Time between two looks at the process table while a tree is being ended, in seconds.
SCAN_INTERVAL_S = 0.05
#: So many processes that appear while a tree is asked to end are asked too; then it is killed, because they beget more.
MAX_NEWCOMERS = 256
#: Longest accepted line after the first one, in bytes.
MAX_COMMAND_LINE = 65536
#: By these names a supervisor shows in the process table.
RELAY_NAME = "sglray-relay"
WATCHER_NAME = "sglray-watcher"
#: How SGLang titles the processes without which an engine cannot work: schedulers, detokenizers, their controller.
RANK_TITLES = (b"sglang::", b"sgl_diffusion::")
#: Of these uvicorn starts another one when one ends.
REPLACED_TITLES = (b"sglang::tokeniz",)
#: So long the command may live on without one of its ranks, in seconds: to say why, and to end by itself.
RANK_PATIENCE_S = 0.5
#: A command that ends sooner than this after a rank did not end because of it: both had one cause.
SAME_CAUSE_S = 0.05
#: Time between two looks for new ranks, in seconds: while a command is young they are made, later hardly ever.
RANK_SCAN_S = (0.5, 30.0)
RANK_SCAN_PER_AGE = 0.05
#: A variable of the command's environment: with the value 0 the death of a rank is left to SGLang (elastic experts).
WATCH_RANKS = "SGLANG_RAY_WATCH_RANKS"

#: (pid, start time in clock ticks since boot): safe against reuse of process ids
Process = tuple[int, int]

try:
    import ctypes

    _libc = ctypes.CDLL(None, use_errno=True)
except (ImportError, OSError) as _error:
    os.write(1, b'{"event":"failed","error":"this Python cannot call the C library (its module ctypes is missing)"}\n')
    raise SystemExit(EXIT_NOT_STARTED) from _error


def prctl(option: int, value: Any) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"prctl({option}): {os.strerror(code)}")


def set_name(name: str) -> None:
    """Names the process for ``ps``; at most 15 bytes."""
    prctl(PR_SET_NAME, ctypes.c_char_p(name.encode()))


# ---------------------------------------------------------------------------------------------------------------
# The process table


class Stat(NamedTuple):
    """What the process table has of a process."""

    parent: int
    session: int
    start: int
    alive: bool
    name: bytes  # at most 15 bytes, of its title too
    status: int  # once it has ended: as waitpid would tell it


def read_stat(pid: int) -> Stat | None:
    """What there is to know of a process, or None when there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except OSError:
        return None
    fields = text[text.rfind(b")") + 2 :].split()
    if len(fields) < 50:
        return None
    # A zombie with several threads is a process whose first thread ended; it still runs.
    alive = fields[0] not in (b"Z", b"X", b"x") or int(fields[17]) > 1
    name = text[text.find(b"(") + 1 : text.rfind(b")")]
    return Stat(int(fields[1]), int(fields[3]), int(fields[19]), alive, name, int(fields[49]))


def tree(root: int) -> dict[int, Stat]:
    """All descendants of a process, nearest first."""
    children: dict[int, list[int]] = {}
    stats: dict[int, Stat] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            stat = read_stat(int(entry))
            if stat is not None:
                stats[int(entry)] = stat
                children.setdefault(stat.parent, []).append(int(entry))
    found: dict[int, Stat] = {}
    queue = [root]
    while queue:
        for pid in children.get(queue.pop(0), ()):
            queue.append(pid)
            found[pid] = stats[pid]
    return found


def descendants(root: int) -> list[Process]:
    """The living descendants of a process, nearest first."""
    return [(pid, stat.start) for pid, stat in tree(root).items() if stat.alive]


def ranks(root: int, command: int) -> list[Process]:
    """The living processes of the SGLang engine that the command below this process is, which must all live.

    A fork that has not become its own program yet has the title of its parent, which tells it from a rank. What this
    process adopted, because its parent ended, is not the command's, nor is what has another supervisor: below a Ray
    head there are whole engines.
    """
    below = tree(root)

    def is_of_command(pid: int) -> bool:
        parent = below[pid].parent
        while parent != command and parent in below and not is_supervisor(parent, below[parent]):
            parent = below[parent].parent
        return parent == command

    return [
        (pid, stat.start)
        for pid, stat in below.items()
        if stat.alive
        and stat.name.startswith(RANK_TITLES)
        and not stat.name.startswith(REPLACED_TITLES)
        and stat.parent in below
        and is_of_command(pid)
        and title(pid, stat) != title(stat.parent, below[stat.parent])
    ]


def title(pid: int, stat: Stat) -> str:
    """The whole title of a process whose name is the beginning of one; else its name."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            whole = file.read(256).split(b"\0")[0].strip()
    except OSError:
        whole = b""
    return (whole if whole.startswith(stat.name) else stat.name).decode(errors="replace")


def is_supervisor(pid: int, stat: Stat) -> bool:
    """Whether this is another one of these. One that was forked has the command line of its fork server."""
    if stat.name in (RELAY_NAME.encode(), WATCHER_NAME.encode()):
        return True
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return os.path.basename(__file__).encode() in file.read(4096)
    except OSError:
        return False


def is_resource_tracker(pid: int) -> bool:
    """Whether this is what multiprocessing has to remove shared memory and semaphores when their users are gone."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return b"multiprocessing.resource_tracker" in file.read(4096)
    except OSError:
        return False


def shared_memory(pid: int) -> set[tuple[int, int]]:
    """Device and inode of shared memory and semaphores that a process uses; by name a semaphore would not be found."""
    found = set()
    try:
        with open(f"/proc/{pid}/maps", "rb") as file:
            for line in file:
                fields = line.split(None, 5)
                if len(fields) == 6 and fields[5].startswith(f"{SHARED_MEMORY}/".encode()):
                    major, minor = (int(number, 16) for number in fields[3].split(b":"))
                    found.add((_device(os.makedev(major, minor)), int(fields[4])))
    except OSError:
        pass
    return found


def _device(number: int) -> int:
    """Tells the shared memory of containers with one process table apart, whose inodes have the same numbers."""
    # A folder of an overlay shows another device in /proc/PID/maps than its files have.
    return number if os.path.ismount(SHARED_MEMORY) else 0


def shared_memory_names() -> dict[str, tuple[int, int]]:
    """The paths of this user's shared memory and semaphores that may be an engine's own, with device and inode."""
    found = {}
    for name in os.listdir(SHARED_MEMORY) if os.path.isdir(SHARED_MEMORY) else ():
        if not name.startswith(OWN_SHARED_MEMORY):
            continue
        path = f"{SHARED_MEMORY}/{name}"
        try:
            stat = os.lstat(path)
        except OSError:
            continue  # its owner removed it just now
        if stat.st_uid == os.geteuid():
            found[path] = (_device(stat.st_dev), stat.st_ino)
    return found


def remove_shared_memory(segments: set[tuple[int, int]]) -> None:
    """Removes the names of shared memory that no process uses any more."""
    left = {path: segment for path, segment in shared_memory_names().items() if segment in segments}
    used: set[tuple[int, int]] = set()
    for entry in os.listdir("/proc") if left else ():
        if entry.isdigit():
            used |= shared_memory(int(entry))
    for path, segment in left.items():
        if segment not in used:
            try:
                os.unlink(path)
            except OSError:
                pass  # its owner did


def send_signal(process: Process, signum: int) -> None:
    """Signals exactly this process: never one that took over its number."""
    pid, start = process
    try:
        handle = os.pidfd_open(pid)
    except AttributeError:
        handle = -1
    except OSError as error:
        if error.errno == errno.ESRCH:
            return
        handle = -1  # a kernel without pidfd: the check below narrows the window to microseconds
    try:
        stat = read_stat(pid)
        if stat is None or stat.start != start:
            return
        if handle >= 0:
            signal.pidfd_send_signal(handle, signum)
        else:
            os.kill(pid, signum)
    except OSError:
        pass  # gone meanwhile, or not ours to signal: reported as a survivor
    finally:
        if handle >= 0:
            os.close(handle)


# ---------------------------------------------------------------------------------------------------------------
# Events


def emit(event: str, **fields: Any) -> None:
    """Writes one event in one write (shorter than a pipe's atomic size); a reader that left is no error."""
    line = json.dumps({"event": event, **fields}, separators=(",", ":")) + "\n"
    try:
        os.write(1, line.encode())
    except OSError:
        pass


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"


# ---------------------------------------------------------------------------------------------------------------
# The specification


class SpecificationError(Exception):
    """The first line is not what the protocol says. The text never quotes values: they may be secrets."""


class NotStarted(Exception):
    """The command could not be started."""

    def __init__(self, message: str, exit_code: int = EXIT_NOT_STARTED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value


def _seconds(spec: dict[str, Any], key: str, default: float) -> float:
    value = spec.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 86400:
        raise SpecificationError(f"{key}: expected seconds from 0 to 86400")
    return float(value)


class Specification:
    """What to run, from the first line of standard input."""

    KEYS = ("command", "env", "cwd", "stdin", "listen", "log_file", "grace_s", "owner_grace_s")

    def __init__(self, line: bytes) -> None:
        try:
            spec = json.loads(line.decode("utf-8"))
        except ValueError as error:
            position = getattr(error, "pos", None)
            raise SpecificationError(f"the first line is not JSON (near character {position})") from None
        if not isinstance(spec, dict):
            raise SpecificationError("the first line is not a JSON object")
        unknown = sorted(set(spec) - set(self.KEYS))
        if unknown:
            raise SpecificationError(f"unknown key {unknown[0]!r}; known: {', '.join(self.KEYS)}")
        command, env = spec.get("command"), spec.get("env")
        if (
            not isinstance(command, list)
            or not command
            or not all(_is_text(part) for part in command)
            or not command[0]
        ):
            raise SpecificationError("command: expected a non-empty list of strings")
        if env is not None and not (
            isinstance(env, dict) and all(k and "=" not in k and _is_text(k) and _is_text(v) for k, v in env.items())
        ):
            raise SpecificationError("env: expected an object of strings")
        for key in ("cwd", "stdin", "listen", "log_file"):
            if spec.get(key) is not None and not (
                isinstance(spec[key], str) if key == "stdin" else _is_text(spec[key])
            ):
                raise SpecificationError(f"{key}: expected a string or null")
        if spec.get("stdin") is not None and spec.get("listen") is not None:
            raise SpecificationError("listen: standard input cannot be both a text and a socket")
        self.command: list[str] = command
        self.env: dict[str, str] | None = env
        self.cwd: str | None = spec.get("cwd")
        self.stdin: str | None = spec.get("stdin")
        self.listen: str | None = spec.get("listen")
        self.log_file: str | None = spec.get("log_file")
        self.grace_s = _seconds(spec, "grace_s", DEFAULT_GRACE_S)
        self.owner_grace_s = _seconds(spec, "owner_grace_s", DEFAULT_OWNER_GRACE_S)


# ---------------------------------------------------------------------------------------------------------------
# Starting the command


def open_log(path: str | None) -> int:
    if path is None:
        return os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    try:
        parent = os.path.dirname(path)
        if parent:
            os.makedirs(parent, exist_ok=True)
        # To open a FIFO without a reader would wait for ever.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
        log = os.open(path, flags, 0o600)
    except OSError as error:
        raise NotStarted(f"cannot write the log file {path}: {error.strerror}") from None
    if S_ISFIFO(os.fstat(log).st_mode):
        os.close(log)
        raise NotStarted(f"cannot write the log file {path}: it is a FIFO")
    os.set_blocking(log, True)
    return log


def log_limit(env: dict[str, str]) -> int:
    text = env.get(LOG_BYTES, str(DEFAULT_LOG_BYTES))
    if not (text.isascii() and text.isdigit()):
        raise NotStarted(f"{LOG_BYTES} is {text!r}; expected the size of a log in bytes, or 0 for no limit")
    return int(text)


def prepare_child(watcher: int) -> None:
    """Runs in the new process before the command: the death of the watcher ends it, and no signal setting leaks."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != watcher:
        os._exit(EXIT_NOT_STARTED)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


class Log:
    """A file of bounded size: older parts are renamed, and the oldest goes. A full disk costs lines."""

    def __init__(self, descriptor: int, path: str | None = None, limit: int = 0) -> None:
        """``limit``: the size of the file in bytes, 0 for none."""
        self.descriptor = descriptor
        self.path = path
        self.limit = limit
        self.lost = 0  # bytes since the last that could be written

    def write(self, chunk: bytes) -> None:
        try:
            if self.lost:
                self._write(b"\n[sglang-ray: %d bytes of output could not be written here]\n" % self.lost)
                self.lost = 0
            self._write(chunk)
        except OSError:
            self.lost += len(chunk)

    def _write(self, chunk: bytes) -> None:
        if self.path is not None and self.limit:
            stat = os.fstat(self.descriptor)
            if S_ISREG(stat.st_mode) and 0 < stat.st_size > self.limit - len(chunk):
                self._rotate(self.path, stat)
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(self.descriptor, rest) :]

    def _rotate(self, path: str, ours: os.stat_result) -> None:
        """Begins a new file; where that fails the old one grows on."""
        try:
            if os.path.samestat(os.lstat(path), ours):
                for part in range(LOG_FILES - 1, 1, -1):
                    if os.path.lexists(f"{path}.{part - 1}"):
                        os.replace(f"{path}.{part - 1}", f"{path}.{part}")
                os.replace(path, f"{path}.1")
        except FileNotFoundError:
            pass  # another program has moved or removed it
        except OSError:
            return
        try:
            fresh = open_log(path)
        except NotStarted:
            return
        os.dup2(fresh, self.descriptor, inheritable=False)
        os.close(fresh)


def listening(path: str) -> socket.socket:
    """A Unix socket that listens, for this user only: connections wait there until the command accepts them."""
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        bound.bind(path)
        bound.listen(16)
    except OSError as error:
        bound.close()
        raise NotStarted(f"cannot listen at {path}: {error.strerror or error}") from None
    finally:
        os.umask(mask)
    return bound


class Child(Protocol):
    """The command, once it runs."""

    pid: int
    stdin: IO[bytes] | None  # where its payload goes
    returncode: int | Any


class Output:
    """What the tree prints, on its way to the log, which a thread writes: a hung log holds up nothing else."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.waiting: deque[bytes | int] = deque()  # for the thread; a number: so many bytes were lost here
        self.size = 0  # of what waits
        self.writing_since = float("inf")
        self.changed = threading.Condition()
        self.source, self.sink = os.pipe()
        os.set_blocking(self.source, False)

    def started(self) -> None:
        """The tree has its end. From now on there is a thread, so this process must not fork any more."""
        os.close(self.sink)
        threading.Thread(target=self._write_all, daemon=True).start()

    def not_started(self) -> None:
        """There is no tree."""
        os.close(self.sink)

    def pass_on(self) -> bool:
        """Takes what there is, or a good part of it; False once no process can print any more."""
        for _ in range(OUTPUT_CHUNKS):
            if not self.has_room():
                break
            try:
                chunk = os.read(self.source, 1 << 16)
            except BlockingIOError:
                break
            except OSError:
                return False
            if not chunk:
                return False
            self.write(chunk)
        return True

    def has_room(self) -> bool:
        """Whether it takes more. It takes and loses it where the log hangs."""
        return self.size < MAX_BACKLOG or self.hangs()

    def hangs(self) -> bool:
        return time.monotonic() - self.writing_since > LOG_PATIENCE_S

    def write(self, chunk: bytes) -> None:
        """Does not wait for the log."""
        with self.changed:
            if self.size < MAX_BACKLOG:
                self.waiting.append(chunk)
                self.size += len(chunk)
            else:
                last = self.waiting.pop()
                if isinstance(last, bytes):
                    self.waiting.append(last)
                    last = 0
                self.waiting.append(last + len(chunk))
            self.changed.notify_all()

    def flush(self) -> None:
        """Waits a moment until all of it is in the log."""
        with self.changed:
            self.changed.wait_for(lambda: not self.waiting or self.hangs(), FLUSH_S)

    def _write_all(self) -> None:
        while True:
            with self.changed:
                self.changed.wait_for(lambda: bool(self.waiting))
                piece = self.waiting[0]
                self.writing_since = time.monotonic()
            if isinstance(piece, bytes):
                self.log.write(piece)
            with self.changed:
                # What is lost after it may have been added to it meanwhile.
                piece = self.waiting.popleft()
                if isinstance(piece, int):
                    self.log.lost += piece
                else:
                    self.size -= len(piece)
                self.writing_since = float("inf")
                self.changed.notify_all()


def start(spec: Specification, output: Output) -> Child:
    """Runs the command as a program. A thread writes its output from then on."""
    watcher = os.getpid()
    child = None
    listener = None
    stdin = subprocess.DEVNULL if spec.stdin is None else subprocess.PIPE
    try:
        if spec.listen is not None:
            listener = listening(spec.listen)
            stdin = listener.fileno()
        child = subprocess.Popen(
            spec.command,
            env=spec.env,
            cwd=spec.cwd,
            stdin=stdin,
            stdout=output.sink,
            stderr=output.sink,
            bufsize=0,
            close_fds=True,
            start_new_session=True,
            preexec_fn=lambda: prepare_child(watcher),
        )
        return child
    except OSError as error:
        if spec.cwd is not None and error.filename == spec.cwd:
            raise NotStarted(f"working directory {spec.cwd}: {error.strerror}") from None
        name, reason = spec.command[0], error.strerror or str(error)
        if error.errno == errno.ENOENT and os.path.exists(name):
            raise NotStarted(f"cannot execute {name}: its interpreter was not found", EXIT_NOT_EXECUTABLE) from None
        if error.errno == errno.ENOENT:
            raise NotStarted(f"command not found: {name}", EXIT_NOT_FOUND) from None
        if error.errno == errno.E2BIG:
            raise NotStarted("the environment and arguments are larger than the system allows") from None
        raise NotStarted(f"cannot execute {name}: {reason}", EXIT_NOT_EXECUTABLE) from None
    except (ValueError, subprocess.SubprocessError) as error:
        raise NotStarted(f"cannot start {spec.command[0]}: {error}") from None
    finally:
        if listener is not None:
            listener.close()
        if child is None:
            output.not_started()
        else:
            output.started()


#: Starts a command, as :func:`start` does.
Starter = Callable[[Specification, Output], Child]


# ---------------------------------------------------------------------------------------------------------------
# The processes of an engine


class Ranks:
    """Tells at once when a process ends without which the engine cannot work, which SGLang may notice much later."""

    def __init__(self, poller: select.poll, command: int) -> None:
        self.poller = poller
        self.command = command
        self.watched: dict[int, tuple[Process, str]] = {}  # by pidfd
        self.known: set[Process] = set()
        self.shared: set[tuple[int, int]] = set()  # what they use of shared memory
        self.began = time.monotonic()
        self.next_scan = self.began + RANK_SCAN_S[0]
        self.death: str | None = None  # of the first that ended, in words
        self.died_at = float("inf")

    def scan(self) -> None:
        """Watches those that are new."""
        for process in ranks(os.getpid(), self.command):
            # They may end all at once, with the command, and then what they used is unknown.
            self.shared |= shared_memory(process[0])
            if process not in self.known and self.death is None:
                self.known.add(process)
                self.watch(process)
        now = time.monotonic()
        shortest, longest = RANK_SCAN_S
        self.next_scan = now + min(max(shortest, RANK_SCAN_PER_AGE * (now - self.began)), longest)

    def watch(self, process: Process) -> None:
        pid, start = process
        try:
            handle = os.pidfd_open(pid)
        except (AttributeError, OSError):
            return  # it has ended, or the kernel has no such thing: SGLang notices later
        stat = read_stat(pid)
        if stat is None or stat.start != start:
            os.close(handle)
            return
        self.watched[handle] = (process, title(pid, stat))
        self.poller.register(handle, select.POLLIN)

    def ended(self, handle: int) -> None:
        """One did."""
        (pid, start), name = self.watched.pop(handle)
        self.poller.unregister(handle)
        os.close(handle)
        if self.death is not None:
            return
        self.died_at = time.monotonic()
        stat = read_stat(pid)
        how = "ended"
        # Its parent may have asked already how it ended: then its status is gone.
        if stat is not None and stat.start == start and not stat.alive:
            if os.WIFSIGNALED(stat.status):
                how = f"was killed by {signal_name(os.WTERMSIG(stat.status))}"
            else:
                how = f"ended with exit code {os.WEXITSTATUS(stat.status)}"
        self.death = f"its process {pid} ({name}) {how}"

    def patience_ends(self) -> float:
        return self.died_at + RANK_PATIENCE_S


# ---------------------------------------------------------------------------------------------------------------
# The watcher


class Watcher:
    """Runs the command and ends its tree. Single-threaded: one poll over standard input, relay, signals, payload."""

    def __init__(self, relay: int, starter: Starter = start) -> None:
        self.starter = starter
        self.relay = relay  # read end of the pipe from the relay: bytes are terminate requests, the end is its death
        self.buffer = bytearray()
        self.spec: Specification | None = None
        self.child: Child | None = None
        self.output: Output | None = None
        self.status: int | None = None  # wait status of the command
        self.payload = memoryview(b"")
        self.payload_fd = -1
        self.reason: str | None = None  # why the tree is being ended: first cause wins
        self.kill_at = float("inf")  # monotonic time of SIGKILL
        self.give_up_at = float("inf")
        self.termed: set[Process] = set()
        self.newcomers = 0  # that were not there when the tree was first asked to end
        self.shared: set[tuple[int, int]] = set()  # shared memory that ranks used, or the tree when its end began
        self.shared_before: set[tuple[int, int]] = set()
        self.looked_into: set[Process] = set()
        self.announced = False
        self.cause: str | None = None
        self.listening = False  # to output
        self.output_ended = False
        self.wakeup, wakeup_write = os.pipe()
        os.set_blocking(self.wakeup, False)
        os.set_blocking(wakeup_write, False)
        signal.set_wakeup_fd(wakeup_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: self.end("terminate", None))
        self.poller = select.poll()
        for descriptor in (0, self.relay, self.wakeup):
            self.poller.register(descriptor, select.POLLIN)
        self.ranks: Ranks | None = None

    # -- causes of an end

    def end(self, reason: str, grace: float | None) -> None:
        """Begins (or hastens, never slows down) the end of the tree."""
        if grace is None:
            grace = self.spec.grace_s if self.spec else 0.0
        if self.reason is None:
            self.reason = reason
        self.kill_at = min(self.kill_at, time.monotonic() + grace)

    def look_at_ranks(self) -> None:
        """Ends an engine that has lost a process and does not end by itself."""
        if self.ranks is None or self.status is not None:
            return
        now = time.monotonic()
        if self.ranks.death is None:
            if now >= self.ranks.next_scan:
                self.ranks.scan()
                self.shared |= self.ranks.shared
        elif now >= self.ranks.patience_ends():
            if self.output is not None:
                self.output.write(f"\n[sglang-ray: {self.ranks.death}; the others are killed]\n".encode())
            # It had its time: what waits for its other processes now does so for a minute.
            self.end("rank_died", 0.0)

    def owner_died(self) -> None:
        self.end("owner_died", self.spec.owner_grace_s if self.spec else 0.0)

    # -- input

    def read_input(self) -> None:
        try:
            chunk = os.read(0, 1 << 18)
        except OSError:
            chunk = b""
        if not chunk:
            self.poller.unregister(0)
            self.owner_died()
            return
        searched = len(self.buffer)
        self.buffer += chunk
        while True:
            newline = self.buffer.find(b"\n", searched)
            if newline < 0:
                if self.spec is not None and len(self.buffer) > MAX_COMMAND_LINE:
                    self.buffer.clear()
                    emit("warning", message=f"a command line longer than {MAX_COMMAND_LINE} bytes was ignored")
                return
            line = bytes(self.buffer[:newline])
            del self.buffer[: newline + 1]
            searched = 0
            if self.spec is None:
                self.launch(line)
            elif line.strip():
                self.command(line)

    def read_relay(self) -> None:
        try:
            requests = os.read(self.relay, 64)
        except OSError:
            requests = b""
        if requests:
            self.end("terminate", None)
        else:
            self.poller.unregister(self.relay)
            self.owner_died()

    def command(self, line: bytes) -> None:
        try:
            message = json.loads(line.decode("utf-8"))
            operation = message["op"]
            if operation == "terminate":
                self.end("terminate", _seconds(message, "grace_s", self.spec.grace_s if self.spec else 0.0))
            elif operation == "kill":
                self.end("kill", 0.0)
            elif operation == "kill_command":
                if self.child is not None and self.status is None:
                    os.kill(self.child.pid, signal.SIGKILL)
            elif operation == "look":
                if self.ranks is not None:
                    self.ranks.next_scan = 0.0
            else:
                emit("warning", message="unknown op; known: terminate, kill, kill_command, look")
        except (ValueError, KeyError, TypeError):
            expected = '{"op":"terminate","grace_s":N}, {"op":"kill"}, {"op":"kill_command"} or {"op":"look"}'
            emit("warning", message=f"a line was ignored; expected {expected}")
        except SpecificationError as error:
            emit("warning", message=str(error))

    # -- the child

    def launch(self, line: bytes) -> None:
        self.spec = Specification(line)
        if self.reason is not None:  # the owner went before the command was started
            return
        self.shared_before = set(shared_memory_names().values())
        limit = log_limit(self.spec.env or {})
        self.output = Output(Log(open_log(self.spec.log_file), self.spec.log_file, limit))
        self.child = self.starter(self.spec, self.output)
        self.listen()
        emit("started", pid=self.child.pid, supervisor_pid=os.getpid())
        if self.spec.listen is None and (self.spec.env or {}).get(WATCH_RANKS) != "0":
            self.ranks = Ranks(self.poller, self.child.pid)
        if self.child.stdin is not None and self.spec.stdin is not None:
            self.payload = memoryview(self.spec.stdin.encode("utf-8", "surrogatepass"))
            self.payload_fd = self.child.stdin.fileno()
            os.set_blocking(self.payload_fd, False)
            self.poller.register(self.payload_fd, select.POLLOUT)
            self.feed()
        self.spec.stdin = None
        self.spec.env = None

    def feed(self) -> None:
        """Writes as much of the payload as the pipe takes; a child that never reads costs nothing but the pipe."""
        try:
            while self.payload:
                self.payload = self.payload[os.write(self.payload_fd, self.payload[: 1 << 16]) :]
        except BlockingIOError:
            return
        except OSError:
            pass  # the child closed its end: its own business
        self.stop_feeding()

    def stop_feeding(self) -> None:
        if self.payload_fd >= 0 and self.child is not None and self.child.stdin is not None:
            self.poller.unregister(self.payload_fd)
            self.child.stdin.close()
            self.payload = memoryview(b"")
            self.payload_fd = -1

    def reap(self) -> bool:
        """Collects the ended; true when nothing is left: a subreaper without children has no descendants at all."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == 0:
                return False
            if self.child is not None and pid == self.child.pid:
                self.status = status
                self.child.returncode = os.waitstatus_to_exitcode(status)  # keeps Popen from waiting for it
                self.stop_feeding()

    def outcome(self) -> dict[str, Any]:
        if self.status is None:
            return {"code": None, "signal": None}
        cause = {} if self.cause is None else {"cause": self.cause}
        if os.WIFSIGNALED(self.status):
            return {"code": None, "signal": signal_name(os.WTERMSIG(self.status)), **cause}
        return {"code": os.WEXITSTATUS(self.status), "signal": None, **cause}

    def lingers(self) -> bool:
        """Whether what the command leaves behind is to run on: what a fork server forked has supervisors of its own."""
        return self.spec is not None and self.spec.listen is not None

    def stop_listening(self) -> None:
        if self.spec is not None and self.spec.listen is not None:
            try:
                os.unlink(self.spec.listen)
            except OSError:
                pass

    def find_cause(self) -> str | None:
        """The rank whose death the command's own end followed."""
        ended = time.monotonic()
        if self.ranks is None or self.status == 0 or self.reason not in (None, "rank_died"):
            return None
        return self.ranks.death if ended - self.ranks.died_at >= SAME_CAUSE_S else None

    # -- the loop

    def run(self) -> int:
        """Returns the exit code for the watcher once nothing of the tree is left."""
        while True:
            empty = self.reap()
            if self.status is not None:
                if not self.announced:
                    self.announced = True
                    self.cause = self.find_cause()
                    self.flush_output()  # its last words are in the log before anybody looks for them
                    self.stop_listening()
                    emit("main_exited", **self.outcome())
                if self.reason is None and (empty or not self.lingers()):
                    self.end("exited", self.spec.owner_grace_s if self.spec else 0.0)
            if self.reason is None:
                self.look_at_ranks()
            if self.reason is not None:
                if empty:
                    return self.finish([])
                self.sweep()
            if time.monotonic() > self.give_up_at:
                return self.finish([pid for pid, _ in descendants(os.getpid())])
            self.listen()
            for descriptor, events in self.poller.poll(self.timeout()):
                if descriptor == 0:
                    self.read_input()
                elif descriptor == self.relay:
                    self.read_relay()
                elif descriptor == self.payload_fd:
                    self.feed() if events & select.POLLOUT else self.stop_feeding()
                elif descriptor == self.wakeup:
                    self.drain()
                elif self.ranks is not None and descriptor in self.ranks.watched:
                    self.ranks.ended(descriptor)
                elif self.output is not None and descriptor == self.output.source:
                    self.pass_output_on()

    def timeout(self) -> float | None:
        """How long to wait for the next thing to happen, in milliseconds."""
        held_up = self.output is not None and not self.listening and not self.output_ended
        if self.reason is not None or held_up:
            return SCAN_INTERVAL_S * 1000
        if self.ranks is None:
            return None
        due = self.ranks.next_scan if self.ranks.death is None else self.ranks.patience_ends()
        return max(0.0, due - time.monotonic()) * 1000 + 1

    def listen(self) -> None:
        """Output wakes this up as long as the log can take it."""
        if self.output is None or self.output_ended:
            return
        wanted = self.output.has_room()
        if wanted and not self.listening:
            self.poller.register(self.output.source, select.POLLIN)
        elif self.listening and not wanted:
            self.poller.unregister(self.output.source)
        self.listening = wanted

    def pass_output_on(self) -> None:
        if self.output is not None and not self.output_ended and not self.output.pass_on():
            self.output_ended = True
            if self.listening:
                self.poller.unregister(self.output.source)

    def flush_output(self) -> None:
        if self.output is not None:
            if not self.output.has_room():
                self.output.flush()
            self.pass_output_on()
            self.output.flush()

    def drain(self) -> None:
        try:
            while os.read(self.wakeup, 512):
                pass
        except BlockingIOError:
            pass

    def sweep(self) -> None:
        """One look at the tree: signals what is new or overdue."""
        running = descendants(os.getpid())
        for process in running:
            # Before it is asked to end: SGLang then kills what would remove its shared memory.
            if process not in self.looked_into:
                self.looked_into.add(process)
                self.shared |= shared_memory(process[0])
        now = time.monotonic()
        if now < self.kill_at:
            newcomers = [process for process in running if process not in self.termed]
            if self.termed:
                self.newcomers += len(newcomers)
            if self.newcomers <= MAX_NEWCOMERS:
                for process in newcomers:
                    self.termed.add(process)
                    send_signal(process, signal.SIGTERM)
                return
            self.kill_at = now
        if self.give_up_at == float("inf"):
            self.give_up_at = now + KILL_PATIENCE_S
        kill_all(all_but_trackers if now < self.kill_at + TRACKER_PATIENCE_S else own_descendants)

    def finish(self, survivors: list[int]) -> int:
        if self.child is None:
            return EXIT_NOT_STARTED
        self.flush_output()
        if not survivors:
            remove_shared_memory(self.shared - self.shared_before)
        extra = {"survivors": survivors[:32]} if survivors else {}
        emit("exited", **self.outcome(), reason=self.reason, **extra)
        if self.status is None:
            return EXIT_NOT_STARTED
        if os.WIFSIGNALED(self.status):
            return 128 + os.WTERMSIG(self.status)
        return os.WEXITSTATUS(self.status)


def kill_all(find: Callable[[], list[Process]]) -> None:
    """Kills what is found. All are stopped first, until no more appear: whatever forks in a loop cannot outrun that."""
    stopped: dict[Process, None] = {}
    end = time.monotonic() + FREEZE_S
    while True:
        fresh = [process for process in find() if process not in stopped]
        for process in fresh:
            send_signal(process, signal.SIGSTOP)
        stopped.update(dict.fromkeys(fresh))
        if not fresh or time.monotonic() > end:
            break
    for process in stopped:
        send_signal(process, signal.SIGKILL)


def own_descendants() -> list[Process]:
    return descendants(os.getpid())


def all_but_trackers() -> list[Process]:
    """Its descendants without those that remove shared memory when the others are gone."""
    return [process for process in own_descendants() if not is_resource_tracker(process[0])]


def watch(relay: int, starter: Starter) -> int:
    set_name(WATCHER_NAME)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    continue_with_parent()
    watcher = Watcher(relay, starter)
    try:
        return watcher.run()
    except SpecificationError as error:
        emit("failed", error=f"bad specification: {error}")
        return EXIT_NOT_STARTED
    except NotStarted as error:
        emit("failed", error=str(error))
        return error.exit_code


# ---------------------------------------------------------------------------------------------------------------
# The relay


def continue_with_parent() -> None:
    """Should this process be stopped when its parent dies, it continues: otherwise it would end nothing."""
    prctl(PR_SET_PDEATHSIG, signal.SIGCONT)


def relay_loop(watcher: int, requests: int, shared_before: set[tuple[int, int]]) -> int:
    """Waits for the watcher; SIGTERM becomes a terminate request; an unnatural death of the watcher is cleaned up."""

    def request(*_: Any) -> None:
        try:
            os.write(requests, b"T")
        except OSError:
            pass

    signal.signal(signal.SIGTERM, request)
    status = await_watcher(watcher)
    # However it ended: what it failed to end is a child of this process now.
    begin = time.monotonic()
    shared: set[tuple[int, int]] = set()
    while has_children() and time.monotonic() < begin + KILL_PATIENCE_S:
        for pid, _ in own_descendants():
            shared |= shared_memory(pid)
        kill_all(own_descendants if time.monotonic() > begin + TRACKER_PATIENCE_S else all_but_trackers)
        time.sleep(SCAN_INTERVAL_S)
    remove_shared_memory(shared - shared_before)
    if os.WIFEXITED(status):
        return os.WEXITSTATUS(status)
    emit("exited", code=None, signal="SIGKILL", reason="supervisor_killed")
    return 128 + signal.SIGKILL


def await_watcher(watcher: int) -> int:
    """Its wait status. Once the owner is dead the watcher is continued again and again, should it be stopped."""
    wakeup, wakeup_write = os.pipe()
    for descriptor in (wakeup, wakeup_write):
        os.set_blocking(descriptor, False)
    signal.set_wakeup_fd(wakeup_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    poller = select.poll()
    poller.register(wakeup, select.POLLIN)
    poller.register(0, select.POLLRDHUP)  # nothing but the end of all its writers
    owner_lives = True
    while True:
        ended, status = os.waitpid(watcher, os.WNOHANG)
        if ended:
            return status
        for descriptor, _ in poller.poll(None if owner_lives else CONTINUE_S * 1000):
            if descriptor == wakeup:
                os.read(wakeup, 512)
            else:
                poller.unregister(0)
                owner_lives = False
        if not owner_lives:
            os.kill(watcher, signal.SIGCONT)


def has_children() -> bool:
    """Whether any is left, those that have ended being collected."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


# ---------------------------------------------------------------------------------------------------------------
# The sweep


def marked(mark: str, command: int) -> list[Process]:
    """The living processes of a command that no supervisor has any more, and what is below them.

    They are known by the mark in their environment, which a process that gives itself a title overwrites, or by the
    command's session.
    """
    entry = f"{MARK}={mark}".encode()
    found: dict[int, Stat] = {}
    for number in os.listdir("/proc"):
        if number.isdigit() and int(number) != os.getpid():
            stat = read_stat(int(number))
            if stat is not None and (stat.session == command or entry in environment(int(number))):
                found.update({int(number): stat, **tree(int(number))})
    return [(pid, stat.start) for pid, stat in found.items() if stat.alive]


def environment(pid: int) -> list[bytes]:
    """That of a process of this user; else none."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read().split(b"\0")
    except OSError:
        return []


def sweep(mark: str, command: int) -> int:
    """Kills what is left of a command. 0 when nothing is."""
    deadline = time.monotonic() + KILL_PATIENCE_S
    while marked(mark, command):
        if time.monotonic() > deadline:
            return 1
        kill_all(lambda: marked(mark, command))
        time.sleep(SCAN_INTERVAL_S)
    return 0


class Forked(BaseException):
    """Raised where a starter has forked, in the new process: it unwinds the supervisor and runs the command."""


def supervise(starter: Starter = start) -> NoReturn:
    """Is a supervisor from here on: of the command that the first line of standard input says."""
    # A Ctrl-C in the terminal reaches the whole foreground group: what then ends, and how, is for the JVM to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    code = EXIT_NOT_STARTED
    try:
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        requests_read, requests_write = os.pipe()
        shared_before = set(shared_memory_names().values())
        watcher = os.fork()
        if watcher == 0:
            os.close(requests_write)
            os.setsid()
            code = watch(requests_read, starter)
        else:
            set_name(RELAY_NAME)
            continue_with_parent()
            os.close(requests_read)
            code = relay_loop(watcher, requests_write, shared_before)
    except Forked:
        raise
    except BaseException as error:  # the last line of defence: nothing may outlive a defect in here
        os.closerange(3, 1 << 16)  # there may have been no descriptor left to look at the processes with
        kill_all(own_descendants)
        emit("failed", error=f"the supervisor failed: {type(error).__name__}: {error}")
    sys.stderr.flush()
    os._exit(code)


def main() -> NoReturn:
    if len(sys.argv) == 4 and sys.argv[1] == "--sweep":
        sys.exit(sweep(sys.argv[2], int(sys.argv[3])))
    supervise()


if __name__ == "__main__":
    main()
