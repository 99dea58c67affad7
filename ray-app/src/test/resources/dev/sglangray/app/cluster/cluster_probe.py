# SPDX-License-Identifier: Apache-2.0
"""Answers questions about a test cluster from the tables of Ray's GCS: one JSON line for each line of standard input.

``nodes``, ``actors`` and ``placement_groups`` are the questions. The process lives as long as its cluster, so that
``ray`` is imported once. It only reads: it is no driver, owns no job and starts no worker.
"""

import json
import socket
import sys
import time

from ray._private.state import GlobalState
from ray._raylet import GcsClientOptions

CONNECT_SECONDS = 60


def wait_for_port(address):
    host, port = address.rsplit(":", 1)
    deadline = time.monotonic() + CONNECT_SECONDS
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=2).close()
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise SystemExit(f"no GCS at {address} within {CONNECT_SECONDS} s: {error}") from error
            time.sleep(0.05)


def connect(address):
    wait_for_port(address)
    state = GlobalState()
    state._initialize_global_state(
        GcsClientOptions.create(address, None, allow_cluster_id_nil=True, fetch_cluster_id_if_nil=False)
    )
    return state


def nodes(state):
    return [
        {"id": row["NodeID"], "ip": row["NodeManagerAddress"], "alive": row["Alive"], "resources": row["Resources"]}
        for row in state.node_table()
    ]


def actors(state):
    return [
        {
            "id": key,
            "name": row["Name"],
            "class": row.get("ActorClassName", ""),
            "state": row["State"],
            "job": row["JobID"],
            "ip": row["Address"]["IPAddress"],
        }
        for key, row in state.actor_table(None).items()
    ]


def placement_groups(state):
    return [
        {"id": key, "name": row["name"], "state": row["state"], "bundles": list(row["bundles"].values())}
        for key, row in state.placement_group_table().items()
    ]


QUESTIONS = {"nodes": nodes, "actors": actors, "placement_groups": placement_groups}


def main():
    state = connect(sys.argv[1])
    for line in sys.stdin:
        try:
            answer = {"rows": QUESTIONS[line.strip()](state)}
        except Exception as error:  # the asker decides whether to ask again
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
