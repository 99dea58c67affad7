# SPDX-License-Identifier: Apache-2.0
"""The supervisor against real processes: whatever ends, and however, nothing of the tree may be left."""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import resource
import select
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from sglang_ray import supervisor
from sglang_ray.supervisor import LOG_FILES, Log, Ranks, Watcher, ranks, tree
from supervised import SUPERVISOR, Forked, ForkServer, Supervised, alive, wait_until
from test_router import free_port


@pytest.fixture(scope="module")
def fork_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    server = ForkServer(tmp_path_factory.mktemp("forks"))
    assert server.verdict()["event"] == "ready", server.log()
    yield server
    server.close()


@pytest.fixture(params=["executed", "forked"])
def supervised(request: pytest.FixtureRequest, tmp_path: Path, fork_server: ForkServer) -> Iterator[Supervised]:
    """Both ways to start a supervisor."""
    running = Supervised(tmp_path) if request.param == "executed" else Forked(tmp_path, fork_server)
    yield running
    running.clean_up()


@pytest.fixture
def executed(tmp_path: Path) -> Iterator[Supervised]:
    running = Supervised(tmp_path)
    yield running
    running.clean_up()


def test_reports_pid_output_and_exit_code(supervised: Supervised) -> None:
    supervised.start(["sh", "-c", "echo out; echo err >&2; cat; exit 3"], stdin="payload")
    started = supervised.event()
    assert started["event"] == "started"
    assert supervised.event() == {"event": "main_exited", "code": 3, "signal": None}
    assert supervised.event() == {"event": "exited", "code": 3, "signal": None, "reason": "exited"}
    assert supervised.relay.wait(5) == 3
    assert supervised.log() == "out\nerr\npayload"


def test_reports_the_signal_that_ended_the_command(supervised: Supervised) -> None:
    supervised.start(["sh", "-c", "kill -SEGV $$"])
    assert supervised.last_event() == {"event": "exited", "code": None, "signal": "SIGSEGV", "reason": "exited"}
    assert supervised.relay.wait(5) == 128 + signal.SIGSEGV


def test_output_is_appended_and_folders_are_made(supervised: Supervised) -> None:
    supervised.log_file.parent.mkdir(parents=True)
    supervised.log_file.write_text("before\n")
    supervised.start(["echo", "after"])
    supervised.last_event()
    assert supervised.log() == "before\nafter\n"


def test_a_full_disk_costs_output_and_not_the_command(supervised: Supervised) -> None:
    program = "print('loading', flush=True); import sys; print('ready', file=sys.stderr, flush=True); sys.exit(5)"
    supervised.start([sys.executable, "-c", program], log_file="/dev/full")
    assert supervised.last_event()["code"] == 5


