#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two models on one GPU behind one URL: who answers, and what the loss of one model's engine means for the other.

On a running Ray cluster with a GPU, in a Python with sglang and a router (sglang-router needs its vocabulary in
``TIKTOKEN_ENCODINGS_BASE`` on a machine without the internet). Two models of the same make with other seeds serve as
the pools ``actor`` and ``judge``, half a GPU each. Each must give its own tokens; while ``judge`` is away after its
``kill -9``, ``actor`` must answer every request.

A table goes to standard output, what happens to standard error. Exit code 1: something is not as it should be::

    ray start --head
    bench/gpu_models.py --model /models/A --other /models/B --router-type smg --json models.json
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from gpu_pools import command, engines, launch, say

TOKENS = 16
DEADLINE_S = 240.0
PROMPT = [7, 8, 9, 10, 11, 12, 300, 301]
CONFIGURATION = """\
cluster:
  num_nodes: 1
  component_placement: {actor: 0, judge: 0}
router_server_args:
  model_path: MODEL
  tensor_parallel_size: 1
  pipeline_parallel_size: 1
  server:
    model_path: ${..model_path}
    tp_size: ${..tensor_parallel_size}
    pp_size: ${..pipeline_parallel_size}
    DEVICE
    random_seed: 1
  router_type: ROUTER
  router: {policy: round_robin, log_level: warn}
  pools:
    - {name: actor, component: actor, engines: 1, server: {served_model_name: actor}}
    - {name: judge, component: judge, engines: 1, model_path: OTHER, server: {served_model_name: judge}}
"""
DEVICES = {
    "cuda": "attention_backend: triton\n    sampling_backend: pytorch\n    mem_fraction_static: 0.3",
    "cpu": "device: cpu\n    mem_fraction_static: 0.3",
}


def ask(url: str, model: str | None) -> tuple[int, tuple[int, ...]]:
    """Status and tokens of one greedy answer."""
    body: dict[str, Any] = {
        "input_ids": PROMPT,
        "sampling_params": {"temperature": 0, "max_new_tokens": TOKENS, "ignore_eos": True},
    }
    if model is not None:
        body["model"] = model
    request = urllib.request.Request(url + "/generate", json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, tuple(json.load(answer)["output_ids"])
    except urllib.error.HTTPError as error:
        return error.code, ()
    except OSError:
        return 0, ()


class Watch(threading.Thread):
    """Asks one model all the time, and keeps what came."""

    def __init__(self, url: str, model: str) -> None:
        super().__init__(daemon=True)
        self._url, self._model, self._over = url, model, threading.Event()
        self.answers: list[tuple[int, tuple[int, ...]]] = []

    def run(self) -> None:
        while not self._over.is_set():
            self.answers.append(ask(self._url, self._model))

    def end(self) -> list[tuple[int, tuple[int, ...]]]:
        """All answers."""
        self._over.set()
        self.join()
        return self.answers


def kill(url: str, right: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    """``kill -9`` of the judge; how long it is away, and what the actor's clients see meanwhile."""
    watch = Watch(url, "actor")
    watch.start()
    begin = time.monotonic()
    os.kill(engines()["judge"]["pid"], signal.SIGKILL)
    begin = time.monotonic()
    lost: float | None = None
    failed = 0
    while time.monotonic() - begin < DEADLINE_S:
        status, tokens = ask(url, "judge")
        if status != 200:
            failed += 1
            lost = lost or time.monotonic() - begin
            time.sleep(0.05)
        elif tokens != right["judge"]:
            raise RuntimeError(f"the judge says {tokens} instead of {right['judge']}")
        elif lost is not None:
            answers = watch.end()
            return {
                "judge_serves_s": round(time.monotonic() - begin, 1),
                "judge_failed": failed,
                "actor_answers": len(answers),
                "actor_wrong": sum(answer != (200, right["actor"]) for answer in answers),
            }
    raise RuntimeError(f"the judge did not answer within {DEADLINE_S:.0f} s; {engines()}")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All of it, on the cluster of RAY_ADDRESS."""
    results: dict[str, Any] = {"router_type": options.router_type, "device": options.device}
    text = CONFIGURATION.replace("DEVICE", DEVICES[options.device]).replace("ROUTER", options.router_type)
    text = text.replace("MODEL", options.model).replace("OTHER", options.other)
    with tempfile.TemporaryDirectory() as folder:
        try:
            url = launch(Path(folder, "fleet.yaml"), text, results, "models")
            say(command("status"))
            with urllib.request.urlopen(url + "/v1/models", timeout=30) as answer:
                results["models"] = sorted(model["id"] for model in json.load(answer)["data"])
            right = {}
            for model in ("actor", "judge"):
                status, right[model] = ask(url, model)
                direct = ask(engines()[model]["url"], None)[1]
                results[f"{model}_is_itself"] = status == 200 and right[model] == direct
            results["tokens"] = right
            results["models_differ"] = right["actor"] != right["judge"]
            results["without_a_name"] = ask(url, None)[0]
            results["unknown_name"] = ask(url, "painter")[0]
            results["kill"] = kill(url, right)
            say(str(results))
            say(command("events"))
        finally:
            command("down")
    return results


def main() -> int:
    """As the module says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="the actor's checkpoint")
    parser.add_argument("--other", required=True, help="the judge's checkpoint")
    parser.add_argument("--router-type", default="smg", choices=["smg", "sglang-router"])
    parser.add_argument("--device", default="cuda", choices=sorted(DEVICES))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = measure(options)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2), encoding="utf-8")
    killed = results["kill"]
    print(f"| | {results['router_type']} |\n| --- | --- |")
    print(f"| launch of two models, s | {results['models_launch_s']} |")
    print(f"| `/v1/models` | {', '.join(results['models'])} |")
    print(f"| status without a name, with an unknown one | {results['without_a_name']}, {results['unknown_name']} |")
    print(f"| `kill -9` of the judge to its answer, s | {killed['judge_serves_s']} |")
    print(f"| the actor's answers meanwhile, of them wrong | {killed['actor_answers']}, {killed['actor_wrong']} |")
    good = results["actor_is_itself"] and results["judge_is_itself"] and results["models_differ"]
    return 0 if good and killed["actor_wrong"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
