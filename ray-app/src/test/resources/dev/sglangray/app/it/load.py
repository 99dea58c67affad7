# SPDX-License-Identifier: Apache-2.0
"""A steady load through a router, and what became of it: ``load.py URL REQUESTS_PER_SECOND``.

Requests are sent at their times whether or not earlier ones were answered. One JSON line for each that ends, ``start`` and
``end`` in seconds of the machine's monotonic clock, ``kind`` ``ok`` or how it failed, ``who`` answered; and twenty times
a second a line with ``at``, the engines that the router lists as ``healthy`` (null: it does not answer) and the start of
the ``oldest`` request that is still under way.
"""

import http.client
import json
import sys
import threading
import time
import urllib.parse

TIMEOUT_SECONDS = 120
LOOK_SECONDS = 0.05
REQUEST = json.dumps({"text": "who?", "sampling_params": {"max_new_tokens": 2, "temperature": 0}}).encode()

print_lock = threading.Lock()
flying = {}
flying_lock = threading.Lock()


def say(**line):
    with print_lock:
        print(json.dumps(line), flush=True)


def exchange(url, method, path, body, timeout):
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=timeout)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def request(url, number):
    start = time.monotonic()
    with flying_lock:
        flying[number] = start
    who = None
    try:
        status, body = exchange(url, "POST", "/generate", REQUEST, TIMEOUT_SECONDS)
        kind = "ok" if status == 200 else f"HTTP {status}"
        if status == 200:
            facts = json.loads(body).get("meta_info", {})
            who = f"{facts.get('host_name')}:{facts.get('pid')}"
    except (OSError, http.client.HTTPException) as error:
        kind = type(error).__name__
    with flying_lock:
        del flying[number]
    say(start=start, end=time.monotonic(), kind=kind, who=who)


def healthy(url):
    try:
        status, body = exchange(url, "GET", "/workers", None, 2)
        workers = json.loads(body)["workers"] if status == 200 else []
        return sorted(worker["url"] for worker in workers if worker["is_healthy"])
    except (OSError, http.client.HTTPException, ValueError):
        return None


def look(url):
    while True:
        listed = healthy(url)
        with flying_lock:
            oldest = min(flying.values(), default=None)
        say(at=time.monotonic(), healthy=listed, oldest=oldest)
        time.sleep(LOOK_SECONDS)


def main():
    url = urllib.parse.urlsplit(sys.argv[1])
    pause = 1 / float(sys.argv[2])
    threading.Thread(target=look, args=(url,), daemon=True).start()
    number, due = 0, time.monotonic()
    while True:
        number, due = number + 1, due + pause
        threading.Thread(target=request, args=(url, number), daemon=True).start()
        time.sleep(max(0, due - time.monotonic()))


if __name__ == "__main__":
    main()
