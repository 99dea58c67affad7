#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seconds from ``kill -9`` of a real engine to a healthy one, CPU seconds and memory, for three ways to start it.

``launch_server``: ``python -m sglang.launch_server``, killed with all its children and started again. ``cold``: under
the supervisor, executed. ``warm``: under the supervisor, forked. With the tiny model, and ``--engines`` at once. On the
CPU, in the environment of ``python-bridge/prepare run``; with ``--gpus`` on NVIDIA GPUs, by ``cold`` and ``warm``
alone. There a fork must see no GPU but those it is given, and none may be in use afterwards. A table goes to standard
output, what happens to standard error.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path

BRIDGE = Path(__file__).resolve().parent.parent / "python-bridge"
PACKAGE = BRIDGE / "src/main/python"
SUPERVISOR = PACKAGE / "sglang_ray/supervisor.py"
RUNNER = PACKAGE / "sglang_ray/run_module.py"
DEADLINE_S = 900.0


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def await_health(port: int) -> None:
    end = time.monotonic() + DEADLINE_S
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=30) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.02)
        if time.monotonic() > end:
            raise SystemExit(f"the engine was not healthy within {DEADLINE_S:.0f} s")


def generate(port: int) -> str:
    body = {"text": "Once upon", "sampling_params": {"max_new_tokens": 16, "temperature": 0}}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/generate", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        return str(json.loads(answer.read())["text"])


