# SPDX-License-Identifier: Apache-2.0
"""The command line; ``bench/launch_bench.py`` is the way in."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from launchbench import contenders, namespaces
from launchbench.contenders import BENCH, Contender
from launchbench.measure import Run, measure
from launchbench.report import summarize, table


def main() -> int:
    arguments = _parser().parse_args()
    if arguments.inside:
        return _inside(arguments)
    if any(contender.name == "ours" for contender in _contenders(arguments)):
        # Builds the jar where it is missing or older than its sources, which must not count.
        subprocess.run([contenders.SCRIPT, "--version"], check=True, stdout=subprocess.DEVNULL)
    sizes = [1] if arguments.smoke else [int(size) for size in arguments.engines.split(",")]
    repeats = 1 if arguments.smoke else arguments.repeat
    results: list[dict[str, Any]] = []
    for repeat in range(repeats):  # interleaved, so that a busy minute hits every program
        for cluster in arguments.cluster.split(","):
            for size in sizes:
                for contender in _contenders(arguments):
                    name = f"{cluster}-{size}-{contender.name}-{repeat}"
                    results.append(_one(arguments, contender.name, size, cluster, arguments.results / name))
    rows = summarize(results)
    print(table(rows))
    if arguments.json:
        document = {"machine": _machine(), "python": arguments.python, "rows": rows, "runs": results}
        arguments.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    left = [r for r in results if r["leftovers"]]
    for result in left:
        print(f"left behind by {result['contender']}: {result['leftovers']}", file=sys.stderr)
    return 1 if left else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="launch_bench.py", description="Measures launches; see bench/README.md.")
    parser.add_argument("--python", required=True, help="a Python with ray and sglang-router (and not sglang)")
    parser.add_argument("--original-python", help="a Python that can import RLinf; measures RLinf's launcher too")
    parser.add_argument("--only", help="measure only these programs, for example: ours,bare")
    parser.add_argument("--engines", default="1,4,16", help="numbers of engines (default: %(default)s)")
    parser.add_argument("--cluster", default="own", help="own, existing or own,existing (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each; medians are shown (default: %(default)s)")
    parser.add_argument("--smoke", action="store_true", help="one engine, one run: does everything work?")
    parser.add_argument("--json", type=Path, help="write all results here")
    parser.add_argument("--results", type=Path, default=BENCH / "results", help="logs (default: %(default)s)")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    return parser


def _contenders(arguments: argparse.Namespace) -> list[Contender]:
    found = [contenders.ours(arguments.python), contenders.bare(arguments.python)]
    if arguments.original_python:
        found.append(contenders.original(arguments.original_python))
    if arguments.only:
        found = [contender for contender in found if contender.name in arguments.only.split(",")]
    return found


def _one(arguments: argparse.Namespace, name: str, size: int, cluster: str, folder: Path) -> dict[str, Any]:
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    spec = {"contender": name, "engines": size, "cluster": cluster, "folder": str(folder)}
    words = ["--python", arguments.python, "--inside", json.dumps(spec)]
    if arguments.original_python:
        words += ["--original-python", arguments.original_python]
    print(f"{time.strftime('%H:%M:%S')} {name}, {size} engines, {cluster} cluster ...", file=sys.stderr, flush=True)
    code = namespaces.run_inside(words, BENCH)
    if code != 0:
        sys.exit(f"launch_bench: {name} with {size} engines failed ({code}); its logs: {folder}")
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))


def _inside(arguments: argparse.Namespace) -> int:
    """The first process of the namespaces: measures in a child, and reaps what is orphaned meanwhile."""
    spec = json.loads(arguments.inside)
    pythons = [python for python in (sys.executable, arguments.python, arguments.original_python) if python]
    used = [BENCH, spec["folder"], os.environ.get("SGLANG_RAY_JAR", "/"), *pythons]
    for python in pythons:
        used += _search_path(python)
    namespaces.prepare([Path(path) for path in used])
    child = os.fork()
    if child != 0:
        return namespaces.reap_until(child)
    contender = next(each for each in _contenders(arguments) if each.name == spec["contender"])
    folder = Path(spec["folder"])
    try:
        result = measure(Run(contender, arguments.python, spec["engines"], spec["cluster"], folder))
    except RuntimeError as error:
        print(error, file=sys.stderr, flush=True)
        for logs in Path("/tmp").glob("**/session_2*/logs"):
            shutil.copytree(logs, folder / "ray-logs", dirs_exist_ok=True)
        os._exit(1)
    (folder / "result.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    os._exit(0)


def _search_path(python: str) -> list[str]:
    """Where a Python finds its packages, which need not be below it."""
    words = [python, "-c", "import json, sys; print(json.dumps([path for path in sys.path if path]))"]
    return json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def _machine() -> dict[str, Any]:
    now = time.strftime("%F %T")
    return {"cpus": os.cpu_count(), "kernel": platform.release(), "load": os.getloadavg(), "time": now}


if __name__ == "__main__":
    sys.exit(main())
