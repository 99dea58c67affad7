# SPDX-License-Identifier: Apache-2.0
"""The fork server with a stand-in for SGLang: what is forked is as what is executed, and does not depend on it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sglang_ray import supervisor
from supervised import RUNNER, SGLANG, Forked, ForkServer, Supervised, alive, read_event, wait_until
from test_router import free_port

Opener = Callable[..., ForkServer]
#: Nothing is adapted to a processor, and no accelerator is looked for.
NO_PROCESSOR = {"SGLANG_RAY_DEVICE": "", "SGLANG_USE_CPU_ENGINE": "1"}


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opener]:
    """Makes fork servers, each in a folder of its own."""
    servers: list[ForkServer] = []

    def open_one(
        modules: dict[str, str] | None = None, arguments: tuple[str, ...] = ("--device", "cpu"), **env: str
    ) -> ForkServer:
        folder = tmp_path / f"server{len(servers)}"
        folder.mkdir()
        servers.append(ForkServer(folder, {**SGLANG, **(modules or {})}, env, arguments=arguments))
        return servers[-1]

    yield open_one
    for server in servers:
        server.close()


@pytest.fixture
def server(opened: Opener) -> ForkServer:
    found = opened()
    assert found.verdict()["event"] == "ready", found.log()
    return found


@pytest.fixture
def forked(tmp_path: Path, server: ForkServer) -> Iterator[Forked]:
    running = Forked(tmp_path, server)
    yield running
    running.clean_up()


def printed(forked: Supervised) -> Any:
    """What the command printed as its only line, a JSON value."""
    wait_until(lambda: forked.log().endswith("\n"))
    return json.loads(forked.log())


LOOK = """
import json, os, signal, sys, threading
from pathlib import Path
def names(number): return [n for n in range(1, 32) if number >> (n - 1) & 1]
status = dict(line.split(":\\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\\t" in line)
print(json.dumps({
    "argv": sys.argv[1:], "name": __name__, "stdin": sys.stdin.read(), "cwd": os.getcwd(), "env": dict(os.environ),
    "ignored": names(int(status["SigIgn"], 16)), "caught": names(int(status["SigCgt"], 16)),
    "blocked": status["SigBlk"],
    "threads": len(os.listdir("/proc/self/task")), "leader": os.getsid(0) == os.getpid(), "path": sys.path,
    "descriptors": sorted(int(entry) for entry in os.listdir("/proc/self/fd")), "comm": status["Name"],
}), flush=True)
"""


def looked(supervised: Supervised, command: list[str], tmp_path: Path, env: dict[str, str]) -> dict[str, Any]:
    supervised.log_file = tmp_path / f"{uuid.uuid4()}.log"
    supervised.start(command, env=env, stdin="payload é", cwd=str(tmp_path))
    assert supervised.last_event()["code"] == 0, supervised.log()
    found: dict[str, Any] = printed(supervised)
    return found


def test_what_is_forked_is_as_what_is_executed(forked: Forked, tmp_path: Path, server: ForkServer) -> None:
    command = [*forked.fork(LOOK), "one", "two words"]
    env = {
        **os.environ,
        "PYTHONPATH": f"{Path(RUNNER).parents[1]}:{server.modules}",
        "ADDED": "ä",
        "PYTHONUNBUFFERED": "1",
    }
    env.pop("HOME", None)
    executed = Supervised(tmp_path)
    there = looked(executed, command, tmp_path, env)
    executed.clean_up()
    here = looked(forked, command, tmp_path, env)
    assert here["threads"] == 1
    ours = {"descriptors", "comm", "caught", "path"}
    assert {key: here[key] for key in here.keys() - ours} == {key: there[key] for key in there.keys() - ours}
    assert here["env"] == env
    assert [entry for entry in here["path"] if "cpu_site" not in entry] == there["path"]
    # Beside its own input and output: the link to the process from which it forks its own, and the list itself.
    assert here["descriptors"][:3] == [0, 1, 2]
    assert len(here["descriptors"]) == len(there["descriptors"]) + 1


def test_what_imports_change_in_the_environment_is_changed_in_an_engine(opened: Opener, tmp_path: Path) -> None:
    code = "import os\nos.environ['KMP_ADDED'] = 'yes'\nos.environ['CHANGED'] = 'b'\ndel os.environ['REMOVED']"
    given = {"CHANGED": "a", "REMOVED": "a"}
    server = opened({"sglang/launch_server.py": code}, **given)
    assert server.verdict()["event"] == "ready"
    engine = Forked(tmp_path, server)
    spawns = """
import multiprocessing, os
from sglang_ray import cpu
def child(): print(os.environ["KMP_ADDED"], os.environ["CHANGED"], os.environ.get("REMOVED"), flush=True)
if __name__ == "__main__":
    cpu.prepare(os.environ)
    child()
    process = multiprocessing.get_context("spawn").Process(target=child)
    process.start()
    process.join()
"""
    path = f"{Path(RUNNER).parents[1]}:{server.modules}"
    engine.start(engine.fork(spawns), env={**os.environ, "PYTHONPATH": path, **given})
    assert engine.last_event()["code"] == 0, engine.log()
    assert engine.log() == "yes b None\n" * 2
    engine.clean_up()


WAIT = "import signal, os; print(os.getpid(), flush=True)\nwhile True: signal.pause()"


def test_the_process_table_shows_the_command_and_its_mark(forked: Forked) -> None:
    mark = str(uuid.uuid4())
    command = forked.fork(WAIT)
    forked.start(command, env={**os.environ, "SGLANG_RAY_TREE": mark})
    pid = forked.event()["pid"]
    wait_until(lambda: forked.log() != "")
    shown = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").decode().split("\0")
    assert " ".join(command).startswith(" ".join(shown))
    assert Path(RUNNER).name in " ".join(shown)
    assert pid in [process for process, _ in supervisor.marked(mark, 0)]
    # Their own sweep must find neither of them: each has an owner that may live.
    own = os.environ.get("SGLANG_RAY_TREE", "")
    for supervising in (forked.relay.pid, forked.watcher):
        environment = supervisor.environment(supervising)
        assert f"SGLANG_RAY_TREE={mark}".encode() not in environment
        assert f"SGLANG_RAY_TREE={own}".encode() not in environment
        stat = supervisor.read_stat(supervising)
        assert stat is not None
        assert supervisor.is_supervisor(supervising, stat)
    assert Path(f"/proc/{forked.relay.pid}/comm").read_text().strip() == supervisor.RELAY_NAME


def test_secrets_of_an_engine_are_nowhere_in_the_fork_server(forked: Forked, server: ForkServer) -> None:
    secret = "s3cret-token"
    forked.start(forked.fork(WAIT), env={**os.environ, "API_KEY": secret}, stdin=secret)
    forked.event()
    wait_until(lambda: forked.log() != "")
    for pid in (server.process.pid, forked.relay.pid, forked.watcher, *forked.tree()):
        assert secret.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
    for pid in (server.process.pid, forked.relay.pid, forked.watcher):
        assert secret.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
    assert secret not in server.log()


def test_a_command_that_is_no_module_of_python_is_executed(forked: Forked) -> None:
    forked.start(["sh", "-c", "echo $0 $PPID"])
    pid = forked.event()["pid"]
    assert pid
    forked.last_event()
    assert forked.log() == f"sh {forked.watcher}\n"


def test_a_working_folder_that_is_missing_is_said(forked: Forked) -> None:
    forked.start(forked.fork(WAIT), cwd="/no/such/folder")
    assert "working directory /no/such/folder: No such file or directory" in forked.last_event()["error"]
    assert forked.relay.wait(5) == 125


def test_an_exit_code_and_a_traceback_are_those_of_a_program(forked: Forked, tmp_path: Path) -> None:
    forked.start(forked.fork("import atexit; atexit.register(print, 'at exit'); raise SystemExit(7)"))
    assert forked.last_event() == {"event": "exited", "code": 7, "signal": None, "reason": "exited"}
    assert forked.log() == "at exit\n"
    other = Forked(tmp_path / "other", forked.server)
    other.start(other.fork("raise RuntimeError('broken')"))
    assert other.last_event()["code"] == 1
    assert other.log().splitlines()[-1] == "RuntimeError: broken"
    other.clean_up()


# -- the fork server itself


def test_an_engine_does_not_depend_on_a_fork_server_that_is_killed(forked: Forked, server: ForkServer) -> None:
    forked.start(forked.fork(WAIT))
    pid = forked.event()["pid"]
    server.process.kill()
    server.process.wait()
    assert read_to_end(server.owner) == b""
    forked.send({"op": "nonsense"})
    assert forked.event()["event"] == "warning"
    assert alive(pid)
    forked.close_input()
    assert forked.last_event()["reason"] == "owner_died"
    wait_until(lambda: not [each for each in (*forked.pids, forked.relay.pid) if alive(each)])
    forked.relay = subprocess.Popen(["true"])  # the fork server, which would say how it ended, is gone


def read_to_end(connection: socket.socket) -> bytes:
    found = b""
    while chunk := connection.recv(4096):
        found += chunk
    return found


def test_the_end_of_its_owner_is_its_end_and_not_that_of_an_engine(forked: Forked, server: ForkServer) -> None:
    forked.start(forked.fork(WAIT))
    pid = forked.event()["pid"]
    server.owner.close()
    assert server.process.wait(20) == 0
    assert alive(pid)
    forked.send({"op": "kill"})
    assert forked.last_event()["signal"] == "SIGKILL"
    forked.relay = subprocess.Popen(["true"])


def test_a_connection_that_ends_before_it_says_anything_starts_nothing(server: ForkServer) -> None:
    connection = server.connect()
    relay = ForkedPid(read_event(connection))
    connection.close()
    wait_until(lambda: f"the supervisor {relay.pid} has ended (125)" in server.log())


class ForkedPid:
    def __init__(self, event: dict[str, Any]) -> None:
        assert event["event"] == "forked"
        self.pid = int(event["pid"])


def test_a_stopped_fork_server_answers_nothing_and_starts_nothing_later(server: ForkServer) -> None:
    os.kill(server.process.pid, signal.SIGSTOP)
    connection = server.connect()
    connection.settimeout(0.3)
    with pytest.raises(socket.timeout):
        connection.recv(1)
    connection.close()
    os.kill(server.process.pid, signal.SIGCONT)
    wait_until(lambda: "has ended (125)" in server.log())


def test_connections_wait_for_the_imports(opened: Opener) -> None:
    server = opened({"sglang/launch_server.py": "import time; time.sleep(0.5)"})
    waiting = server.connect()
    assert server.verdict()["event"] == "ready"
    assert read_event(waiting)["event"] == "forked"
    waiting.close()


def test_a_changed_file_makes_it_stale(server: ForkServer) -> None:
    path = server.modules / "sglang/srt/server_args.py"
    path.write_text("changed = True\n")
    connection = server.connect()
    assert read_event(connection) == {"event": "stale", "error": f"{path} has changed since it was imported"}
    assert server.process.wait(20) == 0


def test_sockets_that_no_process_has_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "forks"
    folder.mkdir()
    (folder / "no socket").touch()
    with supervisor.listening(str(folder / "used")) as used:
        for name in ("abandoned", "just made"):
            supervisor.listening(str(folder / name)).close()
        for name in ("abandoned", "used", "no socket"):
            os.utime(folder / name, (0, 0))
        server = ForkServer(folder)
        assert server.verdict()["event"] == "ready"
        left = {path.name for path in folder.iterdir() if not path.is_dir()}
        assert left == {"no socket", "used", "just made", "socket", "fork-server.log"}
        used.setblocking(False)
        with pytest.raises(BlockingIOError):
            used.accept()  # nothing was connected
        server.close()


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("raise RuntimeError('no driver')", "the import of sglang.launch_server failed: RuntimeError: no driver"),
        ("import no_such_module", "the import of sglang.launch_server failed: No module named 'no_such_module'"),
        (
            "import threading, time; threading.Thread(target=time.sleep, args=(600,), daemon=True).start()",
            "the imports start threads, which no fork has (1 beside the first)",
        ),
        (
            "import sys, types\n"
            "sys.modules['torch'] = types.SimpleNamespace(cuda=types.SimpleNamespace(is_initialized=lambda: True))",
            "the import of sglang.launch_server initialises CUDA, which no fork can use then",
        ),
    ],
)
def test_imports_after_which_nothing_can_be_forked_are_said(opened: Opener, code: str, text: str) -> None:
    server = opened({"sglang/launch_server.py": code})
    assert server.verdict() == {"event": "unfit", "error": text, "chosen": False}
    assert server.process.wait(20) == 0


# -- under a supervisor of its own


def under_supervisor(tmp_path: Path, running: Supervised) -> ForkServer:
    """A fork server that a supervisor started."""

    class Owned(ForkServer):
        def __init__(self) -> None:
            self.modules = tmp_path / "modules"
            (self.modules / "sglang/srt").mkdir(parents=True)
            for name in ("sglang/__init__.py", "sglang/srt/__init__.py", "sglang/srt/server_args.py"):
                (self.modules / name).touch()
            self.path = str(tmp_path / "socket")
            self.log_file = running.log_file
            package = Path(RUNNER).parents[1]
            running.start(
                [sys.executable, RUNNER, "-m", "sglang_ray.fork_server", "srt", "--device", "cpu"],
                env={**os.environ, "PYTHONPATH": f"{package}:{self.modules}", "PYTHONUNBUFFERED": "1"},
                listen=self.path,
                owner_grace_s=5,
            )
            running.event()
            self.owner = self.connect()
            assert self.verdict()["event"] == "ready"

    return Owned()


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Supervised]:
    """The supervisor of a fork server."""
    running = Supervised(tmp_path)
    yield running
    running.clean_up()


def engine_of(server: ForkServer, folder: Path) -> tuple[Forked, int]:
    engine = Forked(folder / "engine", server)
    engine.start(engine.fork(WAIT), owner_grace_s=0.2)
    pid = engine.event()["pid"]
    wait_until(lambda: engine.log() != "")
    return engine, pid


def test_what_was_forked_outlives_the_fork_server_and_not_its_supervisors_end(
    tmp_path: Path, keeper: Supervised
) -> None:
    server = under_supervisor(tmp_path, keeper)
    engine, pid = engine_of(server, tmp_path)
    keeper.send({"op": "kill_command"})
    assert keeper.event()["event"] == "main_exited"
    assert not Path(server.path).exists()
    engine.send({"op": "nonsense"})
    assert engine.event()["event"] == "warning"
    assert alive(pid)
    keeper.send({"op": "terminate"})
    assert keeper.last_event()["reason"] == "terminate"
    assert not [each for each in (pid, engine.watcher, engine.relay.pid) if alive(each)]
    os.close(engine.output)


def test_its_supervisor_ends_with_the_last_of_what_was_forked(tmp_path: Path, keeper: Supervised) -> None:
    server = under_supervisor(tmp_path, keeper)
    engine, _ = engine_of(server, tmp_path)
    server.owner.close()
    assert keeper.event() == {"event": "main_exited", "code": 0, "signal": None}
    engine.send({"op": "kill"})
    assert engine.last_event()["signal"] == "SIGKILL"
    assert keeper.event() == {"event": "exited", "code": 0, "signal": None, "reason": "exited"}
    os.close(engine.output)


@pytest.mark.parametrize(
    "killed",
    [
        ["relay of the engine"],
        ["watcher of the engine"],
        ["relay of the engine", "watcher of the engine", "owner"],
        ["relay", "owner"],
        ["watcher"],
        ["relay", "watcher", "owner"],
        ["fork server", "relay", "watcher", "owner"],
        ["fork server", "owner"],
        ["owner"],
    ],
    ids=", ".join,
)
def test_whatever_is_killed_nothing_is_left(tmp_path: Path, keeper: Supervised, killed: list[str]) -> None:
    """The owner's death is the end of all its connections."""
    server = under_supervisor(tmp_path, keeper)
    main = next(iter(keeper.pids - {keeper.watcher}))
    engine, pid = engine_of(server, tmp_path)
    pids = {
        "relay of the engine": engine.relay.pid,
        "watcher of the engine": engine.watcher,
        "relay": keeper.relay.pid,
        "watcher": keeper.watcher,
        "fork server": main,
    }
    engine.pids |= set(pids.values())
    for name in killed:
        if name != "owner":
            os.kill(pids[name], signal.SIGKILL)
    of_engine_only = all("engine" in name for name in killed)
    if "owner" in killed:
        engine.close_input()
        keeper.close_input()
        server.owner.close()
    gone = [pid, engine.relay.pid, engine.watcher] if of_engine_only else [pid, *pids.values()]
    wait_until(lambda: not [each for each in gone if alive(each)])
    assert not of_engine_only or alive(main)
    os.close(engine.output)


# As SGLang's schedulers: nothing tracks it.
MAPPING = """
import mmap, signal
with open({path!r}, "w+b") as file:
    file.truncate(4096)
    kept = mmap.mmap(file.fileno(), 4096)
print("mapped", flush=True)
while True: signal.pause()
"""


@pytest.mark.parametrize("killed", ["relay", "watcher"])
def test_its_supervisors_end_leaves_no_shared_memory_of_engines(
    tmp_path: Path, keeper: Supervised, killed: str
) -> None:
    server = under_supervisor(tmp_path, keeper)
    segment = Path("/dev/shm", f"sglang_loads_{os.getpid()}.shm")
    engine = Forked(tmp_path / "engine", server)
    engine.start(engine.fork(MAPPING.format(path=str(segment))))
    wait_until(lambda: engine.log() == "mapped\n")
    assert segment.exists()
    os.kill(keeper.relay.pid if killed == "relay" else keeper.watcher, signal.SIGKILL)
    wait_until(lambda: not segment.exists())
    os.close(engine.output)


# -- multiprocessing

# As an engine on the processor.
PREPARE = """
import os
from sglang_ray import cpu, environment
if __name__ == "__main__":
    environment.prepare_engine(os.environ)
    cpu.prepare(os.environ)
"""

MULTIPROCESSING = (
    PREPARE
    + """
import json, multiprocessing, os, signal, sys, time
import sglang.srt.server_args as imported

def child(queue, what):
    import random
    queue.put({
        "what": what, "imported_by": imported.PID, "pid": os.getpid(), "parent": os.getppid(),
        "environ": os.environ.get("CHANGED"),
        "argv": sys.argv[1:], "random": random.random(), "method": multiprocessing.get_start_method(),
        "pipe": signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN,
        "quit": signal.getsignal(signal.SIGQUIT) == signal.SIG_DFL,
    })

def nested(queue, what):
    grandchild = multiprocessing.Process(target=child, args=(queue, what))
    grandchild.start()
    grandchild.join()
    sys.exit(grandchild.exitcode)

def failing():
    os.kill(os.getppid(), signal.SIGQUIT)
    time.sleep(600)

def ending(how):
    if how == "exit": sys.exit(5)
    if how == "error": raise ValueError("broken")
    os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    multiprocessing.set_start_method("spawn", force=True)
    os.environ["CHANGED"] = "since"
    queue = multiprocessing.Queue()
    said = []
    for target, what in ((child, "plain"), (child, "plain"), (nested, "nested")):
        process = multiprocessing.Process(target=target, args=(queue, what))
        process.start()
        said.append(queue.get())
        process.join()
        assert process.exitcode == 0, process.exitcode
    codes = []
    for how in ("exit", "error", "kill"):
        process = multiprocessing.Process(target=ending, args=(how,))
        process.start()
        process.join()
        assert not process.is_alive()
        codes.append(process.exitcode)
    sleeping = multiprocessing.Process(target=time.sleep, args=(600,))
    sleeping.start()
    assert sleeping.is_alive() and not multiprocessing.connection.wait([sleeping.sentinel], 0)
    sleeping.terminate()
    assert multiprocessing.connection.wait([sleeping.sentinel], 20)
    sleeping.join()
    codes.append(sleeping.exitcode)
    os.environ["LD_PRELOAD"] = ""
    spawned = multiprocessing.Process(target=child, args=(queue, "executed"))
    spawned.start()
    said.append(queue.get())
    spawned.join()
    del os.environ["LD_PRELOAD"]
    def failed(*_):
        print(json.dumps({"said": said, "codes": codes, "pid": os.getpid()}), flush=True)
        os._exit(9)
    signal.signal(signal.SIGQUIT, failed)
    multiprocessing.Process(target=failing).start()
    while True: signal.pause()
"""
)


def test_spawned_processes_are_forked_and_are_as_spawned_ones(opened: Opener, tmp_path: Path) -> None:
    server = opened({"sglang/srt/server_args.py": "import os\nPID = os.getpid()\n"})
    assert server.verdict()["event"] == "ready"
    engine = Forked(tmp_path, server)
    env = {**os.environ, "PYTHONPATH": f"{Path(RUNNER).parents[1]}:{server.modules}"}
    engine.start([*engine.fork(MULTIPROCESSING), "an argument"], env=env)
    # What fails tells its parent by SIGQUIT, which reaches the engine.
    assert engine.last_event()["code"] == 9, engine.log()
    found = json.loads(next(line for line in engine.log().splitlines() if line.startswith('{"said')))
    plain, again, nested, executed = found["said"]
    assert {each["imported_by"] for each in (plain, again, nested)} == {server.process.pid}
    assert executed["imported_by"] == executed["pid"]
    assert plain["parent"] == again["parent"] == nested["parent"] != found["pid"]
    for each in found["said"]:
        assert (each["environ"], each["argv"], each["method"]) == ("since", ["an argument"], "spawn")
        assert each["pipe"]
        assert each["quit"]
    assert len({each["random"] for each in found["said"]}) == 4
    assert found["codes"] == [5, 1, -signal.SIGKILL, -signal.SIGTERM]
    assert "ValueError: broken" in engine.log()
    assert engine.log().count(" imports for itself: LD_PRELOAD changed since the imports\n") == 1
    engine.clean_up()


KILLED_PRISTINE = (
    PREPARE
    + """
import multiprocessing, os, signal
from pathlib import Path
def child(): print("child", flush=True)
if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    # One thread has started all of its children so far.
    for child_pid in map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()):
        os.kill(child_pid, signal.SIGKILL)
        os.waitpid(child_pid, 0)
    process = multiprocessing.Process(target=child)
    process.start()
    process.join()
    print("exit", process.exitcode, flush=True)
"""
)


def test_without_the_pristine_process_they_are_spawned(forked: Forked, server: ForkServer) -> None:
    env = {**os.environ, "PYTHONPATH": f"{Path(RUNNER).parents[1]}:{server.modules}"}
    forked.start(forked.fork(KILLED_PRISTINE), env=env)
    assert forked.last_event()["code"] == 0, forked.log()
    assert forked.log().splitlines() == [
        "sglang_ray: Process-1 imports for itself: the process to fork from has ended",
        "child",
        "exit 0",
    ]


RANKS = (
    PREPARE
    + """
import ctypes, multiprocessing, os, signal, time
def rank():
    ctypes.CDLL(None).prctl(15, b"sglang::schedul")
    print("rank", os.getpid(), flush=True)
    time.sleep(600)
if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    multiprocessing.Process(target=rank).start()
    while True: signal.pause()
"""
)


def test_the_death_of_a_rank_that_was_forked_is_the_death_of_the_engine(forked: Forked, server: ForkServer) -> None:
    env = {**os.environ, "PYTHONPATH": f"{Path(RUNNER).parents[1]}:{server.modules}"}
    forked.start(forked.fork(RANKS), env=env)
    pid = forked.event()["pid"]
    wait_until(lambda: forked.log().endswith("\n"))
    rank = int(forked.log().split()[1])
    assert supervisor.ranks(forked.watcher, pid) == [(rank, supervisor.read_stat(rank).start)]  # type: ignore[union-attr]
    forked.send({"op": "look"})
    wait_until(lambda: any(f"Pid:\t{rank}\n" in each for each in handles(forked.watcher)))
    os.kill(rank, signal.SIGKILL)
    event = forked.last_event()
    assert event["reason"] == "rank_died"
    assert event["cause"] == f"its process {rank} (sglang::schedul) was killed by SIGKILL"


def handles(pid: int) -> list[str]:
    found = []
    for entry in Path(f"/proc/{pid}/fdinfo").iterdir():
        try:
            found.append(entry.read_text())
        except OSError:
            continue
    return found


def test_the_kill_of_an_engine_ends_what_it_forked(forked: Forked, server: ForkServer) -> None:
    env = {**os.environ, "PYTHONPATH": f"{Path(RUNNER).parents[1]}:{server.modules}", "SGLANG_RAY_WATCH_RANKS": "0"}
    forked.start(forked.fork(RANKS), env=env)
    pid = forked.event()["pid"]
    wait_until(lambda: forked.log().endswith("\n"))
    pids = forked.tree()
    assert len(pids) == 4  # the command, the pristine process, the rank, the resource tracker
    os.kill(pid, signal.SIGKILL)
    assert forked.last_event()["signal"] == "SIGKILL"
    assert not [each for each in pids if alive(each)]


SAVER = """
import contextlib, os
@contextlib.contextmanager
def configure_subprocess():
    before = os.environ.get("LD_PRELOAD")
    os.environ["LD_PRELOAD"] = ":".join(filter(None, ["{library}", before]))
    yield
    if before is None: del os.environ["LD_PRELOAD"]
    else: os.environ["LD_PRELOAD"] = before
"""
SAVED = """
import json, multiprocessing, os
import torch_memory_saver
def child(queue):
    from sglang.srt.server_args import PID
    queue.put((PID, os.environ.get("LD_PRELOAD"), "torch_memory_saver.so" in open("/proc/self/maps").read()))
def ask(queue):
    process = multiprocessing.Process(target=child, args=(queue,))
    process.start()
    said.append(queue.get())
    process.join()
said = []
if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    queue = multiprocessing.SimpleQueue()
    ask(queue)
    with torch_memory_saver.configure_subprocess(): ask(queue)
    os.environ["LD_PRELOAD"] = "other.so"
    ask(queue)
    print(json.dumps(said), flush=True)
"""


@pytest.mark.parametrize("given", [None, "{folder}/other.so"], ids=["alone", "beside the user's"])
def test_schedulers_with_the_memory_saver_are_forked(opened: Opener, tmp_path: Path, given: str | None) -> None:
    libc = next(line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "/libc." in line)
    for name in ("torch_memory_saver.so", "other.so"):
        shutil.copyfile(Path(libc).with_name("libdl.so.2"), tmp_path / name)
    preload = {} if given is None else {"LD_PRELOAD": given.format(folder=tmp_path)}
    modules = {
        "sglang/srt/server_args.py": "import os\nPID = os.getpid()\n",
        "torch_memory_saver.py": SAVER.replace("{library}", str(tmp_path / "torch_memory_saver.so")),
    }
    server = opened(modules, ("--memory-saver",), **NO_PROCESSOR, **preload)
    assert server.verdict()["event"] == "ready", server.log()
    engine = Forked(tmp_path, server)
    path = f"{Path(RUNNER).parents[1]}:{server.modules}"
    engine.start(engine.fork(SAVED), env={**os.environ, "PYTHONPATH": path, **NO_PROCESSOR, **preload})
    assert engine.last_event()["code"] == 0, engine.log()
    plain, saved, other = json.loads(engine.log().splitlines()[-1])
    hook = ":".join([str(tmp_path / "torch_memory_saver.so"), *preload.values()])
    forks = server.process.pid
    assert plain == [forks, preload.get("LD_PRELOAD"), True]  # the library does nothing until it is asked
    assert saved == [forks, hook, True]
    assert other[1:] == ["other.so", False]
    assert other[0] != forks
    engine.clean_up()


def test_without_a_memory_saver_engines_are_forked_as_ever(opened: Opener) -> None:
    server = opened({}, ("--memory-saver",), **NO_PROCESSOR)
    assert server.verdict()["event"] == "ready"
    assert "engines that are forked have no memory saver: ModuleNotFoundError" in server.log()


# -- a real engine


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from sglang_ray import tiny_model

    folder = tmp_path_factory.mktemp("model") / "tiny"
    tiny_model.make(folder)
    return folder


class RealEngine:
    """One on the processor, forked or executed."""

    def __init__(self, supervised: Supervised, model: Path, port: int, env: dict[str, str]) -> None:
        self.supervised = supervised
        self.url = f"http://127.0.0.1:{port}"
        arguments = {"model_path": str(model), "host": "127.0.0.1", "port": port, "log_level": "info"}
        request = {"kind": "srt", "server_args": arguments, "dist_port": free_port()}
        supervised.deadline_s = 300
        supervised.start([sys.executable, RUNNER, "-m", "sglang_ray.serve"], env=env, stdin=json.dumps(request))
        self.pid = int(supervised.event()["pid"])
        end = time.monotonic() + 300
        while not self.healthy():
            assert alive(self.pid), supervised.log()
            assert time.monotonic() < end, supervised.log()

    def healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=30) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def text(self) -> str:
        body = {"text": "Once upon", "sampling_params": {"max_new_tokens": 12, "temperature": 0}}
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/generate", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return str(json.loads(answer.read())["text"])

    def titles(self) -> dict[str, int]:
        """Its processes, by the first word of the title."""
        found = {}
        for pid in self.supervised.tree():
            words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().split()
            found[words[0] if words[0].startswith("sglang::") else words[-1]] = pid
        return found


