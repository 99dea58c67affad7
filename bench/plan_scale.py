#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measure how long `sglang-ray plan` takes for clusters of up to 100,000 accelerators, and how much memory.

Usage: python bench/plan_scale.py [--sizes 100,1000,10000] [--per-node 10] [--runs 3]

The clusters exist only in a file, so neither Ray nor an accelerator is needed. Each run is a new process with a heap of
512 MB; `plan` is the time that the command itself reports for planning in that cold JVM, `CPU` its thread's CPU time, `wall` that of
the whole process.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = Path(__file__).resolve().parent.parent / "ray-app" / "target" / "dist" / "sglang-ray"

CONFIG = """\
cluster:
  num_nodes: {nodes}
  component_placement: {{rollout: 0-{last}}}
router_server_args:
  model_path: /models/m
  tensor_parallel_size: 2
  pipeline_parallel_size: 1
  server: {{model_path: "${{..model_path}}", tp_size: 2}}
  router: {{policy: cache_aware}}
"""

CLUSTER = "nodes: [{{ip: 10.0.0.1, count: {nodes}, accelerators: {per_node}, accelerator_model: H100}}]\n"


def run(folder: Path, nodes: int, per_node: int, as_json: bool) -> dict[str, float]:
    """Plan once; seconds and megabytes."""
    config = folder / "fleet.yaml"
    config.write_text(CONFIG.format(nodes=nodes, last=nodes * per_node - 1))
    cluster = folder / "cluster.yaml"
    cluster.write_text(CLUSTER.format(nodes=nodes, per_node=per_node))
    command = [str(COMMAND), "plan", "--cluster", str(cluster), "-c", str(config)]
    command += ["--json"] if as_json else ["--timings"]
    out = folder / "out"
    err = folder / "err"
    start = time.monotonic()
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(command, stdout=stdout, stderr=stderr)  # noqa: S603
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - start
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{err.read_text()}")
    if as_json:
        engines = len(json.loads(out.read_bytes())["engines"])
        if engines != nodes * per_node // 2:
            sys.exit(f"planned {engines} engines instead of {nodes * per_node // 2}")
    timing = re.search(r"planned in ([0-9.]+) s, ([0-9.]+) s of CPU", err.read_text())
    plan, cpu = (float(timing[1]), float(timing[2])) if timing else (0.0, 0.0)
    return {"plan": plan, "cpu": cpu, "wall": wall, "rss_mb": usage.ru_maxrss / 1024}


def main() -> None:
    """Print a table: the median of some runs for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="100,1000,2000,5000,10000", help="numbers of nodes")
    parser.add_argument("--per-node", type=int, default=10, help="accelerators of a node")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    print(f"{'nodes':>7} {'accelerators':>12} {'plan s':>7} {'CPU s':>7} {'wall s':>7} {'RSS MB':>7} {'json s':>7} {'RSS MB':>7}")
    for nodes in (int(size) for size in options.sizes.split(",")):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            text = [run(folder, nodes, options.per_node, as_json=False) for _ in range(options.runs)]
            whole = [run(folder, nodes, options.per_node, as_json=True) for _ in range(options.runs)]
        middle = options.runs // 2
        plan, cpu, wall, rss = (sorted(r[key] for r in text)[middle] for key in ("plan", "cpu", "wall", "rss_mb"))
        json_wall, json_rss = (sorted(r[key] for r in whole)[middle] for key in ("wall", "rss_mb"))
        print(
            f"{nodes:>7} {nodes * options.per_node:>12} {plan:>7.3f} {cpu:>7.3f} {wall:>7.2f} {rss:>7.0f}"
            f" {json_wall:>7.2f} {json_rss:>7.0f}"
        )


if __name__ == "__main__":
    main()
