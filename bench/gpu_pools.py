#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prefill on one GPU and decode on another, behind one URL, against one regular engine: answers, and what a loss costs.

On a running Ray cluster with two GPUs, in a Python with sglang, sglang-router and a transfer engine for caches
(mooncake-transfer-engine). ``sglang-ray up`` launches first one regular engine, then a fleet with the pools ``prefill``
and ``decode``. Both get the same requests, many at once, and must give the same tokens. Then an engine of each pool is
killed, and must serve again.

A table goes to standard output, what happens to standard error. Exit code 1: something is not as it should be::

    ray start --head
    bench/gpu_pools.py --model /models/A --backend mooncake_tcp --json pools.json
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
PROGRAM = os.environ.get("SGLANG_RAY_PROGRAM", str(REPOSITORY / "ray-app/bin/sglang-ray"))
REQUESTS = 64
TOKENS = 16
DEADLINE_S = 240.0
#: After a kill: a request whose engine died can wait for its peer far longer.
PATIENCE_S = 3.0
CONFIGURATION = """\
cluster:
  num_nodes: 1
  component_placement: {rollout: 0-1}
router_server_args:
  model_path: MODEL
  tensor_parallel_size: 1
  pipeline_parallel_size: 1
  server:
    model_path: ${..model_path}
    tp_size: ${..tensor_parallel_size}
    pp_size: ${..pipeline_parallel_size}
    attention_backend: triton
    sampling_backend: pytorch
    mem_fraction_static: 0.6
    random_seed: 1
    disable_radix_cache: true
    disaggregation_transfer_backend: BACKEND
  router: {policy: round_robin, log_level: warn}
"""
#: Both engines on one GPU, half of it each.
ONE_GPU = {
    "component_placement: {rollout: 0-1}": "component_placement: {rollout: 0, other: 0}",
    "mem_fraction_static: 0.6": "mem_fraction_static: 0.3",
}
POOLS = """\
  pools:
    - {name: prefill, worker_type: prefill, engines: 1}
    - {name: decode, worker_type: decode, engines: 1}
"""


def say(text: str) -> None:
    """A line of what happens."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def command(*words: str) -> str:
    """Runs ``sglang-ray``; its standard output."""
    done = subprocess.run([PROGRAM, *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"sglang-ray {words[0]} failed: {done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


def last_json(text: str) -> Any:
    """The last line that is an object."""
    return json.loads([line for line in text.splitlines() if line.startswith("{")][-1])


def generate(url: str, prompt: list[int], timeout: float = 120) -> tuple[int, ...]:
    """The tokens of one greedy answer."""
    body = {
        "input_ids": prompt,
        "sampling_params": {"temperature": 0, "max_new_tokens": TOKENS, "ignore_eos": True},
    }
    request = urllib.request.Request(url + "/generate", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return tuple(json.load(answer)["output_ids"])


def prompts() -> list[list[int]]:
    """As many as there are requests, all different."""
    return [[7 + (i * 37 + j * 13) % 500 for j in range(16 + i)] for i in range(REQUESTS)]


def all_at_once(url: str) -> tuple[list[tuple[int, ...]], float]:
    """The answers to all prompts, and the seconds."""
    begin = time.monotonic()
    with ThreadPoolExecutor(REQUESTS) as pool:
        answers = list(pool.map(lambda prompt: generate(url, prompt), prompts()))
    return answers, time.monotonic() - begin


def engines() -> dict[str, Any]:
    """The engines by their pool."""
    status = json.loads(
        next(
            line
            for line in subprocess.run(
                [PROGRAM, "status", "--json"], capture_output=True, text=True, check=False
            ).stdout.splitlines()
            if line.startswith("{")
        )
    )
    return {worker["pool"]: worker for worker in status["workers"] if worker["kind"] == "server"}


def kill(url: str, pool: str, right: tuple[int, ...]) -> dict[str, Any]:
    """``kill -9`` of a pool's only engine; how long no request is answered."""
    pid = engines()[pool]["pid"]
    begin = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    failed: list[str] = []
    lost = None
    while time.monotonic() - begin < DEADLINE_S:
        try:
            tokens = generate(url, prompts()[0], PATIENCE_S)
        except (urllib.error.URLError, OSError, TimeoutError) as error:
            failed.append(type(error).__name__)
            lost = lost or time.monotonic() - begin
            time.sleep(0.05)
            continue
        if tokens != right:
            raise RuntimeError(f"after the kill of {pool}: {tokens} instead of {right}")
        if lost is not None or time.monotonic() - begin > 5:
            return {"killed": pool, "serves_s": round(time.monotonic() - begin, 1), "failed_requests": len(failed)}
    raise RuntimeError(f"no answer within {DEADLINE_S:.0f} s after the kill of {pool}; {engines()}")