def test_output_that_was_lost_is_counted_where_it_would_have_been(tmp_path: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    log = Log(full)
    log.write(b"lost")
    log.write(b" too\n")
    file = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    os.dup2(file, full)
    log.write(b"written\n")
    log.write(b"as well\n")
    assert (tmp_path / "log").read_text() == (
        "\n[sglang-ray: 9 bytes of output could not be written here]\nwritten\nas well\n"
    )
    for descriptor in (full, file):
        os.close(descriptor)


# A log on a file system that has stopped answering: whatever is written there waits.
HUNG_LOG = """
import os, runpy, sys, time
real = os.write
def write(descriptor, data):
    if os.readlink(f"/proc/self/fd/{descriptor}").endswith(".log"):
        time.sleep(600)
    return real(descriptor, data)
os.write = write
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_a_hung_log_holds_up_neither_input_nor_output_nor_the_end(executed: Supervised, tmp_path: Path) -> None:
    supervised = executed
    supervised.supervisor = ["-c", HUNG_LOG, str(SUPERVISOR)]
    done = tmp_path / "done"
    program = f"echo first; sleep 0.1; wc -c > {done}; head -c 20000000 /dev/zero; echo > {done}.too; exec sleep 600"
    supervised.start(["sh", "-c", program], stdin="x" * 3_000_000)
    supervised.event()
    wait_until(lambda: done.exists() and done.read_text().strip() == "3000000")
    wait_until(Path(f"{done}.too").exists)
    supervised.send({"op": "terminate", "grace_s": 5})
    begin = time.monotonic()
    assert supervised.last_event()["signal"] == "SIGTERM"
    assert supervised.relay.wait(5) == 128 + signal.SIGTERM
    assert time.monotonic() - begin < 5


def test_a_log_is_bounded_and_its_newest_parts_are_kept(supervised: Supervised) -> None:
    supervised.start(
        ["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do echo $i; head -c 40000 /dev/zero; sleep 0.05; done; echo end"],
        env={"SGLANG_RAY_LOG_BYTES": "60000", "PATH": os.environ["PATH"]},
    )
    supervised.last_event()
    files = sorted(supervised.log_file.parent.iterdir())
    assert [file.name for file in files] == ["child.log", *(f"child.log.{n}" for n in range(1, LOG_FILES))]
    assert all(file.stat().st_size <= 60_000 and file.stat().st_mode & 0o777 == 0o600 for file in files)
    whole = b"".join(file.read_bytes() for file in [*reversed(files[1:]), files[0]])
    assert whole.replace(b"\0", b"").decode().splitlines()[-4:] == ["7", "8", "9", "end"]


def test_a_log_that_another_program_moved_is_begun_again(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = Log(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), str(path), 10)
    log.write(b"12345678")
    path.rename(tmp_path / "moved")
    log.write(b"abcdefgh")
    os.close(log.descriptor)
    assert path.read_bytes() == b"abcdefgh"
    assert (tmp_path / "moved").read_bytes() == b"12345678"
    assert not (tmp_path / "log.1").exists()


def test_a_log_that_cannot_be_renamed_grows_on(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = Log(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), str(path), 10)
    (tmp_path / "log.2").touch()
    (tmp_path / "log.3").mkdir()  # no file takes the place of a folder
    log.write(b"12345678")
    log.write(b"abcdefgh")
    os.close(log.descriptor)
    assert path.read_bytes() == b"12345678abcdefgh"


def test_a_limit_of_the_log_that_is_no_number_is_refused(supervised: Supervised) -> None:
    supervised.start(["true"], env={"SGLANG_RAY_LOG_BYTES": "64M"})
    assert "SGLANG_RAY_LOG_BYTES is '64M'" in supervised.last_event()["error"]


def test_much_output_arrives_whole_and_before_the_end_is_told(supervised: Supervised) -> None:
    supervised.start(["sh", "-c", "head -c 5000000 /dev/zero | tr '\\0' x; echo last words >&2; exit 1"])
    while supervised.event()["event"] != "main_exited":
        pass
    assert len(supervised.log()) == 5_000_000 + len("last words\n")
    assert supervised.log().endswith("xlast words\n")


def test_without_payload_standard_input_is_empty(supervised: Supervised) -> None:
    supervised.start(["sh", "-c", "cat; echo end"])
    assert supervised.last_event()["code"] == 0
    assert supervised.log() == "end\n"


def test_a_payload_larger_than_any_pipe_arrives_whole(supervised: Supervised) -> None:
    supervised.start(["sh", "-c", "sleep 0.2; wc -c"], stdin="é" * 3_000_000)
    assert supervised.last_event()["code"] == 0
    assert supervised.log().strip() == "6000000"


def test_a_child_that_never_reads_its_payload_can_be_ended(supervised: Supervised) -> None:
    supervised.start(["sleep", "600"], stdin="x" * 3_000_000)
    supervised.event()
    supervised.send({"op": "terminate", "grace_s": 5})
    assert supervised.last_event()["signal"] == "SIGTERM"


def test_a_child_that_closes_its_input_is_left_in_peace(supervised: Supervised) -> None:
    supervised.start(["sh", "-c", "exec <&-; sleep 0.2; exit 4"], stdin="x" * 3_000_000)
    assert supervised.last_event()["code"] == 4


def test_the_environment_is_exactly_the_given_one_and_in_no_command_line(supervised: Supervised) -> None:
    secret = "s3cret-token"
    supervised.start(["sleep", "600"], env={"PATH": os.environ["PATH"], "API_KEY": secret}, stdin=secret)
    pid = supervised.event()["pid"]
    environ = Path(f"/proc/{pid}/environ").read_bytes()
    assert sorted(environ.strip(b"\0").split(b"\0")) == sorted(
        [f"PATH={os.environ['PATH']}".encode(), f"API_KEY={secret}".encode()]
    )
    for entry in supervised.tree():
        assert secret.encode() not in Path(f"/proc/{entry}/cmdline").read_bytes()


def test_the_child_inherits_no_descriptor_and_no_signal_setting(supervised: Supervised) -> None:
    supervised.start(["sleep", "600"])
    pid = supervised.event()["pid"]
    # While it loads, the program opens libraries for a moment.
    wait_until(lambda: sorted(os.listdir(f"/proc/{pid}/fd")) == ["0", "1", "2"])
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
    )
    internal = 1 << 31 | 1 << 32  # the C library keeps signals 32 and 33 to itself; a JVM passes them on ignored
    assert int(status["SigIgn"], 16) & ~internal == 0
    assert int(status["SigBlk"], 16) == 0
    assert os.getsid(pid) == pid


def test_working_directory(supervised: Supervised, tmp_path: Path) -> None:
    supervised.start(["pwd"], cwd=str(tmp_path))
    supervised.last_event()
    assert supervised.log().strip() == str(tmp_path)


# -- what cannot be started


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({"command": ["no-such-program-here"]}, 127, "command not found: no-such-program-here"),
        ({"command": ["/etc/passwd"]}, 126, "cannot execute /etc/passwd: Permission denied"),
        ({"cwd": "/no/such/folder"}, 125, "working directory /no/such/folder: No such file or directory"),
        ({"log_file": "/proc/nowhere/x.log"}, 125, "cannot write the log file /proc/nowhere/x.log"),
        ({"command": []}, 125, "command: expected a non-empty list of strings"),
        ({"command": ["a", 1]}, 125, "command: expected a non-empty list of strings"),
        ({"env": {"A": 1}}, 125, "env: expected an object of strings"),
        ({"grace_s": -1}, 125, "grace_s: expected seconds from 0 to 86400"),
        ({"comand": ["true"]}, 125, "unknown key 'comand'"),
        ({"listen": "/tmp/" + "x" * 200}, 125, "AF_UNIX path too long"),
        ({"listen": "/no/such/folder/socket"}, 125, "cannot listen at /no/such/folder/socket: No such file"),
        ({"listen": "/tmp/socket", "stdin": ""}, 125, "listen: standard input cannot be both a text and a socket"),
    ],
)
def test_failed_says_why(supervised: Supervised, change: dict[str, object], code: int, text: str) -> None:
    supervised.start_spec({"command": ["true"], **change})
    event = supervised.event()
    assert event["event"] == "failed"
    assert text in event["error"]
    assert supervised.relay.wait(5) == code


def test_a_first_line_that_is_not_json_is_not_quoted(supervised: Supervised) -> None:
    supervised.start_raw(b'{"secret": oops}\n')
    event = supervised.event()
    assert event["event"] == "failed"
    assert "not JSON" in event["error"]
    assert "oops" not in event["error"]


def test_end_of_input_before_the_first_line_starts_nothing(supervised: Supervised) -> None:
    supervised.start_raw(b"")
    supervised.close_input()
    assert supervised.relay.wait(5) == 125
    assert supervised.events_left() == []


# -- ends

# A tree that tries to get away: own session, double fork, deaf to SIGTERM.
TREE = """
import os, signal, sys, time
def daemon(deaf):
    said, say = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            if deaf: signal.signal(signal.SIGTERM, signal.SIG_IGN)
            print(os.getpid(), flush=True)
            os.write(say, b"x")
            while True: time.sleep(60)
        os._exit(0)
    os.wait()
    os.read(said, 1)
deaf = sys.argv[1] == "deaf"
if deaf: signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(3): daemon(deaf)
print("ready", flush=True)
if sys.argv[2] == "stay":
    while True: time.sleep(60)
sys.exit(9)
"""


def start_tree(supervised: Supervised, deaf: bool, stay: bool = True, **spec: object) -> list[int]:
    supervised.start([sys.executable, "-c", TREE, "deaf" if deaf else "hearing", "stay" if stay else "go"], **spec)
    pid = supervised.event()["pid"]
    wait_until(lambda: "ready" in supervised.log())
    return [pid, *(int(line) for line in supervised.log().split() if line.isdigit())]


def test_terminate_ends_detached_descendants_too(supervised: Supervised) -> None:
    pids = start_tree(supervised, deaf=False)
    supervised.send({"op": "terminate", "grace_s": 30})
    event = supervised.last_event()
    assert (event["signal"], event["reason"]) == ("SIGTERM", "terminate")
    assert not [pid for pid in pids if alive(pid)]


def test_the_deaf_are_killed_after_the_grace(supervised: Supervised) -> None:
    pids = start_tree(supervised, deaf=True)
    begin = time.monotonic()
    supervised.send({"op": "terminate", "grace_s": 0.5})
    event = supervised.last_event()
    assert 0.5 <= time.monotonic() - begin < 5
    assert (event["signal"], event["reason"]) == ("SIGKILL", "terminate")
    assert not [pid for pid in pids if alive(pid)]


def test_kill_hastens_a_terminate_under_way(supervised: Supervised) -> None:
    pids = start_tree(supervised, deaf=True)
    supervised.send({"op": "terminate", "grace_s": 600})
    supervised.send({"op": "kill"})
    assert supervised.last_event()["signal"] == "SIGKILL"
    assert not [pid for pid in pids if alive(pid)]


def test_a_later_terminate_does_not_slow_an_earlier_one(supervised: Supervised) -> None:
    start_tree(supervised, deaf=True)
    supervised.send({"op": "terminate", "grace_s": 0.2})
    supervised.send({"op": "terminate", "grace_s": 600})
    assert supervised.last_event()["signal"] == "SIGKILL"


# Each process of it begets two when it is asked to end, as long as a guard lets it.
STORM = """
import os, signal, sys, time
def beget(*_):
    for _ in range(2):
        if os.path.getsize(sys.argv[1]) < 3000 and os.fork() == 0: return
        with open(sys.argv[1], "a") as guard: guard.write(".")
signal.signal(signal.SIGTERM, beget)
print("ready", flush=True)
while True: time.sleep(60)
"""


def test_a_tree_that_grows_when_it_is_asked_to_end_is_killed(supervised: Supervised, tmp_path: Path) -> None:
    guard = tmp_path / "guard"
    guard.touch()
    supervised.start([sys.executable, "-c", STORM, str(guard)])
    wait_until(lambda: supervised.log() == "ready\n")
    supervised.send({"op": "terminate", "grace_s": 600})
    assert supervised.last_event()["signal"] == "SIGKILL"
    assert not supervised.tree()
    assert guard.stat().st_size < 3000


def test_a_watcher_without_descriptors_leaves_nothing(supervised: Supervised) -> None:
    pids = start_tree(supervised, deaf=True)
    resource.prlimit(supervised.watcher, resource.RLIMIT_NOFILE, (4, 4))
    supervised.close_input()
    supervised.relay.wait(30)
    wait_until(lambda: not [pid for pid in supervised.seen(pids) if alive(pid)])


def test_a_fifo_is_no_log(supervised: Supervised) -> None:
    supervised.log_file.parent.mkdir(parents=True)
    os.mkfifo(supervised.log_file)
    reader = os.open(supervised.log_file, os.O_RDONLY | os.O_NONBLOCK)
    supervised.start(["true"])
    event = supervised.last_event()
    os.close(reader)
    supervised.log_file.unlink()
    assert event["error"] == f"cannot write the log file {supervised.log_file}: it is a FIFO"


def test_a_log_is_for_its_user_only(supervised: Supervised) -> None:
    supervised.start(["true"])
    supervised.last_event()
    assert supervised.log_file.stat().st_mode & 0o077 == 0


def test_what_the_command_leaves_behind_is_ended(supervised: Supervised) -> None:
    pids = start_tree(supervised, deaf=True, stay=False, owner_grace_s=0.2)
    assert supervised.event()["event"] == "main_exited"
    event = supervised.event()
    assert (event["code"], event["reason"]) == (9, "exited")
    assert not [pid for pid in pids if alive(pid)]


def test_kill_9_of_the_command_ends_its_descendants(supervised: Supervised) -> None:
    pids = start_tree(supervised, deaf=False)
    os.kill(pids[0], signal.SIGKILL)
    event = supervised.last_event()
    assert (event["signal"], event["reason"]) == ("SIGKILL", "exited")
    assert not [pid for pid in pids if alive(pid)]


# Shared memory that is known to multiprocessing's resource tracker, and a process that has no time to remove it.
SEGMENT = """
import signal, sys, time
from multiprocessing import shared_memory
signal.signal(signal.SIGTERM, signal.SIG_IGN)
segment = shared_memory.SharedMemory(create=True, size=4096)
print(segment.name, flush=True)
while True: time.sleep(60)
"""


@pytest.mark.parametrize("how", ["kill", "kill -9 of the command", "kill -9 of the watcher", "end of the owner"])
def test_shared_memory_is_removed_by_the_tracker_that_outlives_the_others(supervised: Supervised, how: str) -> None:
    supervised.start([sys.executable, "-c", SEGMENT], owner_grace_s=0)
    pid = supervised.event()["pid"]
    wait_until(lambda: supervised.log().endswith("\n"))
    segment = Path("/dev/shm", supervised.log().strip())
    assert segment.exists()
    if how == "kill":
        supervised.send({"op": "kill"})
    elif how == "end of the owner":
        supervised.close_input()
    else:
        os.kill(pid if how.endswith("command") else supervised.watcher, signal.SIGKILL)
    supervised.last_event()
    assert not segment.exists()


# As SGLang does when it is asked to end: what would remove the shared memory is killed before it can.
UNTRACKED = """
import os, signal, time
from multiprocessing import get_context, resource_tracker, shared_memory
segment = shared_memory.SharedMemory(f"sgl_shm_mq_{os.getpid()}_0", create=True, size=4096)
lock = get_context("spawn").Lock()
os.kill(resource_tracker._resource_tracker._pid, signal.SIGKILL)
print(segment.name, "sem." + lock._semlock.name.strip("/"), flush=True)
while True: time.sleep(60)
"""


@pytest.mark.parametrize("used_by_another", [False, True])
def test_shared_memory_that_nobody_uses_any_more_is_removed(supervised: Supervised, used_by_another: bool) -> None:
    supervised.start([sys.executable, "-c", UNTRACKED])
    wait_until(lambda: supervised.log().endswith("\n"))
    segment, semaphore = (Path("/dev/shm", name) for name in supervised.log().split())
    assert semaphore.exists()
    with contextlib.ExitStack() as stack:
        if used_by_another:
            file = stack.enter_context(segment.open("r+b"))
            stack.enter_context(mmap.mmap(file.fileno(), 4096))
            stack.callback(segment.unlink)
        supervised.send({"op": "terminate"})
        supervised.last_event()
        assert segment.exists() == used_by_another
        assert not semaphore.exists()


def test_shared_memory_of_another_container_with_the_same_inode_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    segment = Path("/dev/shm", f"sglang_loads_{os.getpid()}.shm")
    segment.write_bytes(bytes(4096))
    with segment.open("r+b") as file, mmap.mmap(file.fileno(), 4096):
        mine = supervisor.shared_memory(os.getpid())
    device, inode = next(pair for pair in mine if pair == (segment.stat().st_dev, segment.stat().st_ino))
    supervisor.remove_shared_memory({(device + 1, inode)})
    assert segment.exists()
    monkeypatch.setattr(supervisor, "shared_memory", lambda _: {(device + 1, inode)})
    supervisor.remove_shared_memory({(device, inode)})
    assert not segment.exists()


# A trainer's, which an engine has open when it ends.
BORROWING = """
import mmap, os, sys, time
while not os.path.exists(sys.argv[-1]) or os.path.getsize(sys.argv[-1]) < 4096: time.sleep(0.01)
files = [open(path, "r+b") for path in sys.argv[1:]]
kept = [mmap.mmap(file.fileno(), 4096) for file in files]
print("mapped", flush=True)
while True: time.sleep(60)
"""


@pytest.mark.parametrize("how", ["kill", "terminate"])
def test_shared_memory_that_another_gave_to_the_tree_stays(supervised: Supervised, how: str) -> None:
    with contextlib.ExitStack() as stack:
        names = [f"{name}{os.getpid()}" for name in ("psm_", "torch_", "weights-of-the-trainer-")]
        segments = [Path("/dev/shm", name) for name in names]
        supervised.start([sys.executable, "-c", BORROWING, *map(str, segments)])
        supervised.event()
        for segment in segments:  # after the engine's start: what is older stays anyway
            segment.write_bytes(bytes(4096))
            stack.callback(segment.unlink)
        wait_until(lambda: supervised.log().endswith("mapped\n"))
        supervised.send({"op": how})
        supervised.last_event()
        assert all(segment.exists() for segment in segments)


# An engine as SGLang makes it: ranks with titles, helpers without. It does not look after them. SIGUSR1 ends it, or one
# of its processes, cleanly.
ENGINE = """
import ctypes, os, signal, subprocess, sys, time
def child(title):
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGUSR1, lambda *_: os._exit(0))
        if title: ctypes.CDLL(None).prctl(15, title.encode())
        if title == "sglang::schedul":
            subprocess.run(["true"])  # nvidia-smi, compilers: they have its title for a moment
            if os.fork() == 0: os._exit(0)  # and forks for as long as they live
            os.wait()
        os.write(1, f"{title or 'helper'} {os.getpid()}\\n".encode())
        while True: time.sleep(60)
    return pid
