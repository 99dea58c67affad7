# SPDX-License-Identifier: Apache-2.0
"""A stand-in for `sglang_ray.serve` in tests: no engine, but it starts, answers, fails and hangs as one is told to.

The argument `stand_in` says how: `healthy_after` (seconds, null: never), `healthy_when` (a file that
is there then), `listen` (false: not at all), `exit_code` with
`last_words` (dies at once), `bind_failures` with `counter` (says that its port is taken, so many times), `family`
(starts a stubborn grandchild). It prints what it was given, so that a test can look at its log.
"""

import http.server
import json
import os
import signal
import subprocess
import sys
import time

request = json.load(sys.stdin)
arguments = request.get("server_args", request.get("router_args"))
plan = arguments.pop("stand_in", {})
print("given " + json.dumps({**request, "devices": os.environ.get("CUDA_VISIBLE_DEVICES")}, sort_keys=True), flush=True)

if plan.get("family"):
    grandchild = subprocess.Popen(
        [sys.executable, "-c", "import signal,time; signal.signal(15, signal.SIG_IGN); time.sleep(100)"],
        start_new_session=True,
    )
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print(f"grandchild {grandchild.pid}", flush=True)

if "bind_failures" in plan:
    with open(plan["counter"], "a") as counter:
        counter.write(f"{arguments['port']}\n")
    with open(plan["counter"]) as counter:
        if len(counter.readlines()) <= plan["bind_failures"]:
            sys.exit("[Errno 98] error while attempting to bind on address: address already in use")

if "exit_code" in plan:
    print(plan.get("last_words", ""), file=sys.stderr, flush=True)
    sys.exit(plan["exit_code"])

begin = time.monotonic()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        after = plan.get("healthy_after", 0)
        healthy = after is not None and time.monotonic() - begin >= after
        if "healthy_when" in plan:
            healthy = os.path.exists(plan["healthy_when"])
        self.send_response(200 if healthy else 503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *ignored):
        pass


if plan.get("listen", True):
    http.server.ThreadingHTTPServer((arguments["host"], arguments["port"]), Handler).serve_forever()
time.sleep(1000)
