# SPDX-License-Identifier: Apache-2.0
"""A test's hold on one supervisor."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import sglang_ray
from sglang_ray.supervisor import listening

SUPERVISOR = Path(sglang_ray.__file__).parent / "supervisor.py"
RUNNER = str(SUPERVISOR.with_name("run_module.py"))
DEADLINE_S = 20.0


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.01)


class Supervised:
    """Plays the JVM: holds the only write end of the supervisor's standard input."""

    relay: subprocess.Popen[bytes] | ForkedRelay

    def __init__(self, folder: Path, deadline_s: float = DEADLINE_S) -> None:
        self.deadline_s = deadline_s
        self.log_file = folder / "logs" / "deep" / "child.log"
        self.buffer = b""
        self.watcher = 0
        self.supervisor = ["-I", "-S", str(SUPERVISOR)]
        self.pids: set[int] = set()

    def start(self, command: list[str], **spec: Any) -> None:
        self.start_spec({"command": command, **spec})

    def start_spec(self, spec: dict[str, Any]) -> None:
        self.start_raw(json.dumps({"log_file": str(self.log_file), **spec}).encode() + b"\n")

    def start_raw(self, data: bytes) -> None:
        read, self.input = os.pipe()
        self.relay = subprocess.Popen(
            [sys.executable, *self.supervisor],
            stdin=read,
            stdout=subprocess.PIPE,
            start_new_session=True,
            bufsize=0,
        )
        os.close(read)
        assert self.relay.stdout is not None
        self.output = self.relay.stdout.fileno()
        self.write(data)

    def write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self.input, data) :]

    def send(self, command: dict[str, Any]) -> None:
        self.write(json.dumps(command).encode() + b"\n")

    def event(self) -> dict[str, Any]:
        """The next event."""
        deadline = time.monotonic() + self.deadline_s
        while b"\n" not in self.buffer:
            ready, _, _ = select.select([self.output], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"no event came; the log says: {self.log()}"
            chunk = os.read(self.output, 65536)
            assert chunk, "the supervisor ended without a further event"
            self.buffer += chunk
        line, self.buffer = self.buffer.split(b"\n", 1)
        found: dict[str, Any] = json.loads(line)
        if found["event"] == "started":
            self.watcher = found["supervisor_pid"]
            self.pids |= {found["pid"], self.watcher}
        return found

    def last_event(self) -> dict[str, Any]:
        """Skips to the event after which nothing is left."""
        while True:
            found = self.event()
            if found["event"] in ("exited", "failed"):
                return found

    def events_left(self) -> list[bytes]:
        rest = self.buffer
        while chunk := os.read(self.output, 65536):
            rest += chunk
        return rest.splitlines()

    def log(self) -> str:
        return self.log_file.read_text() if self.log_file.exists() else ""

    def seen(self, pids: Iterable[int]) -> set[int]:
        return {*pids, *self.pids}

    def tree(self) -> list[int]:
        """Living descendants of the watcher."""
        parents: dict[int, int] = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit() and alive(int(entry)):
                try:
                    parents[int(entry)] = int(Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()[1])
                except OSError:
                    continue
        found = {self.watcher} - {0}
        grown = True
        while grown:
            new = {pid for pid, parent in parents.items() if parent in found} - found
            found |= new
            grown = bool(new)
        return sorted(found - {self.watcher})

    def close_input(self) -> None:
        if self.input >= 0:
            os.close(self.input)
            self.input = -1

    def close_output(self) -> None:
        if self.relay.stdout is not None:
            self.relay.stdout.close()

    def clean_up(self) -> None:
        self.close_input()
        try:
            self.relay.wait(DEADLINE_S)
        finally:
            self.close_output()
            for pid in self.pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue


class ForkServer:
    """A fork server that has imported a stand-in for SGLang, without a supervisor of its own."""

    def __init__(
        self,
        folder: Path,
        modules: dict[str, str] | None = None,
        env: dict[str, str] | None = None,
        stand_in: bool = True,
        arguments: tuple[str, ...] = ("--device", "cpu"),
    ) -> None:
        self.folder = folder
        self.modules = folder / "modules"
        stand_ins = {"sglang/__init__.py": "", "sglang/srt/__init__.py": "", **(modules or SGLANG)}
        for name, text in (stand_ins if stand_in else {}).items():
            path = self.modules / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.path = str(folder / "socket")
        self.log_file = folder / "fork-server.log"
        package = str(SUPERVISOR.parents[1])
        command = [sys.executable, RUNNER, "-m", "sglang_ray.fork_server", "srt", *arguments]
        environment = {
            **os.environ,
            "PYTHONPATH": f"{package}:{self.modules}",
            "PYTHONUNBUFFERED": "1",
            "SGLANG_RAY_TREE": str(uuid.uuid4()),
            **(env or {}),
        }
        with contextlib.closing(listening(self.path)) as listener, self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                command, env=environment, stdin=listener.fileno(), stdout=log, stderr=log, start_new_session=True
            )
        self.owner = self.connect()

    def connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(DEADLINE_S)
        connection.connect(self.path)
        return connection

    def verdict(self) -> dict[str, Any]:
        """What it says once it has imported."""
        return read_event(self.owner)

    def module(self, code: str) -> str:
        """A new module of this code, which a command can run."""
        name = f"code_{len(list(self.modules.iterdir()))}"
        (self.modules / f"{name}.py").write_text(code)
        return name

    def log(self) -> str:
        return self.log_file.read_text()

    def close(self) -> None:
        self.owner.close()
        self.process.kill()
        self.process.wait()