def end(*_):
    for pid in children: os.kill(pid, signal.SIGKILL)
    os._exit(0)
signal.signal(signal.SIGUSR1, end)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
children = [child(title) for title in ("sglang::schedul", "sglang::detoken", "sglang::tokeniz", "")]
while True: time.sleep(60)
"""


# A rank that ends with the command, as SGLang's, and shared memory that nothing tracks.
MAPPING = """
import ctypes, mmap, os, signal, sys, time
path = sys.argv[1]
if os.fork() == 0:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    with open(path, "w+b") as file:
        file.truncate(4096)
        kept = mmap.mmap(file.fileno(), 4096)
    ctypes.CDLL(None).prctl(15, b"sglang::schedul")
    while True: time.sleep(60)
while True: time.sleep(60)
"""


def test_shared_memory_of_ranks_that_end_with_a_killed_command_is_removed(supervised: Supervised) -> None:
    segment = Path("/dev/shm", f"sglang_loads_{os.getpid()}.shm")
    supervised.start([sys.executable, "-c", MAPPING, str(segment)])
    pid = supervised.event()["pid"]
    wait_until(lambda: bool(watched(supervised.watcher)))
    os.kill(pid, signal.SIGKILL)
    supervised.last_event()
    assert not segment.exists()


class Engine:
    """The tree above, whose ranks the supervisor has seen."""

    def __init__(self, supervised: Supervised, env: dict[str, str] | None = None) -> None:
        self.supervised = supervised
        supervised.start([sys.executable, "-c", ENGINE], env={**os.environ, **(env or {})})
        self.pid = supervised.event()["pid"]
        wait_until(lambda: supervised.log().count("\n") == 4)
        self.pids = dict(line.rsplit(" ", 1) for line in supervised.log().splitlines() if " " in line)

    def wait_until_watched(self) -> None:
        """The watcher has a handle of each rank, and of nothing else."""
        wait_until(lambda: watched(self.supervised.watcher) == {self.of("sglang::schedul"), self.of("sglang::detoken")})

    def of(self, name: str) -> int:
        return int(self.pids[name])


def watched(watcher: int) -> set[int]:
    """The processes that the watcher has handles of."""
    found = set()
    for entry in Path(f"/proc/{watcher}/fdinfo").iterdir():
        with contextlib.suppress(OSError):
            found |= {int(line.split()[1]) for line in entry.read_text().splitlines() if line.startswith("Pid:")}
    return found


def test_a_rank_that_is_killed_is_the_death_of_the_engine_within_a_second(supervised: Supervised) -> None:
    engine = Engine(supervised)
    engine.wait_until_watched()
    begin = time.monotonic()
    os.kill(engine.of("sglang::schedul"), signal.SIGKILL)
    cause = f"its process {engine.of('sglang::schedul')} (sglang::schedul) was killed by SIGKILL"
    assert supervised.event() == {"event": "main_exited", "code": None, "signal": "SIGKILL", "cause": cause}
    assert time.monotonic() - begin < 1
    event = supervised.last_event()
    assert (event["reason"], event["cause"]) == ("rank_died", cause)
    assert f"[sglang-ray: {cause}; the others are killed]" in supervised.log()
    assert not [pid for pid in engine.pids.values() if alive(int(pid))]


def test_the_owner_of_an_engine_that_is_ready_can_have_its_ranks_watched_at_once() -> None:
    title = (
        "import ctypes, sys, time; ctypes.CDLL(None).prctl(15, b'sglang::schedul'); print(flush=True); time.sleep(60)"
    )
    code = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {title!r}]); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True) as engine:
        try:
            assert engine.stdout is not None
            engine.stdout.readline()
            watcher = Watcher.__new__(Watcher)
            watcher.status, watcher.shared, watcher.ranks = None, set(), Ranks(select.poll(), engine.pid)
            watcher.look_at_ranks()
            assert not watcher.ranks.known  # its time has not come
            watcher.command(b'{"op": "look"}')
            watcher.look_at_ranks()
            assert len(watcher.ranks.known) == 1
        finally:
            os.killpg(engine.pid, signal.SIGKILL)


def test_a_rank_that_ends_with_code_0_is_the_death_of_the_engine_too(supervised: Supervised) -> None:
    engine = Engine(supervised)
    engine.wait_until_watched()
    # As a scheduler that fails: it writes why, and returns.
    os.kill(engine.of("sglang::detoken"), signal.SIGUSR1)
    event = supervised.last_event()
    assert event["reason"] == "rank_died"
    assert event["cause"].endswith("(sglang::detoken) ended with exit code 0")


def test_the_end_of_a_helper_or_of_what_is_replaced_is_no_death(supervised: Supervised) -> None:
    engine = Engine(supervised)
    engine.wait_until_watched()
    for name in ("helper", "sglang::tokeniz"):
        os.kill(engine.of(name), signal.SIGUSR1)
        wait_until(lambda name=name: not alive(engine.of(name)))  # type: ignore[misc]
    os.kill(engine.pid, signal.SIGUSR1)  # it kills its ranks, and ends
    assert supervised.event() == {"event": "main_exited", "code": 0, "signal": None}
    assert supervised.last_event()["reason"] == "exited"


def test_a_router_has_no_ranks_nor_has_what_a_rank_forks() -> None:
    program = "import ctypes, os; ctypes.CDLL(None).prctl(15, b'sglang::router'); os.fork(); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as router:
        assert router.stdout is not None
        assert router.stdin is not None
        assert router.stdout.readline() + router.stdout.readline() == b"\n\n"
        below = [router.pid, *tree(router.pid)]
        assert [stat.name for pid, stat in tree(os.getpid()).items() if pid in below] == [b"sglang::router"] * 2
        assert ranks(os.getpid(), router.pid) == []
        router.stdin.close()


ADOPTED = """
import ctypes, os, signal
if os.fork() == 0:
    if os.fork() == 0:
        if os.fork() == 0:
            ctypes.CDLL(None).prctl(15, b"sglang::schedul")
        signal.pause()
    os._exit(0)
