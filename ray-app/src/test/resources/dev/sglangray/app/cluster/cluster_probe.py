# SPDX-License-Identifier: Apache-2.0
"""Answers questions about a test cluster, inside it: one JSON line for each JSON line of standard input.

``{"table": "nodes" | "actors" | "placement_groups"}`` is answered from the tables of Ray's GCS. ``{"url": …}``, with an
optional ``body``, is an HTTP request that is made here, where the cluster's addresses can be reached. The process lives
as long as its cluster, so that ``ray`` is imported once. It only reads: it is no driver, owns no job, starts no worker.
"""

import json
import socket
import sys
import time
import urllib.error
import urllib.request

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
            "pid": row.get("Pid", 0),
        }
        for key, row in state.actor_table(None).items()
    ]


def placement_groups(state):
    return [
        {"id": key, "name": row["name"], "state": row["state"], "bundles": list(row["bundles"].values())}
        for key, row in state.placement_group_table().items()
    ]


TABLES = {"nodes": nodes, "actors": actors, "placement_groups": placement_groups}
HTTP_SECONDS = 30


def http(question):
    body = question.get("body")
    request = urllib.request.Request(
        question["url"],
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"} if body is not None else {},
        method=question.get("method"),
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=HTTP_SECONDS) as response:
            return {"status": response.status, "text": response.read().decode()}
    except urllib.error.HTTPError as error:
        return {"status": error.code, "text": error.read().decode()}
    except OSError as error:
        return {"status": 0, "text": str(error)}


def main():
    state = connect(sys.argv[1])
    for line in sys.stdin:
        try:
            question = json.loads(line)
            answer = {"http": http(question)} if "url" in question else {"rows": TABLES[question["table"]](state)}
        except Exception as error:  # the asker decides whether to ask again
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
