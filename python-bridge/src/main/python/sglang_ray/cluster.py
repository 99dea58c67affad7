# SPDX-License-Identifier: Apache-2.0
"""Tells what a Ray cluster is, without joining it.

``python -m sglang_ray.cluster HOST:PORT`` prints one JSON object::

    {"ray_version": "2.60.0", "python_version": "3.11.7", "nodes": ["10.0.0.1", "10.0.0.2"]}

``ray_version`` is null when the cluster does not tell. A Java driver asks before it connects, because Ray's Java
runtime ends its process natively when its version and the cluster's differ. Exit codes: 0 answered, 2 wrong usage, 4 no
answer.
"""

from __future__ import annotations

import json
import sys
from typing import Any

_TIMEOUT_S = 10


def describe(address: str) -> dict[str, Any]:
    """Asks the cluster's control store (GCS) at ``host:port``; raises what Ray raises when it does not answer."""
    # Not a public API, but the same in all supported versions, and the only one that needs no connection of a job.
    from ray._raylet import GcsClient

    client = GcsClient(address=address)
    raw = client.internal_kv_get(b"CLUSTER_METADATA", b"cluster", _TIMEOUT_S)
    metadata = json.loads(raw) if raw else {}
    infos = client.get_all_node_info(timeout=_TIMEOUT_S)
    alive = [info for info in infos.values() if info.state == 0]
    return {
        "ray_version": metadata.get("ray_version"),
        "python_version": metadata.get("python_version"),
        "nodes": sorted({info.node_manager_address for info in alive}),
    }


def main(arguments: list[str]) -> int:
    """Runs the command line; returns the exit code."""
    if len(arguments) != 1:
        print("usage: python -m sglang_ray.cluster HOST:PORT", file=sys.stderr)
        return 2
    try:
        facts = describe(arguments[0])
    except Exception as error:
        print(f"the Ray cluster at {arguments[0]} does not answer: {error}", file=sys.stderr)
        return 4
    print(json.dumps(facts))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