os.wait()
signal.signal(signal.SIGUSR1, lambda *_: os._exit(0))
print("ready", flush=True)
while True:
    signal.pause()
"""


def test_an_engine_below_a_command_that_has_a_supervisor_of_its_own_is_not_its_rank(supervised: Supervised) -> None:
    """As below a Ray head: its engines come and go, and the head lives."""
    supervised.start([sys.executable, "-c", ADOPTED])
    pid = supervised.event()["pid"]
    wait_until(lambda: "ready" in supervised.log())

    def named() -> list[int]:  # after "ready" at times: the engine takes its name by itself
        return [pid for pid, stat in tree(supervised.watcher).items() if stat.name == b"sglang::schedul"]

    wait_until(lambda: len(named()) == 1)
    (adopted,) = named()
    assert ranks(supervised.watcher, pid) == []
    os.kill(adopted, signal.SIGKILL)
    wait_until(lambda: not alive(adopted))
    os.kill(pid, signal.SIGUSR1)
    assert supervised.last_event() == {"event": "exited", "code": 0, "signal": None, "reason": "exited"}


def test_an_engine_with_a_supervisor_of_its_own_is_not_a_rank_of_the_command_above() -> None:
    """Ray's raylet adopts orphans too, so that an engine's supervisor is below the head's command."""
    inner = (
        "import ctypes, os, signal; ctypes.CDLL(None).prctl(15, b'sglang::schedul'); print(flush=True); signal.pause()"
    )
    watcher = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[2]])"
    middle = "import subprocess, sys; subprocess.run([sys.executable, '-c', *sys.argv[1:]])"
    command = [sys.executable, "-c", middle, watcher, "supervisor.py", inner]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as head:
        try:
            assert head.stdout is not None
            assert head.stdout.readline() == b"\n"
            below = [pid for pid, stat in tree(os.getpid()).items() if stat.name == b"sglang::schedul"]
            assert len(below) == 1
            assert ranks(os.getpid(), head.pid) == []
        finally:
            for pid in [head.pid, *tree(head.pid)]:
                os.kill(pid, signal.SIGKILL)


