# SPDX-License-Identifier: Apache-2.0
"""The yardstick: a router and engines on Ray with nothing but Ray, as short and as quick as a person would write it.

A placement group, one actor per engine and one for the router, each with a child process; engines and router start
concurrently, and each engine is registered with the router as soon as both serve. Prints one JSON object per line, as
the harness reads them, and ends the fleet on SIGINT or SIGTERM.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from typing import Any

import ray
from ray.util.placement_group import placement_group, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

POLL_S = 0.05
DEADLINE_S = 300.0


def say(event: str, **facts: Any) -> None:
    print(json.dumps({"event": event, **facts}), flush=True)


def call(url: str, body: dict[str, Any] | None = None, timeout_s: float = 5.0) -> tuple[int, bytes]:
    """Status (0: no connection) and body."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout_s) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


class Served:
    """Owns one child process that serves HTTP."""

    def __init__(self) -> None:
        self.child: subprocess.Popen[bytes] | None = None

    def start(self, words: list[str]) -> str:
        with socket.socket() as probe:
            probe.bind(("", 0))
            port = probe.getsockname()[1]
        self.child = subprocess.Popen([*words, "--port", str(port)], start_new_session=True)
        url = f"http://{ray.util.get_node_ip_address()}:{port}"
        end = time.monotonic() + DEADLINE_S
        while call(url + "/health")[0] != 200:
            if self.child.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{url} is not healthy; exit code {self.child.poll()}")
            time.sleep(POLL_S)
        return url

    def stop(self) -> None:
        if self.child is not None:
            os.killpg(self.child.pid, signal.SIGTERM)
            self.child.wait(10)


def register(router: str, engine: str) -> None:
    status, body = call(router + "/workers", {"url": engine, "worker_type": "regular"})
    if status not in (200, 202):
        raise RuntimeError(f"registering {engine}: {status} {body!r}")
    worker = json.loads(body)["worker_id"]
    end = time.monotonic() + DEADLINE_S
    while True:
        status, body = call(f"{router}/workers/{worker}")
        if status == 200 and json.loads(body).get("is_healthy"):
            return
        if time.monotonic() > end:
            raise RuntimeError(f"registering {engine}: not healthy; {status} {body!r}")
        time.sleep(POLL_S)


def launch(engines: int, model: str, address: str | None) -> tuple[list[Any], Any]:
    if address is None:
        ray.init(num_gpus=engines, include_dashboard=False, log_to_driver=False, logging_level="error")
    else:
        ray.init(address=address, log_to_driver=False, logging_level="error")
    say("phase", name="connect")
    group = placement_group([{"GPU": 1}] * engines + [{"CPU": 0.001}], strategy="PACK")
    if not group.wait(DEADLINE_S):
        raise RuntimeError("the placement group is not ready")
    say("phase", name="reserve")
    worker = ray.remote(num_cpus=0)(Served)
    python = sys.executable

    def place(bundle: int, gpus: int) -> Any:
        where = PlacementGroupSchedulingStrategy(placement_group=group, placement_group_bundle_index=bundle)
        return worker.options(num_gpus=gpus, scheduling_strategy=where).remote()

    actors = [place(rank, 1) for rank in range(engines)] + [place(engines, 0)]
    engine = [python, "-m", "sglang.launch_server", "--model-path", model, "--host", "0.0.0.0"]
    router = [python, "-m", "sglang_router.launch_router", "--host", "0.0.0.0", "--log-level", "warn"]
    urls = ray.get([actor.start.remote(words) for actor, words in zip(actors, [engine] * engines + [router])])
    say("phase", name="start")
    threads = [threading.Thread(target=register, args=(urls[-1], url)) for url in urls[:-1]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    say("phase", name="register")
    say("ready", router_url=urls[-1])
    return actors, group


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engines", type=int, required=True)
    parser.add_argument("--model-path", default="stand-in")
    parser.add_argument("--address", help="a cluster that runs already; without it, a local one is started")
    arguments = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    say("phase", name="imports")
    actors, group = launch(arguments.engines, arguments.model_path, arguments.address)
    ended.wait()
    ray.get([actor.stop.remote() for actor in actors])
    remove_placement_group(group)
    ray.shutdown()


if __name__ == "__main__":
    main()
