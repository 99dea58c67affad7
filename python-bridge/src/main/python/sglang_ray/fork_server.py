# SPDX-License-Identifier: Apache-2.0
"""``python -m sglang_ray.fork_server KIND [OPTION…]``: imports SGLang once, for engines that are forked from here.

Standard input is a Unix socket that listens. The first connection is the owner's: it gets one line, ``ready`` or
``unfit``, and its end is the end of this process. Each further connection becomes standard input and output of a
supervisor (``supervisor.py``) that is forked for it; its first line is ``forked``, or ``stale`` when this process must
be replaced. From then on the connection has the supervisor's protocol. A command that runs a module of this package is
forked from there, so that it has everything imported; any other is executed.

A supervisor and what it starts do not depend on this process once they are forked.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISSOCK
from typing import IO, Any, NoReturn

from sglang_ray import cpu, cuda_questions, engine, read_ahead, shown, spawning, supervisor
from sglang_ray.environment import prepare_engine
from sglang_ray.errors import BridgeError

#: How this process shows in the process table.
NAME = "sglray-forks"
#: What is imported for each kind of server, plugins after the first. What SGLang does not have is left out.
PRELOADED = {
    "srt": (
        "sglang.srt.server_args",
        "sglang.launch_server",
        "sglang.srt.entrypoints.http_server",
        "sglang.srt.managers.scheduler",
        "sglang.srt.managers.detokenizer_manager",
        "sglang.srt.managers.tokenizer_manager",
        "sglang.srt.managers.data_parallel_controller",
        "sglang.srt.model_executor.model_runner",
        "sglang.srt.models.registry",
    ),
    "embodied": (
        "sglang.multimodal_gen.runtime.server_args",
        "sglang.multimodal_gen.runtime.launch_server",
        "sglang.multimodal_gen.runtime.managers.scheduler",
    ),
}
#: Arrow's allocator starts a thread when it is loaded, unless this variable says otherwise.
ALLOCATOR = "JE_ARROW_MALLOC_CONF"
#: The memory of this process may grow by so much before it counts as stale, in bytes.
MAX_GROWTH = 256 << 20
#: Sockets that are older are looked at, in seconds.
ABANDONED_AFTER_S = 60.0

_RUNNER = str(Path(__file__).with_name("run_module.py"))
_CUDA_NOT_INITIALIZED = 3
_NO_MARK = "-" * 36  # as long as the marks that an owner gives


class Unfit(Exception):
    """Nothing can be forked from here; the text says why.

    ``chosen``: nothing is wrong, such a machine has no forks.
    """

    def __init__(self, why: str, *, chosen: bool = False) -> None:
        super().__init__(why)
        self.chosen = chosen


class Forked(supervisor.Forked):
    """Raised in the first process of a command when all is prepared and only the module is left to run."""

    def __init__(self, module: str, arguments: list[str]) -> None:
        super().__init__()
        self.module = module
        self.arguments = arguments


def preload(kind: str, device: str | None) -> dict[str, str | None]:
    """Imports what a server of this kind will import. Does not touch an accelerator.

    Returns the variables of the environment that imports have changed: what they are now, None for those that are gone.
    """
    if kind not in PRELOADED:
        raise Unfit(f"there is no server of kind {kind!r}")
    prepare_engine(os.environ)
    imports: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
    if not cpu.has_own_cpu_engine(os.environ):
        if not engine.is_processor_asked_for(device):
            imports = without_cuda()
        try:
            if engine.on_processor({"device": device}):
                cpu.prepare(os.environ)
        except BridgeError as error:
            raise Unfit(str(error)) from None
    before = dict(os.environ)
    with imports:
        import_modules(kind)
    names = {*before, *os.environ}
    changed = {name: os.environ.get(name) for name in names if os.environ.get(name) != before.get(name)}
    prepare_engine(os.environ)  # an engine does so with what they have changed
    threads = threads_after_fork()
    if threads > 1:
        raise Unfit(f"the imports start threads, which no fork has ({threads - 1} beside the first)")
    return changed


@contextlib.contextmanager
def without_cuda() -> Iterator[None]:
    """Imports within find the devices of CUDA described, and cannot use them."""
    given = os.environ.get(ALLOCATOR)
    os.environ[ALLOCATOR] = given or "background_thread:false"
    try:
        import torch

        if torch.version.cuda is None:
            raise Unfit("torch is not built for CUDA", chosen=True)
        with cuda_questions.answered(cuda_questions.from_driver()):
            yield
    except ImportError as error:
        raise Unfit(str(error), chosen=True) from None
    except cuda_questions.NoAnswer as error:
        # A machine without the driver has no NVIDIA GPUs, whatever torch was built for.
        raise Unfit(str(error), chosen=isinstance(error, cuda_questions.NoDriver)) from None
    finally:
        del os.environ[ALLOCATOR]
        if given is not None:
            os.environ[ALLOCATOR] = given


def hook_memory_saver() -> None:
    """Executes this program again with the library of torch's memory saver, which must be there when one begins.

    Returns where it is there, and where there is none.
    """
    if spawning.MEMORY_SAVER in os.environ.get("LD_PRELOAD", ""):
        return
    prepare_engine(os.environ)  # the library needs torch's CUDA runtime
    try:
        import torch_memory_saver

        with torch_memory_saver.configure_subprocess():
            os.execv(sys.executable, [sys.executable, _RUNNER, "-m", "sglang_ray.fork_server", *sys.argv[1:]])
    except Exception as error:  # an engine will say so, too
        engine.say(f"engines that are forked have no memory saver: {type(error).__name__}: {error}")


def import_modules(kind: str) -> None:
    found = 0
    for name in PRELOADED[kind]:
        try:
            importlib.import_module(name)
            found += 1
            if found == 1 and kind == "srt":
                engine.load_plugins()
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise Unfit(f"the import of {name} failed: {error}") from None
        except Exception as error:
            raise Unfit(f"the import of {name} failed: {type(error).__name__}: {error}") from None
        if cuda_is_initialized():
            raise Unfit(f"the import of {name} initialises CUDA, which no fork can use then")
    if found == 0:
        raise Unfit(f"SGLang has none of the modules {', '.join(PRELOADED[kind])}")


def threads_after_fork() -> int:
    """How many threads there are. OpenBLAS starts some when it is loaded, and ends them by itself before a fork."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return len(os.listdir("/proc/self/task"))