STAND_IN = """
import sys
from sglang.launch_server import run_server
from sglang.srt.server_args import ServerArgs
run_server(ServerArgs(model_path=sys.argv[1], port=int(sys.argv[2]), tp_size=2))
"""


def test_an_engine_that_would_wait_for_core_dumps_is_gone_within_a_second(executed: Supervised, tmp_path: Path) -> None:
    supervised = executed
    (tmp_path / "standin.json").write_text('{"ranks": 2, "rank_death_seconds": 60}')
    stand_in = Path(__file__).parents[4] / "ray-app" / "src" / "test" / "resources" / "standin"
    supervised.start(
        [sys.executable, "-c", STAND_IN, str(tmp_path), str(free_port())],
        env={**os.environ, "PYTHONPATH": str(stand_in)},
    )
    supervised.event()
    wait_until(lambda: "ready" in supervised.log() and len(watched(supervised.watcher)) == 2)
    pids = supervised.tree()
    begin = time.monotonic()
    os.kill(max(watched(supervised.watcher)), signal.SIGKILL)
    event = supervised.last_event()
    assert time.monotonic() - begin < 2
    assert event["reason"] == "rank_died"
    assert "(sglang::schedul" in event["cause"]
    assert not [pid for pid in pids if alive(pid)]


@pytest.mark.parametrize(
    ("code", "reason", "seconds", "cause"),
    [(7, None, 0.1, "a rank died"), (7, None, 0, None), (0, None, 0.1, None), (7, "terminate", 0.1, None)],
)
def test_an_engine_that_ends_because_of_a_rank_says_so(
    code: int, reason: str | None, seconds: float, cause: str | None
) -> None:
    watcher = Watcher.__new__(Watcher)
    watcher.status, watcher.reason, watcher.ranks = code << 8, reason, Ranks(select.poll(), 1)
    watcher.ranks.death, watcher.ranks.died_at = "a rank died", time.monotonic() - seconds
    assert watcher.find_cause() == cause


