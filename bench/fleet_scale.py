#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How a fleet's costs grow with the number of its engines, up to 10,000, with a real router.

Usage: python bench/fleet_scale.py --python ENV/bin/python [--sizes 32,100,320,1000,3200,10000] [--routers sglang,smg]

Of each fleet three kinds of processes are real programs with their real options: the driver (planner, launcher, groups, monitor,
metrics, page, update), the router's worker (``SGLangRouterWorker`` with its registry, file and HTTP client) and the router that it
starts. Engines live in a few processes: of each its worker's ``EngineController`` and a listener with an address of its own. Ray
alone is replaced, at the interface beneath its Java API, see ``fleetscale/FakeRay.java``.

Prints a table with the slope of each measure between neighbouring sizes (1 is linear), and writes JSON and a plot if asked.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "bench" / "fleetscale"
TICKS = os.sysconf("SC_CLK_TCK")
PER_PROCESS = 2500
DEADLINE_S = 3600.0
STEADY_S = 20.0
# A JVM of a worker, as GroupOptions.SMALL_JVM says.
WORKER_JVM = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xms16m", "-Xmx160m", "-Xss512k"]
ROUTER_GROUP = "SGLangRouterGroup"
SERVER_GROUP = "SGLangServerGroup"


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def class_path(folder: Path, earlier: Path | None) -> str:
    """Compile the product, and the sources of this benchmark against it, or against an earlier build."""
    listed = folder / "classpath"
    command = ["mvn", "-B", "-o", "-q", "-pl", "ray-app", "-am", "compile", "dependency:build-classpath"]
    command += [f"-Dmdep.outputFile={listed}", "-DskipPython", "-Dspotless.check.skip"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
    product = f"{ROOT}/ray-app/target/classes:{listed.read_text()}"
    if earlier:
        product = ":".join(str(module) for module in earlier.iterdir()) + ":" + product
    classes = folder / "classes"
    sources = [str(source) for source in SOURCES.glob("*.java")]
    subprocess.run(["javac", "-d", str(classes), "-cp", product, *sources], check=True)
    return f"{classes}:{product}"


class Program:
    """A JVM of this benchmark, which answers each line with one line."""

    def __init__(self, path: str, main: str, options: list[str], words: list[object], environment: dict[str, str]) -> None:
        self.main = main
        command = ["java", *options, "-cp", path, main, *(str(word) for word in words)]
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self.first = self.line()

    def line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.main} ended: {self.process.wait()}")
        return line.strip()

    def ask(self, command: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.line())
        if "failed" in answer:
            say(f"{command} failed: {answer['failed']}")
        return answer

    def end(self) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.close()
            self.process.wait(20)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()


def cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resources(pid: int, prefix: str) -> dict[str, float]:
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {
        f"{prefix}_rss_mb": int(status["VmRSS"].split()[0]) / 1024,
        f"{prefix}_threads": int(status["Threads"]),
        f"{prefix}_files": len(os.listdir(f"/proc/{pid}/fd")),
    }