@pytest.mark.engine
def test_a_real_engine_is_back_in_seconds_and_answers_alike(tmp_path: Path, model: Path) -> None:
    package = Path(RUNNER).parents[1]
    env = {
        **os.environ,
        "PYTHONPATH": f"{package}:{os.environ['PYTHONPATH']}",
        "PYTHONUNBUFFERED": "1",
        "SGLANG_RAY_DEVICE": "cpu",
        "SGLANG_RAY_TREE": str(uuid.uuid4()),
    }
    server = ForkServer(tmp_path, {}, env, stand_in=False)
    server.owner.settimeout(300)
    assert server.verdict()["event"] == "ready", server.log()
    texts = []
    port = free_port()
    for number, end in enumerate(("kill", "scheduler", "quit", "owner")):
        forked = Forked(tmp_path / str(number), server)
        begin = time.monotonic()
        engine = RealEngine(forked, model, port, env)
        seconds = time.monotonic() - begin
        texts.append(engine.text())
        assert "imports for itself" not in forked.log()
        titles = engine.titles()
        assert {"sglang::scheduler", "sglang::detokenizer", "sglang_ray.serve", "sglang_ray.spawning"} <= set(titles)
        pids = [*forked.tree(), forked.watcher, forked.relay.pid]
        if end == "kill":
            os.kill(engine.pid, signal.SIGKILL)
            assert forked.last_event()["signal"] == "SIGKILL"
        elif end == "scheduler":
            forked.send({"op": "look"})
            wait_until(lambda: len(handles_of_ranks(forked.watcher)) == 2)  # noqa: B023
            os.kill(titles["sglang::scheduler"], signal.SIGKILL)
            assert "(sglang::scheduler) was killed by SIGKILL" in forked.last_event()["cause"]
        elif end == "quit":
            # As a scheduler that fails does it to its parent.
            os.kill(titles["sglang_ray.spawning"], signal.SIGQUIT)
            forked.last_event()
            assert "SIGQUIT" in forked.log() or "sigquit" in forked.log()
        else:
            forked.close_input()
            assert forked.last_event()["reason"] == "owner_died"
        wait_until(lambda: not [pid for pid in pids if alive(pid)])  # noqa: B023
        forked.clean_up()
        print(f"healthy after {seconds:.1f} s")
    executed = Supervised(tmp_path / "executed")
    texts.append(RealEngine(executed, model, port, env).text())
    executed.clean_up()
    assert len(set(texts)) == 1
    server.close()


def handles_of_ranks(watcher: int) -> list[str]:
    return [each for each in handles(watcher) if "\nPid:\t" in each and "\nPid:\t-1" not in each]