def test_the_death_of_a_rank_during_a_requested_end_is_part_of_it(supervised: Supervised) -> None:
    engine = Engine(supervised)
    engine.wait_until_watched()
    supervised.send({"op": "terminate", "grace_s": 1})
    event = supervised.last_event()
    assert event == {"event": "exited", "code": None, "signal": "SIGKILL", "reason": "terminate"}


def test_who_wants_an_engine_that_survives_its_ranks_can_have_it(supervised: Supervised) -> None:
    engine = Engine(supervised, env={"SGLANG_RAY_WATCH_RANKS": "0"})
    os.kill(engine.of("sglang::schedul"), signal.SIGKILL)
    wait_until(lambda: not alive(engine.of("sglang::schedul")))
    os.kill(engine.pid, signal.SIGUSR1)
    assert supervised.last_event() == {"event": "exited", "code": 0, "signal": None, "reason": "exited"}


def test_end_of_the_owner_ends_everything(supervised: Supervised) -> None:
    pids = start_tree(supervised, deaf=True, owner_grace_s=0.2)
    supervised.close_input()
    assert supervised.last_event()["reason"] == "owner_died"
    assert not [pid for pid in pids if alive(pid)]


def test_kill_9_of_the_relay_and_then_the_end_of_the_owner(supervised: Supervised) -> None:
    """What Ray does to an actor: SIGKILL to its JVM's child, then the JVM goes."""
    pids = start_tree(supervised, deaf=True, owner_grace_s=0.2)
    supervised.relay.kill()
    supervised.relay.wait(5)
    supervised.close_input()
    wait_until(lambda: not [pid for pid in supervised.seen(pids) if alive(pid)])