def parents() -> dict[int, int]:
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                found[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    return found


def below(root: int) -> list[int]:
    """The process and its descendants."""
    parent = parents()
    found = [root]
    for pid in found:
        found += [child for child, its in parent.items() if its == pid]
    return found


def memory(root: int) -> int:
    """Proportional set size of a tree, in MiB."""
    kib = 0
    for pid in below(root):
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            kib += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kib >> 10


def cpu_seconds(root: int) -> float:
    """Of a tree: of what lives, and of what its parents have waited for."""
    ticks = 0
    for pid in below(root):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def nvidia_smi(field: str) -> list[str]:
    """This of each GPU."""
    command = ["nvidia-smi", f"--query-gpu={field}", "--format=csv,noheader,nounits"]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split("\n")[:-1]


VISIBLE = """
import torch
devices = range(torch.cuda.device_count())
sums = [float(torch.ones(64, 64, device=index).mm(torch.ones(64, 64, device=index)).sum()) for index in devices]
print(len(devices), [str(torch.cuda.get_device_properties(index).uuid) for index in devices], sums)
"""


class Connection:
    """A supervisor's protocol over two descriptors."""

    def __init__(self, read: int, write: int) -> None:
        self.events = os.fdopen(read, "rb")
        self.orders = os.fdopen(write, "wb", buffering=0)

    def order(self, order: dict[str, object]) -> None:
        self.orders.write(json.dumps(order).encode() + b"\n")

    def await_event(self, name: str) -> dict[str, object]:
        for line in self.events:
            event: dict[str, object] = json.loads(line)
            if event["event"] == name:
                return event
            say(f"  {line.decode().strip()}")
        raise SystemExit(f"the supervisor ended before it said {name!r}")


class Launcher:
    """What all three have: where they run, and with what."""

    def __init__(self, python: str, folder: Path, arguments: dict[str, object], gpus: str | None) -> None:
        self.python = python
        self.model = str(folder.parent / "model")
        self.folder = folder
        self.arguments = arguments
        self.environment = {
            **os.environ,
            "PYTHONPATH": f"{PACKAGE}:{folder}",
            "PYTHONSAFEPATH": "1",
            "PYTHONUNBUFFERED": "1",
            "SGLANG_RAY_TREE": str(uuid.uuid4()),
            **({"SGLANG_RAY_DEVICE": "cpu"} if gpus is None else {}),
        }
        saver = ["--memory-saver"] if arguments.get("enable_memory_saver") else []
        self.options = ["--device", "cpu"] if gpus is None else saver
        #: What a command has beside the environment of the fork server.
        self.visible = {} if gpus is None else {"CUDA_VISIBLE_DEVICES": gpus}

    def begin(self) -> None:
        """Before the first start."""

    def root(self) -> int:
        """The process below which all of it is."""
        raise NotImplementedError

    def start(self, port: int) -> None:
        raise NotImplementedError

    def kill(self) -> None:
        """SIGKILL to the engine; returns at once, or when its place is free where that is awaited before a start."""
        raise NotImplementedError

    def end(self) -> None:
        raise NotImplementedError


class LaunchServer(Launcher):
    def start(self, port: int) -> None:
        words = f"--device cpu --attention-backend torch_native --sampling-backend pytorch --disable-overlap-schedule \
            --max-total-tokens 32768 --skip-server-warmup --host 127.0.0.1 --port {port} --model-path {self.model}"
        environment = {
            **self.environment,
            "PYTHONPATH": f"{PACKAGE / 'sglang_ray/cpu_site'}:{PACKAGE}",
            "CUDA_VISIBLE_DEVICES": "",
            "OMP_NUM_THREADS": str(len(os.sched_getaffinity(0))),
        }
        with (self.folder / "launch_server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.python, "-m", "sglang.launch_server", *words.split()],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def root(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        tree = below(self.process.pid)
        for pid in tree:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    end = kill


class Cold(Launcher):
    def supervisor(self) -> Connection:
        self.relay = subprocess.Popen(
            [self.python, "-I", "-S", str(SUPERVISOR)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            bufsize=0,
        )
        assert self.relay.stdin is not None
        assert self.relay.stdout is not None
        return Connection(os.dup(self.relay.stdout.fileno()), os.dup(self.relay.stdin.fileno()))

    def connect(self) -> Connection:
        return self.supervisor()

    def start(self, port: int) -> None:
        arguments = {"model_path": self.model, "host": "127.0.0.1", "port": port, **self.arguments}
        request = {"kind": "srt", "server_args": arguments, "dist_port": free_port()}
        self.engine = self.command("sglang_ray.serve", f"{type(self).__name__}.log", self.visible, json.dumps(request))

    def command(self, module: str, log: str, env: dict[str, str], stdin: str | None = None) -> int:
        """Starts a module; returns its process."""
        self.connection = self.connect()
        self.connection.order(
            {
                "command": [self.python, str(RUNNER), "-m", module],
                "env": {**self.environment, **env},
                "stdin": stdin,
                "log_file": str(self.folder / log),
            }
        )
        return int(str(self.connection.await_event("started")["pid"]))

    def root(self) -> int:
        return self.relay.pid

    def kill(self) -> None:
        os.kill(self.engine, signal.SIGKILL)
        self.connection.await_event("exited")

    def end(self) -> None:
        self.connection.order({"op": "terminate", "grace_s": 5})
        self.connection.await_event("exited")


class Warm(Cold):
    def begin(self) -> None:
        self.server = self.supervisor()
        self.path = str(self.folder / "forks")
        self.server.order(
            {
                "command": [self.python, str(RUNNER), "-m", "sglang_ray.fork_server", "srt", *self.options],
                "env": self.environment,
                "listen": self.path,
                "log_file": str(self.folder / "fork_server.log"),
            }
        )
        self.server.await_event("started")
        self.owner = self.open()
        self.owner.await_event("ready")

    def check_devices(self) -> None:
        """What a fork computes on, for several values of the variable."""
        (self.folder / "visible.py").write_text(VISIBLE)
        gpus = self.visible["CUDA_VISIBLE_DEVICES"]
        for value, number in ((gpus, len(gpus.split(","))), (nvidia_smi("uuid")[-1], 1), ("", 0)):
            self.command("visible", "visible.log", {"CUDA_VISIBLE_DEVICES": value})
            self.connection.await_event("exited")
            found = (self.folder / "visible.log").read_text().splitlines()[-1]
            say(f"Warm: with CUDA_VISIBLE_DEVICES={value} a fork sees {found}")
            if not found.startswith(f"{number} "):
                raise SystemExit(f"{number} devices were expected")

    def open(self) -> Connection:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(self.path)
            return Connection(os.dup(connection.fileno()), os.dup(connection.fileno()))

    def connect(self) -> Connection:
        connection = self.open()
        connection.await_event("forked")
        return connection

    def end(self) -> None:
        super().end()
        if self.visible:
            self.check_devices()
        self.server.order({"op": "terminate", "grace_s": 5})
        self.server.await_event("exited")


def measure(launchers: list[Launcher], kills: int) -> dict[str, object]:
    """All at once: started, killed and started again."""
    name = type(launchers[0]).__name__
    ports = [free_port() for _ in launchers]
    with concurrent.futures.ThreadPoolExecutor(len(launchers)) as pool:

        def start(launcher: Launcher, port: int) -> None:
            launcher.start(port)
            await_health(port)

        def begin(launcher: Launcher, port: int) -> None:
            launcher.begin()
            start(launcher, port)

        def restart(launcher: Launcher, port: int) -> None:
            launcher.kill()
            start(launcher, port)

        def seconds(step: Callable[[Launcher, int], None]) -> float:
            since = time.monotonic()
            list(pool.map(step, launchers, ports))
            return time.monotonic() - since

        first = seconds(begin)
        cpu = sum(cpu_seconds(launcher.root()) for launcher in launchers)
        say(f"{name}: first start {first:.1f} s, {cpu:.1f} CPU seconds")
        answers = {generate(port) for port in ports}
        again = []
        for _ in range(kills):
            again.append(seconds(restart))
            answers |= {generate(port) for port in ports}
            say(f"{name}: healthy {again[-1]:.1f} s after kill -9")
    pss = sum(memory(launcher.root()) for launcher in launchers)
    if launchers[0].visible:
        say(f"{name}: MiB of each GPU {nvidia_smi('memory.used')}")
    for launcher in launchers:
        launcher.end()
        log = launcher.folder / "Warm.log"
        if name == "Warm" and " imports for itself" in log.read_text():
            raise SystemExit(f"a process of the engine was not forked; see {log.read_text()[-2000:]}")
    if launchers[0].visible:
        end = time.monotonic() + 10
        while set(nvidia_smi("memory.used")) != {"0"}:
            if time.monotonic() > end:
                raise SystemExit(f"MiB are left on a GPU: {nvidia_smi('memory.used')}")
        say(f"{name}: 0 MiB of each GPU afterwards")
    return {"way": name, "first": first, "cpu_s": cpu, "again": again, "pss_mib": pss, "answers": sorted(answers)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", help="an interpreter with SGLang (default: that of `prepare path run`)")
    parser.add_argument("--engines", type=int, default=1, help="so many at once (default: 1)")
    parser.add_argument("--kills", type=int, default=3, help="how often each is killed (default: 3)")
    parser.add_argument("--ways", help="default: launch_server,cold,warm, with --gpus cold,warm")
    parser.add_argument("--gpus", help="CUDA_VISIBLE_DEVICES of the engine, such as 0; without it runs on the CPU")
    parser.add_argument("--arguments", type=json.loads, default={}, help="more of ServerArgs, a JSON object")
    parser.add_argument("--folder", type=Path, help="where to keep model and logs")
    parser.add_argument("--json", help="where to write the results too")
    options = parser.parse_args()
    python = options.python
    if python is None:
        run = subprocess.run([BRIDGE / "prepare", "path", "run"], stdout=subprocess.PIPE, text=True, check=True)
        python = run.stdout.strip() + "/bin/python"
    ways = {"cold": Cold, "warm": Warm, **({"launch_server": LaunchServer} if options.gpus is None else {})}
    names = (options.ways or ("launch_server,cold,warm" if options.gpus is None else "cold,warm")).split(",")
    with contextlib.ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="warm-start-")))
        make = [python, str(RUNNER), "-m", "sglang_ray.tiny_model", str(folder / "model")]
        subprocess.run(make, stdout=subprocess.DEVNULL, check=True)
        results = []
        for name in names:
            folders = [folder / f"{name}{number}" for number in range(options.engines)]
            for each in folders:
                each.mkdir(exist_ok=True)
            launchers = [ways[name](python, each, options.arguments, options.gpus) for each in folders]
            results.append(measure(launchers, options.kills))
    print("| way | first start, s | CPU seconds of it | kill -9 to healthy, s (median) | PSS, MiB |")
    print("| --- | --- | --- | --- | --- |")
    for each in results:
        again = each["again"]
        assert isinstance(again, list)
        shown = ", ".join(f"{one:.1f}" for one in again)
        median = f"{statistics.median(again):.1f} ({shown})" if again else ""
        print(f"| {each['way']} | {each['first']:.1f} | {each['cpu_s']:.1f} | {median} | {each['pss_mib']} |")
    if len({answer for each in results for answer in each["answers"]}) != 1:  # type: ignore[attr-defined]
        raise SystemExit("the answers differ")
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
