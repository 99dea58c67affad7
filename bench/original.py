# SPDX-License-Identifier: Apache-2.0
"""RLinf's launcher on the same configuration, for ``--original-python``. Speaks to the harness as ``bare_ray.py`` does.

RLinf counts a node without accelerators as one hardware rank, so the engines are placed by node: one process each.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import threading
from typing import Any


def say(event: str, **facts: Any) -> None:
    print(json.dumps({"event": event, **facts}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engines", type=int, required=True)
    parser.add_argument("--config", required=True)
    parser.add_argument("--address", help="a cluster that runs already; without it, RLinf starts a local one")
    arguments = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    if arguments.address:
        os.environ["RAY_ADDRESS"] = arguments.address

    from omegaconf import OmegaConf
    from rlinf.scheduler import Cluster, NodePlacementStrategy
    from rlinf.workers.rollout.sglang_server import launch_sglang_router_and_server

    say("phase", name="imports")
    config = OmegaConf.load(arguments.config)
    cluster = Cluster(cluster_cfg=config.cluster)
    say("phase", name="connect")
    servers, router = launch_sglang_router_and_server(
        config,
        cluster,
        rollout_hardware_ranks=None,
        router_server_args=config.router_server_args,
        placement_strategy=NodePlacementStrategy(node_ranks=[0] * arguments.engines),
    )
    say("phase", name="launch")
    say("ready", router_url=router.get_router_url().wait()[0])
    ended.wait()
    router.shutdown().wait()
    servers.shutdown().wait()


if __name__ == "__main__":
    main()
