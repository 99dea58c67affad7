#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Composing a configuration: ours and Hydra in one run, as a new process and in a process that is warm.

Needs a Python with hydra-core and omegaconf, and a checkout of RLinf for its example configurations:

    bench/config_bench.py --hydra-python /opt/hydra/bin/python --checkout /opt/RLinf
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCRIPT = HERE.parent / "ray-app" / "target" / "dist" / "sglang-ray"
JAR = SCRIPT.with_name("sglang-ray.jar")


def output(command: list[str], environment: dict[str, str]) -> str:
    """What a command prints; its messages are shown only when it fails."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed with {done.returncode}:\n{done.stderr}")
    return done.stdout


def cold(contenders: dict[str, list[str]], environment: dict[str, str], runs: int) -> dict[str, list[float]]:
    """Seconds of new processes, the contenders taking turns; the first turn, which fills caches, does not count."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(runs + 1):
        for name, command in contenders.items():
            begin = time.perf_counter()
            output(command, environment)
            if turn > 0:
                times[name].append(time.perf_counter() - begin)
    return times


def warm(contenders: dict[str, list[str]], environment: dict[str, str], turns: int) -> dict[str, list[float]]:
    """Seconds of the second half of each process's compositions, the contenders taking turns."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(turns):
        for name, command in contenders.items():
            found = json.loads(output(command, environment))
            times[name] += found[len(found) // 2 :]
    return times


def line(name: str, seconds: list[float]) -> str:
    return (
        f"  {name:6} median {statistics.median(seconds) * 1e3:9.2f} ms"
        f"   least {min(seconds) * 1e3:9.2f}   most {max(seconds) * 1e3:9.2f}   ({len(seconds)} times)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hydra-python", required=True, help="a Python with hydra-core and omegaconf")
    parser.add_argument("--checkout", required=True, help="a checkout of RLinf")
    parser.add_argument("--config-dir", help="the folder of another configuration than the largest")
    parser.add_argument("--config-name", help="its name")
    parser.add_argument("--runs", type=int, default=5, help="new processes of each (default 5)")
    parser.add_argument("--turns", type=int, default=2, help="warm processes of each (default 2)")
    parser.add_argument("--seconds", type=float, default=10, help="how long a warm process composes (default 10)")
    parser.add_argument("--json", help="a file for the results")
    arguments = parser.parse_args()
    if not JAR.is_file():
        raise SystemExit(f"{JAR} is missing; build it with: mvn -DskipTests package -pl ray-app -am")
    checkout = os.path.abspath(arguments.checkout)
    environment = {**os.environ, "EMBODIED_PATH": f"{checkout}/examples/embodiment", "REPO_PATH": checkout}
    hydra = [arguments.hydra_python, str(HERE / "hydra_compose.py")]
    folder, name = arguments.config_dir, arguments.config_name
    if not (folder and name):
        folder, name = output([*hydra, "--largest", checkout], environment).split()
    ours = [str(SCRIPT), "config", "show", "--json", "--config-path", folder, "--config-name", name]
    java = ["java", "-XX:+UseSerialGC", "-Xmx512m", "-cp", str(JAR), str(HERE / "ConfigCompose.java")]

    theirs = json.loads(output([*hydra, folder, name], environment))
    same = json.loads(output(ours, environment))["config"] == theirs
    print(f"{name} in {folder}: {len(json.dumps(theirs))} characters, the results are {'equal' if same else 'NOT equal'}")
    seconds = str(arguments.seconds)
    results = {
        "cold": cold({"hydra": [*hydra, folder, name], "ours": ours}, environment, arguments.runs),
        "warm": warm(
            {"hydra": [*hydra, folder, name, seconds], "ours": [*java, folder, name, seconds]},
            environment,
            arguments.turns,
        ),
    }
    for kind, times in results.items():
        print(kind)
        for contender, measured in times.items():
            print(line(contender, measured))
        ratio = statistics.median(times["hydra"]) / statistics.median(times["ours"])
        print(f"  hydra/ours {ratio:.1f}")
    if arguments.json:
        Path(arguments.json).write_text(json.dumps({"config": name, "equal": same, **results}), encoding="utf-8")
    if not same:
        sys.exit(1)


if __name__ == "__main__":
    main()