def test_kill_9_of_the_relay_alone(supervised: Supervised) -> None:
    pids = start_tree(supervised, deaf=True, owner_grace_s=0.2)
    supervised.relay.kill()
    assert supervised.last_event()["reason"] == "owner_died"
    assert not [pid for pid in pids if alive(pid)]


def test_kill_9_of_the_relays_process_group(supervised: Supervised) -> None:
    pids = start_tree(supervised, deaf=True, owner_grace_s=0.2)
    os.killpg(supervised.relay.pid, signal.SIGKILL)
    assert supervised.last_event()["reason"] == "owner_died"
    assert not [pid for pid in pids if alive(pid)]


def test_sigterm_of_the_relay_is_a_terminate(supervised: Supervised) -> None:
    pids = start_tree(supervised, deaf=False)
    supervised.relay.terminate()
    assert supervised.last_event()["reason"] == "terminate"
    assert not [pid for pid in pids if alive(pid)]
    assert supervised.relay.wait(5) == 128 + signal.SIGTERM


def test_kill_9_of_the_watcher(supervised: Supervised) -> None:
    pids = start_tree(supervised, deaf=True)
    os.kill(supervised.watcher, signal.SIGKILL)
    event = supervised.last_event()
    assert event == {"event": "exited", "code": None, "signal": "SIGKILL", "reason": "supervisor_killed"}
    assert not [pid for pid in pids if alive(pid)]


def test_a_stopped_watcher_goes_on_when_the_owner_dies(supervised: Supervised) -> None:
    pids = start_tree(supervised, deaf=True, owner_grace_s=0.2)
    os.kill(supervised.watcher, signal.SIGSTOP)
    supervised.close_input()
    assert supervised.last_event()["reason"] == "owner_died"
    assert not [pid for pid in pids if alive(pid)]


def test_a_stopped_watcher_goes_on_when_the_relay_is_killed(supervised: Supervised) -> None:
    """Ray kills the relay together with the owner."""
    pids = start_tree(supervised, deaf=True, owner_grace_s=0.2)
    os.kill(supervised.watcher, signal.SIGSTOP)
    supervised.relay.kill()
    supervised.relay.wait(5)
    supervised.close_input()
    wait_until(lambda: not [pid for pid in supervised.seen(pids) if alive(pid)])