def cuda_is_initialized() -> bool:
    """Whether this process has used CUDA, or its driver alone."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        return True
    try:
        driver = ctypes.CDLL("libcuda.so.1", mode=os.RTLD_NOLOAD)
        return bool(driver.cuDeviceGetCount(ctypes.byref(ctypes.c_int())) != _CUDA_NOT_INITIALIZED)
    except (OSError, AttributeError):
        return False  # it is not even loaded


def imported_files() -> dict[str, tuple[int, int] | None]:
    """The files of all imported modules, with time of change and size."""
    paths = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    return {path: _version(path) for path in paths if isinstance(path, str)}


def _version(path: str) -> tuple[int, int] | None:
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size


def memory() -> int:
    """Resident memory of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class ForkServer:
    """What this process is once it has imported everything. One thread."""

    def __init__(self, listener: socket.socket, owner: socket.socket, changed: dict[str, str | None]) -> None:
        self.listener = listener
        self.owner = owner
        self.changed = changed
        #: Descriptors that imports opened.
        self.kept = descriptors() - {listener.fileno(), owner.fileno()}
        self.imported_with = spawning.load_time(os.environ)
        self.files = imported_files()
        self.name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        gc.collect()
        gc.freeze()
        self.memory = memory()

    def serve(self) -> None:
        """Returns when the owner has ended, or this process is stale. Raises :class:`Forked` in what it forks."""
        wakeup, wakeup_write = os.pipe()
        for descriptor in (wakeup, wakeup_write):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(wakeup_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        poller = select.poll()
        for descriptor in (self.listener.fileno(), self.owner.fileno(), wakeup):
            poller.register(descriptor, select.POLLIN)
        while True:
            for descriptor, _ in poller.poll():
                if descriptor == wakeup:
                    self.reap(wakeup)
                elif descriptor == self.owner.fileno() or not self.accept():
                    return

    def reap(self, wakeup: int) -> None:
        os.read(wakeup, 512)
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                engine.say(f"the supervisor {pid} has ended ({os.waitstatus_to_exitcode(status)})")
        except ChildProcessError:
            pass

    def accept(self) -> bool:
        """Forks a supervisor for the next connection; False when this process is stale."""
        connection, _ = self.listener.accept()
        with connection:
            why = self.stale()
            if why is not None:
                engine.say(f"this fork server is stale: {why}")
                send(connection, "stale", error=why)
                return False
            sys.stdout.flush()
            sys.stderr.flush()
            try:
                pid = os.fork()
            except OSError as error:
                engine.say(f"cannot fork: {error.strerror}")
                return True
            if pid == 0:
                self.supervise(connection)
        return True

    def stale(self) -> str | None:
        """Why a new fork server is better than this one, or None."""
        for path, version in self.files.items():
            if _version(path) != version:
                return f"{path} has changed since it was imported"
        grown = memory() - self.memory
        return None if grown < MAX_GROWTH else f"its memory has grown by {grown >> 20} MiB"

    def supervise(self, connection: socket.socket) -> NoReturn:
        """In the fork: is a supervisor, and ends when its owner's connection closes."""
        os.setsid()
        for descriptor in (0, 1):
            os.dup2(connection.fileno(), descriptor)
        for each in (connection, self.listener, self.owner):
            each.close()
        shown.show([sys.executable, supervisor.__file__], f"{supervisor.MARK}={_NO_MARK}")
        supervisor.emit("forked", pid=os.getpid())
        supervisor.supervise(self.start)

    def start(self, spec: supervisor.Specification, output: supervisor.Output) -> supervisor.Child:
        """Starts a supervisor's command: forks where it is a module of this package, else executes it."""
        if spec.command[1:3] != [_RUNNER, "-m"] or len(spec.command) < 4:
            return supervisor.start(spec, output)
        watcher = os.getpid()
        stdin, payload = (os.open(os.devnull, os.O_RDONLY), None) if spec.stdin is None else os.pipe()
        failure, fail = os.pipe()
        pid = os.fork()
        if pid == 0:
            self.become(spec, watcher, stdin, output.sink, fail)
        os.close(stdin)
        os.close(fail)
        with open(failure, "rb") as file:
            failed = file.read()
        if failed:
            output.not_started()
            os.waitpid(pid, 0)
            raise supervisor.NotStarted(failed.decode(errors="replace"))
        output.started()
        return Child(pid, None if payload is None else open(payload, "wb", buffering=0))

    def become(self, spec: supervisor.Specification, watcher: int, stdin: int, output: int, fail: int) -> NoReturn:
        """In the fork of a supervisor: becomes the first process of the command."""
        try:
            supervisor.prepare_child(watcher)
            signal.set_wakeup_fd(-1)
            # As Python has it when it begins.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGPIPE, signal.SIG_IGN)
            os.setsid()
            for descriptor, number in ((stdin, 0), (output, 1), (output, 2)):
                os.dup2(descriptor, number)
            for descriptor in descriptors() - self.kept - {0, 1, 2, fail}:
                os.close(descriptor)
            if spec.cwd is not None:
                try:
                    os.chdir(spec.cwd)
                except OSError as error:
                    raise supervisor.NotStarted(f"working directory {spec.cwd}: {error.strerror}") from None
            if spec.env is not None:
                environment = {**spec.env, **self.changed}
                os.environ.clear()
                os.environ.update({name: value for name, value in environment.items() if value is not None})
            mark = os.environ.get(supervisor.MARK, _NO_MARK)
            shown.show(spec.command, f"{supervisor.MARK}={mark}")
            supervisor.set_name(self.name)
            spawning.fresh_randomness()
        except BaseException as error:
            os.write(fail, str(error).encode(errors="replace") or b"unknown")
            os._exit(supervisor.EXIT_NOT_STARTED)
        os.close(fail)
        raise Forked(spec.command[3], spec.command[4:])


class Child:
    """A command that was forked."""

    def __init__(self, pid: int, stdin: IO[bytes] | None) -> None:
        self.pid = pid
        self.stdin = stdin
        self.returncode: int | None = None


def descriptors() -> set[int]:
    """Those that this process has open."""
    found = set()
    for entry in os.listdir("/proc/self/fd"):
        try:
            os.fstat(int(entry))
            found.add(int(entry))
        except OSError:
            pass  # the list was read by it
    return found


def remove_abandoned_sockets(folder: str) -> None:
    """Removes sockets at which no process listens any more: a supervisor that is killed with its JVM leaves one.

    A connection would be an order to the fork server that listens. So this asks with a socket of another type, which is
    refused in another way where some process has the socket.
    """
    for name in os.listdir(folder):
        path = Path(folder, name)
        try:
            stat = path.lstat()
            # One that is being made has its name before it has its process.
            if S_ISSOCK(stat.st_mode) and time.time() - stat.st_mtime > ABANDONED_AFTER_S:
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asking:
                    asking.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
        except OSError:
            pass


def send(connection: socket.socket, event: str, **fields: Any) -> None:
    try:
        connection.sendall(json.dumps({"event": event, **fields}).encode() + b"\n")
    except OSError:
        pass  # the other end has left


def run() -> int:
    """Runs the fork server; in a forked process, the module of its command."""
    arguments = sys.argv[1:]
    parser = argparse.ArgumentParser(prog="python -m sglang_ray.fork_server")
    parser.add_argument("kind", metavar="KIND", help="srt or embodied")
    parser.add_argument("--device", help="the engines' argument 'device'")
    parser.add_argument("--memory-saver", action="store_true", help="the engines have enable_memory_saver")
    parser.add_argument("--read-ahead", metavar="MODEL", help="a folder whose weights the kernel reads meanwhile")
    parser.add_argument("--load-format", help="the engines' argument 'load_format'")
    options = parser.parse_args(arguments)
    begin = time.monotonic()
    if options.memory_saver and not engine.is_processor_asked_for(options.device):
        hook_memory_saver()
    shown.prepare()
    mark = os.environ.get(supervisor.MARK, _NO_MARK)
    shown.show([sys.executable, _RUNNER, "-m", "sglang_ray.fork_server", *arguments], f"{supervisor.MARK}={mark}")
    supervisor.set_name(NAME)
    listener = socket.socket(fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    remove_abandoned_sockets(os.path.dirname(listener.getsockname()))
    if options.kind == "srt":
        read_ahead.begin(options.read_ahead, options.load_format)
    unfit, changed = None, {}
    try:
        changed = preload(options.kind, options.device)
    except Unfit as error:
        unfit = error
    owner, _ = listener.accept()
    if unfit is not None:
        engine.say(f"engines cannot be forked: {unfit}")
        send(owner, "unfit", error=str(unfit), chosen=unfit.chosen)
        return 0
    server = ForkServer(listener, owner, changed)
    seconds = round(time.monotonic() - begin, 1)
    engine.say(f"ready to fork engines (process {os.getpid()}, after {seconds} s)")
    send(owner, "ready", seconds=seconds)
    try:
        server.serve()
    except Forked as forked:
        command = forked
    else:
        return 0
    del listener, owner
    spawning.begin(server.imported_with)
    sys.argv[:] = [command.module, *command.arguments]
    importlib.invalidate_caches()
    runpy.run_module(command.module, run_name="__main__", alter_sys=True)
    return 0


def main() -> int:
    """As :func:`run`, also in processes that a forked engine starts."""
    try:
        return run()
    except spawning.Forked as forked:
        process = forked
    return process.run()


if __name__ == "__main__":
    sys.exit(main())