def router_pid(worker: int) -> int:
    """The router beneath its worker: the process with the largest memory."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found: list[int] = []
    todo = [worker]
    while todo:
        some = children.get(todo.pop(), [])
        found += some
        todo += some
    return max(found, key=lambda pid: resources(pid, "x")["x_rss_mb"])


class Watch:
    """What the registry says, until it is as wanted."""

    def __init__(self, worker: Program, engines: int) -> None:
        self.worker = worker
        self.pause = min(2.0, max(0.02, engines / 5000))

    def until(self, key: str, count: int) -> float:
        begin = time.monotonic()
        while True:
            answer = self.worker.ask("count")
            if answer[key] == count:
                return time.monotonic() - begin
            if time.monotonic() - begin > DEADLINE_S:
                raise SystemExit(f"{key} is not {count}: {answer}")
            time.sleep(self.pause)


def rate(answer: dict[str, Any], before: dict[str, Any], seconds: float) -> dict[str, float]:
    return {key: (answer[key] - before[key]) / seconds for key in answer}


def total(engines: list[Program]) -> dict[str, Any]:
    answers = [one.ask("count") for one in engines]
    return {key: sum(answer[key] for answer in answers) for key in answers[0]}


def measure(path: str, engines: int, router: str, arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    environment = {**os.environ, "SGLANG_RAY_NODE_DIR": str(folder / f"node-{router}-{engines}")}
    programs: list[Program] = []
    result: dict[str, Any] = {"engines": engines, "router": router}
    try:
        per = min(PER_PROCESS, engines)
        hosts: list[Program] = []
        for first in range(0, engines, per):
            words = [SERVER_GROUP, first, min(per, engines - first), engines]
            hosts.append(Program(path, "Engines", ["-Xmx1500m", "-XX:+UseSerialGC"], words, environment))
            programs.append(hosts[-1])
        ports = [host.first for host in hosts]
        worker = Program(path, "RouterWorker", WORKER_JVM, [f"{ROUTER_GROUP}:0", SERVER_GROUP, per, *ports], environment)
        programs.append(worker)
        for host in hosts:
            host.ask(f"router {worker.first}")
        words = [engines, router, arguments.python, worker.first, per, *ports]
        options = [f"-Drouter={arguments.router_arguments}"]
        driver = Program(path, "Driver", options, words, environment)
        programs.append(driver)
        watch = Watch(worker, engines)

        result |= driver.ask("plan")
        before = cpu(worker.process.pid)
        launch = driver.ask("launch")
        if "failed" in launch:
            return result | launch
        launched = router_pid(worker.process.pid)
        result |= {key: launch[key] for key in ("launch_s", "launch_cpu_s")}
        result |= {f"launch_{name}_s": seconds for name, seconds in launch["phases"].items()}
        result["launch_worker_cpu_s"] = cpu(worker.process.pid) - before
        result["launch_router_cpu_s"] = cpu(launched)
        say(f"{router} {engines}: launched in {launch['launch_s']:.1f} s")
        for name, program in (("driver", driver), ("worker", worker)):
            stats = program.ask("stats")
            result[f"{name}_heap_mb"] = stats["heap_mb"]
            result[f"{name}_peak_threads"] = stats["peak_threads"]
            result[f"{name}_refs_waited"] = stats["waited"]
            result |= resources(program.process.pid, name)
            say(f"{name}: {stats['calls']}")
        result |= resources(launched, "router")

        for command in ("status", "monitor"):
            driver.ask(command)
            result |= driver.ask(command)
        say(f"status {result['verdict']} {result.get('fault', '')}")

        time.sleep(5)
        counts = total(hosts)
        pids = {"worker": worker.process.pid, "router": launched}
        since = {name: cpu(pid) for name, pid in pids.items()}
        time.sleep(STEADY_S)
        result |= {f"steady_{name}_cores": (cpu(pid) - since[name]) / STEADY_S for name, pid in pids.items()}
        result |= {f"steady_{key}_per_s": value for key, value in rate(total(hosts), counts, STEADY_S).items()}

        if "update" in arguments.parts:
            driver.ask("stats")
            before = cpu(worker.process.pid)
            result |= {key: value for key, value in driver.ask("update").items() if key != "report"}
            result["update_worker_cpu_s"] = cpu(worker.process.pid) - before
            result["update_all_back_s"] = watch.until("listed", engines)
            say(f"update {result.get('update_s', 0):.1f} s")
        if "kill" in arguments.parts:
            dead = max(1, min(engines // 10, 320))
            begin = time.monotonic()
            for host in hosts:
                host.ask(f"kill 0 {dead}")
            result["killed"] = dead
            before = cpu(worker.process.pid)
            watch.until("wanted", engines - dead)
            result["kill_noticed_s"] = time.monotonic() - begin
            watch.until("ids", engines - dead)
            result["kill_gone_s"] = time.monotonic() - begin
            result["kill_worker_cpu_s"] = cpu(worker.process.pid) - before
            say(f"{dead} killed: noticed {result['kill_noticed_s']:.2f} s, gone {result['kill_gone_s']:.2f} s")
        if "restart" in arguments.parts:
            before = cpu(worker.process.pid)
            begin = time.monotonic()
            worker.ask("restart")
            result["restart_s"] = time.monotonic() - begin
            result["restart_worker_cpu_s"] = cpu(worker.process.pid) - before
            say(f"router restarted, all registered again in {result['restart_s']:.1f} s")
        stats = worker.ask("stats")
        result["worker_peak_threads_after"] = stats["peak_threads"]
        result["worker_heap_after_mb"] = stats["heap_mb"]
        worker.ask("shutdown")
        return result
    finally:
        for program in reversed(programs):
            program.end()


def slopes(rows: list[dict[str, Any]]) -> list[tuple[str, list[float | None], list[float | None]]]:
    """Each measure with its values and the slopes between neighbours."""
    table = []
    keys = [key for key, value in rows[-1].items() if isinstance(value, (int, float)) and key != "engines"]
    for key in keys:
        values = [row.get(key) for row in rows]
        steps: list[float | None] = [None]
        for (before, row), (a, b) in zip(zip(rows, rows[1:]), zip(values, values[1:])):
            defined = a is not None and b is not None and a > 0 and b > 0
            steps.append(math.log(b / a) / math.log(row["engines"] / before["engines"]) if defined else None)
        table.append((key, values, steps))
    return table


def show(rows: list[dict[str, Any]]) -> None:
    print("| measure | " + " | ".join(f"{row['engines']:,}" for row in rows) + " |")
    print("| --- " * (len(rows) + 1) + "|")
    for key, values, steps in slopes(rows):
        cells = [
            "" if value is None else f"{value:.4g}" + ("" if step is None else f" ({step:.2f})")
            for value, step in zip(values, steps)
        ]
        print(f"| {key} | {' | '.join(cells)} |", flush=True)


#: What the plot shows: key, words, colour (readable on light and on dark).
DRAWN = (
    ("launch_s", "launch, s", "#4477aa"),
    ("restart_s", "all registered again after a restart of the router, s", "#ee6677"),
    ("update_s", "update of the weights, s", "#228833"),
    ("look_s", "a look for metrics and page, s", "#aa3377"),
    ("status_s", "status, s", "#66ccee"),
)
NEUTRAL = "#888888"


def plot(rows: list[dict[str, Any]], file: Path) -> None:
    """Time over engines, both logarithmic, so that what costs the number of engines is parallel to the dashed line."""
    width, height, left, right, top, bottom = 860, 480, 60, 360, 20, 50
    sizes = [row["engines"] for row in rows]
    values = [row[key] for row in rows for key, _, _ in DRAWN if row.get(key)]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    first, last = math.log10(sizes[0]), math.log10(sizes[-1])

    def x(engines: float) -> float:
        return left + (math.log10(engines) - first) / (last - first) * (width - left - right)

    def y(seconds: float) -> float:
        return top + (high - math.log10(seconds)) / (high - low) * (height - top - bottom)

    def text(at: tuple[float, float], words: str, colour: str = NEUTRAL, anchor: str = "start") -> str:
        return f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" fill="{colour}" text-anchor="{anchor}">{words}</text>'

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13" role="img">',
        "<title>Seconds over engines, both logarithmic</title>",
    ]
    for power in range(low, high + 1):
        parts.append(
            f'<line x1="{left}" x2="{width - right}" y1="{y(10**power):.1f}" y2="{y(10**power):.1f}" stroke="{NEUTRAL}" stroke-opacity="0.3"/>'
        )
        parts.append(text((left - 8, y(10**power) + 4), f"{10.0**power:g}", anchor="end"))
    for size in sizes:
        parts.append(text((x(size), height - bottom + 20), f"{size:,}", anchor="middle"))
    parts.append(text(((left + width - right) / 2, height - 8), "engines", anchor="middle"))
    foot = 10.0**low * 1.5
    parts.append(
        f'<line x1="{x(sizes[0]):.1f}" y1="{y(foot):.1f}" x2="{x(sizes[-1]):.1f}" y2="{y(foot * sizes[-1] / sizes[0]):.1f}" '
        f'stroke="{NEUTRAL}" stroke-dasharray="4 4"/>'
    )
    labels = []
    for key, words, colour in DRAWN:
        points = [(x(row["engines"]), y(row[key])) for row in rows if row.get(key)]
        parts.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="'
            + " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
            + '"/>'
        )
        labels.append((points[-1][1], words, colour))
    below = 0.0
    for height_of, words, colour in sorted(labels):
        below = max(height_of + 4, below + 16)
        parts.append(text((width - right + 10, below), words, colour))
    file.write_text("\n".join([*parts, "</svg>"]) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True, help="a Python with sglang-router and smg")
    parser.add_argument("--sizes", default="32,100,320,1000,3200,10000")
    parser.add_argument("--routers", default="sglang,smg")
    parser.add_argument("--router-arguments", default="", help="further ones, as in ', health_check_interval_secs: 600'")
    parser.add_argument("--parts", default="update,kill,restart")
    parser.add_argument("--earlier", type=Path, help="a folder of folders of classes of an earlier build, to measure that")
    parser.add_argument("--json", type=Path, help="where results are written")
    parser.add_argument("--plot", type=Path, help="where the plot of the first router is written, as SVG")
    arguments = parser.parse_args()
    results: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = class_path(folder, arguments.earlier)
        for router in arguments.routers.split(","):
            rows: list[dict[str, Any]] = []
            for engines in (int(size) for size in arguments.sizes.split(",")):
                rows.append(measure(path, engines, router, arguments, folder))
                results.append(rows[-1])
                say(json.dumps(rows[-1]))
                if arguments.json:
                    arguments.json.write_text(json.dumps(results, indent=1) + "\n")
            print(f"\n{router}: value (slope from the size before)\n")
            show(rows)
            if arguments.plot and router == arguments.routers.split(",")[0] and len(rows) > 1:
                plot(rows, arguments.plot)


if __name__ == "__main__":
    main()