def test_a_stopped_relay_and_watcher_go_on_when_the_owner_dies(tmp_path: Path) -> None:
    owner = [sys.executable, "-c", OWNER, str(SUPERVISOR), str(tmp_path / "log")]
    with subprocess.Popen(owner, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        relay = int(running.stdout.readline())
        started = json.loads(running.stdout.readline())
        for pid in (relay, started["supervisor_pid"]):
            os.kill(pid, signal.SIGSTOP)
        running.kill()
    pids = [relay, started["supervisor_pid"], started["pid"]]
    wait_until(lambda: not [pid for pid in pids if alive(pid)])


OWNER = """
import json, subprocess, sys, time
command = [sys.executable, "-I", "-S", sys.argv[1]]
supervisor = subprocess.Popen(command, stdin=subprocess.PIPE)
print(supervisor.pid, flush=True)
order = {"command": ["sleep", "600"], "log_file": sys.argv[2], "owner_grace_s": 0.2}
supervisor.stdin.write(json.dumps(order).encode() + b"\\n")
supervisor.stdin.flush()
time.sleep(600)
"""


def test_a_sweep_ends_what_both_killed_supervisors_left(supervised: Supervised) -> None:
    mark = str(uuid.uuid4())
    # One in the command's session without the mark, as a title overwrites it, and others in sessions of their own.
    program = f"import subprocess; print(subprocess.Popen(['sleep', '600'], env={{}}).pid, flush=True)\n{TREE}"
    supervised.start([sys.executable, "-c", program, "deaf", "stay"], env={**os.environ, "SGLANG_RAY_TREE": mark})
    command = supervised.event()["pid"]
    wait_until(lambda: "ready" in supervised.log())
    pids = [int(line) for line in supervised.log().split() if line.isdigit()]
    supervised.pids |= set(pids)
    for pid in (supervised.relay.pid, supervised.watcher):
        os.kill(pid, signal.SIGSTOP)
    os.kill(supervised.watcher, signal.SIGKILL)
    supervised.relay.kill()
    supervised.relay.wait(5)
    wait_until(lambda: not alive(command))
    assert len([pid for pid in pids if alive(pid)]) == 4
    swept = subprocess.run([sys.executable, "-I", "-S", str(SUPERVISOR), "--sweep", mark, str(command)], timeout=30)
    assert swept.returncode == 0
    assert not [pid for pid in pids if alive(pid)]


def test_interrupts_from_the_terminal_are_for_the_owner(supervised: Supervised) -> None:
    pids = start_tree(supervised, deaf=False)
    os.killpg(supervised.relay.pid, signal.SIGINT)
    os.killpg(supervised.relay.pid, signal.SIGHUP)
    supervised.send({"op": "nonsense"})
    assert supervised.event()["event"] == "warning"  # it still listens
    assert all(alive(pid) for pid in pids)


# Each process lives for 2 ms and leaves one child.
CHAIN = """
import os, time
if os.fork() == 0:
    print("ready", flush=True)
    while True:
        if os.fork():
            os._exit(0)
        os.setsid()
        time.sleep(0.002)
time.sleep(600)
"""


def test_a_process_that_forks_in_a_loop_cannot_outrun_the_kill(supervised: Supervised) -> None:
    supervised.start([sys.executable, "-c", CHAIN])
    supervised.event()
    wait_until(lambda: "ready" in supervised.log())
    supervised.send({"op": "kill"})
    assert "survivors" not in supervised.last_event()
    assert supervised.tree() == []


def test_all_are_stopped_before_the_first_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(supervisor, "send_signal", lambda process, number: sent.append((process[0], number)))
    looks = iter([[(1, 0)], [(1, 0), (2, 0), (3, 0)], [(1, 0), (2, 0), (3, 0), (4, 0)]])
    last: list[tuple[int, int]] = []

    def find() -> list[tuple[int, int]]:
        last[:] = next(looks, last)
        return list(last)

    supervisor.kill_all(find)
    stops = [(pid, signal.SIGSTOP) for pid in (1, 2, 3, 4)]
    assert sent == [*stops, *((pid, signal.SIGKILL) for pid in (1, 2, 3, 4))]


def test_commands_that_are_no_commands_are_told_and_ignored(supervised: Supervised) -> None:
    supervised.start(["sleep", "600"])
    supervised.event()
    for line in (
        b"nonsense\n",
        b"[]\n",
        b'{"op":"fly"}\n',
        b'{"op":"terminate","grace_s":"x"}\n',
        b"x" * 100_000 + b"\n",
    ):
        supervised.write(line)
        assert supervised.event()["event"] == "warning"
    supervised.send({"op": "kill"})
    assert supervised.last_event()["signal"] == "SIGKILL"


def test_a_missing_reader_of_events_does_not_keep_the_tree_alive(supervised: Supervised) -> None:
    pids = start_tree(supervised, deaf=False)
    supervised.close_output()
    supervised.close_input()
    wait_until(lambda: not [pid for pid in supervised.seen(pids) if alive(pid)])
