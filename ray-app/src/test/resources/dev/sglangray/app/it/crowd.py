# SPDX-License-Identifier: Apache-2.0
"""So many requests at once through a router, and what became of them: ``crowd.py URL FILE``.

Each is followed by the next one at once. The file has how many there are to be at
the moment; it is read ten times a second. One JSON line for each that ends, as those of ``load.py``.
"""

import http.client
import json
import sys
import threading
import time
import urllib.parse
from pathlib import Path

TIMEOUT_SECONDS = 120

lock = threading.Lock()
state = {"wanted": 0, "running": 0}


def send(url, body):
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("POST", "/generate", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.read()
        return "ok" if response.status == 200 else f"HTTP {response.status}: {answer[:200]!r}"
    finally:
        connection.close()


def client(url, body):
    while True:
        with lock:
            if state["running"] > state["wanted"]:
                state["running"] -= 1
                return
        start = time.monotonic()
        try:
            kind = send(url, body)
        except (OSError, http.client.HTTPException) as error:
            kind = type(error).__name__
        with lock:
            print(json.dumps({"start": start, "end": time.monotonic(), "kind": kind, "who": None}), flush=True)


def main():
    url = urllib.parse.urlsplit(sys.argv[1])
    sampling = {"max_new_tokens": 2, "temperature": 0}
    body = json.dumps({"text": "who?", "sampling_params": sampling}).encode()
    file = Path(sys.argv[2])
    while True:
        with lock:
            state["wanted"] = int(file.read_text(encoding="utf-8") or state["wanted"])
            further = max(0, state["wanted"] - state["running"])
            state["running"] += further
        for _ in range(further):
            threading.Thread(target=client, args=(url, body), daemon=True).start()
        time.sleep(0.1)


if __name__ == "__main__":
    main()
