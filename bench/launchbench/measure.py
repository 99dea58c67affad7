# SPDX-License-Identifier: Apache-2.0
"""One launch, from the start of the command to the first answer through the router, and its end."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launchbench import processes
from launchbench.contenders import Contender, base_environment

LAUNCH_DEADLINE_S = 600.0
ANSWER_DEADLINE_S = 60.0
SHUTDOWN_DEADLINE_S = 60.0
HEAD_PORT = 6399


@dataclass(frozen=True)
class Run:
    """What is to be measured. ``cluster`` is ``own`` (the program starts Ray) or ``existing`` (Ray runs already)."""

    contender: Contender
    python: str
    engines: int
    cluster: str
    folder: Path


def measure(run: Run) -> dict[str, Any]:
    """The result as plain JSON; raises RuntimeError with the end of the program's output when it does not launch."""
    run.folder.mkdir(parents=True, exist_ok=True)
    address = _start_head(run) if run.cluster == "existing" else None
    before = {process.pid for process in processes.live()}
    cpu_before = processes.cpu_seconds()
    command = run.contender.command(run.engines, address, run.folder)
    environment = {**base_environment(), **run.contender.environment}
    start = time.monotonic()
    with open(run.folder / "stderr.log", "wb") as errors:
        program = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env=environment, text=True)
    try:
        phases, router_url = _follow(run, program, start)
        _ask(router_url)
        answered = time.monotonic() - start
        cpu = processes.cpu_seconds() - cpu_before
        alive = [process for process in processes.live() if not process.zombie]
        started = [process for process in alive if process.pid not in before]
        memory = processes.pss_mib(started)
        shutdown, leftovers = _shut_down(program, before)
    finally:
        program.kill()
        program.wait()
    return {
        "contender": run.contender.name,
        "engines": run.engines,
        "cluster": run.cluster,
        "answer_s": round(answered, 3),
        "phases_s": {name: round(seconds, 3) for name, seconds in phases.items()},
        "cpu_s": round(cpu, 2),
        "pss_mib": memory,
        "processes": len(started),
        "shutdown_s": round(shutdown, 3),
        "exit_code": program.returncode,
        "leftovers": leftovers,
        "busiest": [
            f"{process.cpu + process.reaped:.2f} s {process.kind}: {process.command[:120]}"
            for process in sorted(started, key=lambda each: -each.cpu - each.reaped)[:20]
        ],
    }


def _start_head(run: Run) -> str:
    words = ["--head", f"--port={HEAD_PORT}", f"--num-gpus={run.engines}", "--include-dashboard=false"]
    with open(run.folder / "head.log", "wb") as log:
        subprocess.run(
            [run.python, "-m", "ray.scripts.scripts", "start", *words, "--disable-usage-stats"],
            env=base_environment(),
            stdout=log,
            stderr=log,
            timeout=120,
            check=True,
        )
    return f"127.0.0.1:{HEAD_PORT}"


def _follow(run: Run, program: subprocess.Popen[str], start: float) -> tuple[dict[str, float], str]:
    """How long each phase took, and the router's URL. What no phase accounts for is called ``rest``."""
    lines: queue.Queue[tuple[float, str | None]] = queue.Queue()
    reader = threading.Thread(target=_read, args=(program, run.folder / "stdout.log", lines), daemon=True)
    reader.start()
    phases: dict[str, float] = {}
    last = start
    while True:
        try:
            at, line = lines.get(timeout=max(0.0, start + LAUNCH_DEADLINE_S - time.monotonic()))
        except queue.Empty:
            raise RuntimeError(_failure(run, f"no router within {LAUNCH_DEADLINE_S:.0f} s")) from None
        if line is None:
            raise RuntimeError(_failure(run, f"the program ended with {program.wait()} before its router was ready"))
        event = run.contender.parse(line)
        if event is None:
            continue
        if event.phase is not None:
            phases[event.phase] = at - last
            last = at
        phases.update(event.took)
        if event.router_url is not None:
            phases["rest"] = at - start - sum(phases.values())
            return phases, event.router_url


def _read(program: subprocess.Popen[str], log: Path, lines: queue.Queue[tuple[float, str | None]]) -> None:
    assert program.stdout is not None
    with open(log, "w", encoding="utf-8") as file:
        for line in program.stdout:
            lines.put((time.monotonic(), line))
            file.write(line)
            file.flush()
    lines.put((time.monotonic(), None))


def _failure(run: Run, what: str) -> str:
    tails = []
    for name in ("stdout.log", "stderr.log"):
        path = run.folder / name
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        tails += [f"--- end of {path}", *text.splitlines()[-25:]]
    return "\n".join([f"{run.contender.name} with {run.engines} engines: {what}", *tails])


def _ask(router_url: str) -> None:
    """The first answer; the router may refuse at first, which counts as waiting."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    body = json.dumps({"text": "hello", "sampling_params": {"max_new_tokens": 1}}).encode()
    end = time.monotonic() + ANSWER_DEADLINE_S
    while True:
        request = urllib.request.Request(router_url + "/generate", body, {"Content-Type": "application/json"})
        try:
            with opener.open(request, timeout=ANSWER_DEADLINE_S) as response:
                if "heard 5 characters" in json.load(response)["text"]:
                    return
                raise RuntimeError("the answer is not the stand-in's")
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


def _shut_down(program: subprocess.Popen[str], before: set[int]) -> tuple[float, list[str]]:
    """Seconds from Ctrl-C until no process is left that was not there before, and what is left at the deadline."""
    start = time.monotonic()
    program.send_signal(signal.SIGINT)
    while True:
        program.poll()
        left = [process for process in processes.live() if process.pid not in before and not process.zombie]
        took = time.monotonic() - start
        if not left or took > SHUTDOWN_DEADLINE_S:
            return took, [process.command or process.name for process in left]
        time.sleep(0.02)
