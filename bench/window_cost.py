#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What it costs that a fleet can be looked at: CPU time and memory of its workers and its owner, requests/s routed.

Fleets of stand-in engines live on one Ray head at the same time: ``plain`` serves nothing, ``metrics`` serves metrics
at one look and one scrape in five seconds, ``page`` also its page, which is watched. CPU time and memory are those of
each process over the same seconds; requests/s are taken in turn, several times, with ``wrk``. A table goes to standard
output, what happens to standard error.

Needs ``sglang-ray`` built, a Python with Ray and the router, and ``wrk``.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
SCRAPE_S = 5.0
MODES = {
    "plain": "",
    "metrics": "  metrics: {port: 0, interval_s: 5}\n",
    "page": "  metrics: {port: 0, interval_s: 5}\n  dashboard: {port: 0}\n",
}


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def configuration(mode: str, rank: int, engines: int) -> str:
    return f"""\
cluster:
  num_nodes: 1
  component_placement: {{rollout: {rank * engines}-{(rank + 1) * engines - 1}}}
args:
  tensor_parallel_size: 1
  pipeline_parallel_size: 1
  group_name: {mode}
  router_group_name: {mode}-router
  server: {{model_path: /tmp, log_level: error}}
  router: {{policy: round_robin, log_level: error}}
{MODES[mode]}"""


class Fleet:
    """A fleet in the foreground of its own owner."""

    def __init__(self, mode: str, process: subprocess.Popen[str]) -> None:
        self.mode = mode
        self.process = process
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise SystemExit(f"the fleet '{mode}' did not come up")
        self.report: dict[str, Any] = json.loads(line)

    def owner(self) -> int:
        """The driver's JVM: the start script has become it."""
        return self.process.pid

    def workers(self) -> list[int]:
        return [worker["workerPid"] for worker in self.report["workers"]]

    def watch(self, ended: threading.Event) -> None:
        """Does what Prometheus and a browser do, until the end."""
        if "metrics_url" in self.report:
            threading.Thread(target=self._scrape, args=(ended,), daemon=True).start()
        if "dashboard_url" in self.report:
            threading.Thread(target=self._follow, args=(ended,), daemon=True).start()

    def _scrape(self, ended: threading.Event) -> None:
        while not ended.wait(SCRAPE_S):
            urllib.request.urlopen(self.report["metrics_url"] + "/metrics", timeout=10).read()

    def _follow(self, ended: threading.Event) -> None:
        with urllib.request.urlopen(self.report["dashboard_url"] + "/stream", timeout=60) as stream:
            while not ended.is_set() and stream.readline():
                pass


def await_line(process: subprocess.Popen[str], text: str) -> None:
    """Until a process says this, on its standard output."""
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return
    raise SystemExit(f"the Ray head ended without '{text}'")


def seconds(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def mebibytes(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 2**20


def requests_per_second(url: str, duration: int, script: Path) -> float:
    output = subprocess.run(
        ["wrk", "-t1", "-c32", f"-d{duration}s", "-s", str(script), f"{url}/generate"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return next(float(line.split()[1]) for line in output.splitlines() if line.startswith("Requests/sec"))


def measure(fleets: list[Fleet], arguments: argparse.Namespace, script: Path) -> None:
    ended = threading.Event()
    for fleet in fleets:
        fleet.watch(ended)
    say(f"waiting {arguments.warm_up} s")
    time.sleep(arguments.warm_up)
    pids = {fleet.mode: [fleet.owner(), *fleet.workers()] for fleet in fleets}
    before = {pid: seconds(pid) for some in pids.values() for pid in some}
    say(f"measuring {arguments.seconds} s without requests")
    time.sleep(arguments.seconds)
    idle = {pid: (seconds(pid) - since) / arguments.seconds * 100 for pid, since in before.items()}
    memory = {pid: mebibytes(pid) for pid in before}
    rates: dict[str, list[float]] = {fleet.mode: [] for fleet in fleets}
    for turn in range(arguments.turns):
        for fleet in fleets if turn % 2 == 0 else reversed(fleets):
            rate = requests_per_second(fleet.report["api_url"], arguments.load_seconds, script)
            say(f"{fleet.mode}: {rate:.0f} requests/s")
            rates[fleet.mode].append(rate)
    ended.set()
    heads = ["fleet", "owner, % of a core", "owner, MiB", "a worker, % of a core", "a worker, MiB"]
    heads += ["requests/s, median", "lowest to highest"]
    print(f"| {' | '.join(heads)} |")
    print("| --- " * len(heads) + "|")
    for fleet in fleets:
        owner, *workers = pids[fleet.mode]
        rate = rates[fleet.mode]
        print(
            f"| {fleet.mode} | {idle[owner]:.2f} | {memory[owner]:.0f} "
            f"| {statistics.mean(idle[one] for one in workers):.2f} "
            f"| {statistics.mean(memory[one] for one in workers):.0f} "
            f"| {statistics.median(rate):.0f} | {min(rate):.0f} to {max(rate):.0f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True, help="a Python with Ray and the router")
    parser.add_argument("--engines", type=int, default=2, help="of each fleet")
    parser.add_argument("--warm-up", type=int, default=40, help="seconds")
    parser.add_argument("--seconds", type=int, default=60, help="without requests")
    parser.add_argument("--load-seconds", type=int, default=8, help="of each measurement")
    parser.add_argument("--turns", type=int, default=5, help="measurements of requests/s of each fleet")
    parser.add_argument("--modes", default=",".join(MODES), help="which fleets, and in which order they are asked first")
    arguments = parser.parse_args()
    modes = arguments.modes.split(",")
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT / 'bench'}:{ROOT / 'bench/standin'}",
        "SGLANG_RAY_PYTHON": arguments.python,
        "SGLANG_RAY_DEVICE": "stand-in",
        "SGLANG_RAY_WARM_START": "0",
    }
    ray = str(Path(arguments.python).with_name("ray"))
    accelerators = len(modes) * arguments.engines
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "generate.lua")
        body = 'wrk.body = \'{"text": "a"}\'\nwrk.headers["Content-Type"] = "application/json"\n'
        script.write_text(f'wrk.method = "POST"\n{body}')
        start = [ray, "start", "--head", "--block", "--port", "6391", "--num-cpus", "16"]
        start += ["--num-gpus", str(accelerators), "--disable-usage-stats"]
        # Not `ray stop`, which ends all of this machine's clusters.
        head = subprocess.Popen(
            start, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        running: list[subprocess.Popen[str]] = []
        try:
            await_line(head, "Ray runtime started")
            fleets = []
            for rank, mode in enumerate(modes):
                file = Path(folder, f"{mode}.yaml")
                file.write_text(configuration(mode, rank, arguments.engines))
                say(f"launching the fleet '{mode}'")
                script_of = str(ROOT / "ray-app/target/dist/sglang-ray")
                command = [script_of, "up", "--address", "127.0.0.1:6391", "--json"]
                process = subprocess.Popen(
                    [*command, "-c", str(file), "--args-key", "args"], env=environment, stdout=subprocess.PIPE, text=True
                )
                running.append(process)
                fleets.append(Fleet(mode, process))
            measure(fleets, arguments, script)
        finally:
            for process in running:
                process.send_signal(signal.SIGINT)
            for process in running:
                process.wait(60)
            os.killpg(head.pid, signal.SIGTERM)
            head.wait(60)


if __name__ == "__main__":
    main()