SGLANG = {"sglang/srt/server_args.py": ""}


def read_event(connection: socket.socket) -> dict[str, Any]:
    """The next line, and no more."""
    line = b""
    while not line.endswith(b"\n"):
        chunk = connection.recv(1)
        assert chunk, "the fork server closed the connection"
        line += chunk
    found: dict[str, Any] = json.loads(line)
    return found


class ForkedRelay:
    """A supervisor's relay that is the child of a fork server."""

    def __init__(self, server: ForkServer, pid: int) -> None:
        self.server = server
        self.pid = pid
        self.stdout = None

    def wait(self, timeout: float = DEADLINE_S) -> int:
        del timeout
        ended = re.compile(rf"the supervisor {self.pid} has ended \((-?\d+)\)")
        wait_until(lambda: bool(ended.search(self.server.log())))
        found = ended.search(self.server.log())
        assert found
        return int(found[1])

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def terminate(self) -> None:
        os.kill(self.pid, signal.SIGTERM)


class Forked(Supervised):
    """A supervisor that is forked, and that forks the command where it is Python."""

    def __init__(self, folder: Path, server: ForkServer) -> None:
        super().__init__(folder)
        self.server = server

    def start_spec(self, spec: dict[str, Any]) -> None:
        command = spec["command"]
        if command[:2] == [sys.executable, "-c"]:
            spec = {**spec, "command": self.fork(command[2], *command[3:])}
        super().start_spec(spec)

    def fork(self, code: str, *arguments: str) -> list[str]:
        """The command that runs this code in a fork."""
        return [sys.executable, RUNNER, "-m", self.server.module(code), *arguments]

    def start_raw(self, data: bytes) -> None:
        connection = self.server.connect()
        forked = read_event(connection)
        assert forked["event"] == "forked"
        connection.settimeout(None)
        self.relay = ForkedRelay(self.server, forked["pid"])
        self.input = self.output = connection.detach()
        self.write(data)

    def close_input(self) -> None:
        if self.input >= 0:
            self.shut_down(socket.SHUT_WR)
            self.input = -1

    def close_output(self) -> None:
        self.shut_down(socket.SHUT_RD)

    def shut_down(self, how: int) -> None:
        with socket.socket(fileno=os.dup(self.output)) as connection, contextlib.suppress(OSError):
            connection.shutdown(how)

    def clean_up(self) -> None:
        super().clean_up()
        os.close(self.output)