def launch(file: Path, text: str, results: dict[str, Any], name: str) -> str:
    """Launches a fleet; its URL."""
    file.write_text(text, encoding="utf-8")
    begin = time.monotonic()
    report = last_json(command("up", "--detach", "--json", "-c", str(file)))
    results[f"{name}_launch_s"] = round(time.monotonic() - begin, 1)
    say(f"{name}: launched in {results[f'{name}_launch_s']} s")
    return str(report["api_url"])


def measure(model: str, backend: str, one_gpu: bool) -> dict[str, Any]:
    """All of it, on the cluster of RAY_ADDRESS."""
    results: dict[str, Any] = {"backend": backend, "requests": REQUESTS, "tokens": TOKENS, "one_gpu": one_gpu}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "fleet.yaml")
        text = CONFIGURATION.replace("MODEL", model).replace("BACKEND", backend)
        pools = POOLS
        if one_gpu:
            pools = POOLS.replace("name: decode,", "name: decode, component: other,")
            for usual, shared in ONE_GPU.items():
                text = text.replace(usual, shared)
        regular = text.replace("rollout: 0-1", "rollout: 0-0")
        try:
            url = launch(file, regular, results, "regular")
            all_at_once(url)
            one_by_one = [generate(url, prompt) for prompt in prompts()]
            right, results["regular_s"] = all_at_once(url)
        finally:
            command("down")
        try:
            url = launch(file, text + pools, results, "pools")
            say(command("status"))
            all_at_once(url)
            answers, results["pools_s"] = all_at_once(url)
            alone = [generate(url, prompt) for prompt in prompts()]
            results["equal_at_once"] = sum(a == b for a, b in zip(answers, right, strict=True))
            results["equal_one_by_one"] = sum(a == b for a, b in zip(alone, one_by_one, strict=True))
            say(f"equal: {results['equal_at_once']} at once, {results['equal_one_by_one']} one by one, of {REQUESTS}")
            results["kills"] = []
            for pool in ("decode", "prefill"):
                results["kills"].append(kill(url, pool, alone[0]))
                say(str(results["kills"][-1]))
            after, _ = all_at_once(url)
            results["equal_after_kills"] = sum(a == b for a, b in zip(after, right, strict=True))
            say(command("status"))
        finally:
            command("down")
    return results


def main() -> int:
    """As the module says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", required=True)
    parser.add_argument("--backend", default="mooncake")
    parser.add_argument("--one-gpu", action="store_true", help="both engines on one GPU, half of it each")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    results = measure(arguments.model, arguments.backend, arguments.one_gpu)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2), encoding="utf-8")
    print("| | regular engine | prefill and decode |\n| --- | --- | --- |")
    print(f"| launch, s | {results['regular_launch_s']} | {results['pools_launch_s']} |")
    print(f"| {REQUESTS} requests at once, s | {results['regular_s']:.2f} | {results['pools_s']:.2f} |")
    for one in results["kills"]:
        print(f"| `kill -9` of {one['killed']} to an answer, s | | {one['serves_s']} |")
    print(f"| equal answers one by one, of {REQUESTS} | | {results['equal_one_by_one']} |")
    return 0 if results["equal_one_by_one"] == REQUESTS else 1


if __name__ == "__main__":
    sys.exit(main())
