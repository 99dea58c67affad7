# SPDX-License-Identifier: Apache-2.0
"""Processes that ``multiprocessing`` would spawn, forked from one that has imported everything and has done nothing.

A spawned process of SGLang imports for as long as its parent did. :func:`begin` forks a *pristine* process before its
caller has threads or an accelerator. From then on a ``Process`` of the start method ``spawn`` is forked from there, in
the caller and in all such processes: it gets the environment, the search path and the arguments as a spawned one does.
Where a fresh interpreter is needed (another executable, a variable that counts when a program is loaded), and once the
pristine process is gone, it is spawned.

To its parent such a process is as one of the start method ``forkserver``. For the kernel the pristine process is the
parent; it passes SIGQUIT, by which SGLang's processes report a failure, on to its own.
"""

from __future__ import annotations

import io
import os
import pickle
import random
import select
import signal
import socket
import struct
import sys
import time
import traceback
from multiprocessing import (
    context,
    forkserver,
    popen_forkserver,
    popen_spawn_posix,
    process,
    reduction,
    resource_tracker,
    spawn,
    util,
)
from pathlib import Path
from typing import Any, NoReturn

from sglang_ray import shown
from sglang_ray.supervisor import MARK, PR_SET_PDEATHSIG, prctl, set_name

#: Variables that begin so are read only when an interpreter starts or imports.
LOAD_TIME = ("LD_", "PYTHON", "OMP_", "KMP_", "MKL_", "OPENBLAS_", "GOMP_")
#: What is in the path of the library that torch's memory saver has preloaded.
MEMORY_SAVER = "torch_memory_saver"
#: For so many seconds the process table shows how a process ended; a supervisor reads it there.
ENDED_S = 1.0
#: How the pristine process shows in the process table.
NAME = "sglray-pristine"

_MOST_DESCRIPTORS = 64
_LENGTH = struct.Struct("!Q")


def load_time(env: Any) -> dict[str, str]:
    """The part of an environment that cannot be changed in a running interpreter."""
    return {name: value for name, value in env.items() if name.startswith(LOAD_TIME)}


def _fitting(name: str, imported_with: str | None) -> tuple[str | None, ...]:
    """The values of a variable with which a process can be forked from one that has imported with this value."""
    if name != "LD_PRELOAD" or imported_with is None:
        return (imported_with,)
    # The saver's library does nothing until it is asked. SGLang asks for it in schedulers only.
    others = ":".join(path for path in imported_with.split(":") if MEMORY_SAVER not in path)
    return (imported_with, others or None)


class Forked(BaseException):
    """Raised in a new process: it unwinds the stack and runs what ``multiprocessing`` has for it."""

    def __init__(self, data: int, sentinel: int) -> None:
        super().__init__()
        self.data = data
        self.sentinel = sentinel

    def run(self) -> int:
        """As :func:`multiprocessing.spawn.spawn_main`, whose exit code it returns."""
        return int(spawn._main(self.data, self.sentinel))


class Spawning:
    """The link of one process, and all that it starts, to the pristine process."""

    def __init__(self, requests: socket.socket, imported_with: dict[str, str]) -> None:
        self.requests = requests
        self.imported_with = imported_with
        self.executable = os.fsencode(spawn.get_executable())

    def misfit(self) -> str | None:
        """Why a fork will not do, or None."""
        if os.fsencode(spawn.get_executable()) != self.executable:
            return f"its interpreter is {os.fsdecode(spawn.get_executable())}"
        now = load_time(os.environ)
        differing = sorted(
            name
            for name in {*now, *self.imported_with}
            if now.get(name) not in _fitting(name, self.imported_with.get(name))
        )
        return f"{', '.join(differing)} changed since the imports" if differing else None

    def request(self, descriptors: list[Any]) -> None:
        socket.send_fds(self.requests, [b"f"], descriptors)


def begin(imported_with: dict[str, str]) -> None:
    """From here on spawned processes are forked. In each of them :class:`Forked` is raised here.

    The caller must have one thread.

    Args:
        imported_with: what :func:`load_time` said of the environment when everything was imported.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    link = Spawning(ours, imported_with)

    def start(process_obj: Any) -> Any:
        why = link.misfit()
        if why is None:
            try:
                return _Popen(process_obj, link)
            except (ConnectionError, EOFError):
                why = "the process to fork from has ended"
        print(f"sglang_ray: {process_obj.name} imports for itself: {why}", file=sys.stderr, flush=True)
        return popen_spawn_posix.Popen(process_obj)

    context.SpawnProcess._Popen = staticmethod(start)  # type: ignore[method-assign]
    parent = os.getpid()
    if os.fork() == 0:
        try:
            _Pristine(theirs, parent).serve()
        except Forked:
            raise
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    theirs.close()


class _Popen(popen_forkserver.Popen):
    """A process that is being started, or was."""

    method = "spawn"
    _fds: list[int]  # which the process is to have too

    def __init__(self, process_obj: Any, link: Spawning) -> None:
        self._link = link
        super().__init__(process_obj)

    def _launch(self, process_obj: Any) -> None:
        preparation = spawn.get_preparation_data(process_obj._name)
        buffer = io.BytesIO()
        context.set_spawning_popen(self)
        try:
            reduction.dump(preparation, buffer)
            reduction.dump(process_obj, buffer)
        finally:
            context.set_spawning_popen(None)
        environment = pickle.dumps(dict(os.environ))
        from_child, to_parent = os.pipe()
        from_parent, to_child = os.pipe()
        try:
            given: list[Any] = [from_parent, to_parent, resource_tracker.getfd(), *self._fds]
            self._link.request(given)
            os.close(to_parent)
            to_parent = -1
            self.pid = forkserver.read_signed(from_child)
            os.close(from_parent)
            from_parent = -1
            with open(to_child, "wb", closefd=False) as file:
                file.write(_LENGTH.pack(len(environment)) + environment)
                file.write(buffer.getbuffer())
        except BaseException:
            os.close(from_child)
            os.close(to_child)
            raise
        finally:
            for descriptor in (to_parent, from_parent):
                if descriptor >= 0:
                    os.close(descriptor)
        self.sentinel = from_child
        # The end of the other pipe is by what the child sees the end of this process.
        self.finalizer = util.Finalize(self, _close, (from_child, to_child))


class _Pristine:
    """The process that is forked. One thread; it executes nothing that it is given, its children do."""

    def __init__(self, requests: socket.socket, parent: int) -> None:
        self.requests = requests
        self.children: dict[int, int] = {}  # where to write how each ended
        self.ended: list[tuple[float, int]] = []  # when, and which
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        self.name = Path("/proc/self/comm").read_text().strip()
        set_name(NAME)
        show("-m", "sglang_ray.spawning")
        self.wakeup, wakeup_write = os.pipe()
        for descriptor in (self.wakeup, wakeup_write):
            os.set_blocking(descriptor, False)
        self.wakeup_write = wakeup_write
        self.handlers = {
            signal.SIGCHLD: signal.signal(signal.SIGCHLD, lambda *_: None),
            signal.SIGQUIT: signal.signal(signal.SIGQUIT, lambda *_: os.kill(parent, signal.SIGQUIT)),
            signal.SIGINT: signal.signal(signal.SIGINT, signal.SIG_IGN),  # for those whose terminal it is
        }
        signal.set_wakeup_fd(wakeup_write, warn_on_full_buffer=False)

    def serve(self) -> NoReturn:
        poller = select.poll()
        for descriptor in (self.requests.fileno(), self.wakeup):
            poller.register(descriptor, select.POLLIN)
        while True:
            for descriptor, _ in poller.poll(self.bury()):
                if descriptor == self.wakeup:
                    self.reap()
                else:
                    message, descriptors, _, _ = socket.recv_fds(self.requests, 1, _MOST_DESCRIPTORS)
                    if not message:
                        os._exit(0)  # nothing is left that could ask
                    self.fork(*descriptors)

    def fork(self, data: int, said: int, *others: int) -> None:
        pid = os.fork()
        if pid == 0:
            self.become(data, said, *others)
        os.close(data)
        for descriptor in others:
            os.close(descriptor)
        self.children[pid] = said
        self.say(said, pid)

    def become(self, data: int, said: int, tracker: int, *others: int) -> NoReturn:
        signal.set_wakeup_fd(-1)
        for number, action in self.handlers.items():
            signal.signal(number, action)
        for descriptor in (said, self.wakeup, self.wakeup_write, *self.children.values()):
            os.close(descriptor)
        self.requests.close()
        set_name(self.name)
        show("-c", "from multiprocessing.spawn import spawn_main", "--multiprocessing-fork")
        resource_tracker._resource_tracker._fd = tracker  # type: ignore[attr-defined]
        forkserver._forkserver._inherited_fds = list(others)  # type: ignore[attr-defined]
        environment = pickle.loads(_read(data, *_LENGTH.unpack(_read(data, _LENGTH.size))))
        os.environ.clear()
        os.environ.update(environment)
        fresh_randomness()
        raise Forked(data, os.dup(data))

    def reap(self) -> None:
        try:
            while os.read(self.wakeup, 512):
                pass
        except BlockingIOError:
            pass
        for pid, said in list(self.children.items()):
            ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is not None:
                exited = ended.si_code == os.CLD_EXITED
                self.say(said, ended.si_status if exited else -ended.si_status)
                os.close(self.children.pop(pid))
                self.ended.append((time.monotonic(), pid))

    def bury(self) -> float | None:
        """Lets go of those that ended a while ago; returns how long the next one has, in milliseconds."""
        now = time.monotonic()
        while self.ended and now - self.ended[0][0] >= ENDED_S:
            os.waitpid(self.ended.pop(0)[1], 0)
        return (self.ended[0][0] + ENDED_S - now) * 1000 + 1 if self.ended else None

    def say(self, descriptor: int, number: int) -> None:
        try:
            forkserver.write_signed(descriptor, number)
        except OSError:
            pass  # its parent has ended


def show(*arguments: str) -> None:
    """What process lists show as the command line."""
    shown.show([sys.executable, *arguments], f"{MARK}={os.environ.get(MARK, '')}")


def _read(descriptor: int, size: int) -> bytes:
    """So many bytes, and none more: others read on."""
    found = b""
    while len(found) < size:
        chunk = os.read(descriptor, size - len(found))
        if not chunk:
            os._exit(1)  # its parent has ended
        found += chunk
    return found


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def fresh_randomness() -> None:
    """What a new interpreter draws from the system, drawn again: two forks of one process must not agree on it."""
    process.current_process().authkey = os.urandom(32)
    random.seed()
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        numpy.seed()
