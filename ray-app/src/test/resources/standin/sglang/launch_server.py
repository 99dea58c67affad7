# SPDX-License-Identifier: Apache-2.0
"""The stand-in server: HTTP in one process, and two more processes below it, as the real one has.

What it does besides is told by ``standin.json`` in the model's folder, all optional: ``load_seconds`` before it listens,
``last_words`` with ``exit_code`` to die instead of listening, ``never_healthy``, ``ignore_sigterm``, ``die_after_seconds``
to die some time after it listens, ``die_with_child`` to die when a process below it does, as the real one. A file
``mute-PORT`` that the tests make in the folder lets the server of that port answer /health but generate nothing.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


def run_server(server_args: Any) -> None:
    if not os.path.isdir(server_args.model_path):
        raise OSError(f"{server_args.model_path} is not a local folder")
    behaviour = _behaviour(server_args.model_path)
    print(f"stand-in engine: loading {server_args.model_path}", flush=True)
    if behaviour.get("ignore_sigterm"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if behaviour.get("die_with_child"):
        signal.signal(signal.SIGCHLD, lambda *_: os._exit(1))
    _start_helpers()
    time.sleep(behaviour.get("load_seconds", 0))
    if "last_words" in behaviour:
        print(behaviour["last_words"], file=sys.stderr, flush=True)
        os._exit(behaviour.get("exit_code", 1))
    server = _Server((server_args.host, server_args.port), _Handler)
    server.args = server_args
    server.healthy = not behaviour.get("never_healthy", False)
    if "die_after_seconds" in behaviour:
        threading.Timer(behaviour["die_after_seconds"], os._exit, [behaviour.get("exit_code", 1)]).start()
    print(f"stand-in engine: ready on port {server_args.port}", flush=True)
    server.serve_forever()


def _behaviour(model_path: str) -> dict[str, Any]:
    try:
        return json.loads(Path(model_path, "standin.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


def _start_helpers() -> None:
    """One plain child and one in a session of its own, which no signal to a group reaches."""
    for own_session in (False, True):
        if os.fork() == 0:
            if own_session:
                os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            while True:
                signal.pause()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    args: Any
    healthy: bool
    running = 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        if self.path == "/health_generate" and Path(self.server.args.model_path, f"mute-{self.server.args.port}").exists():
            self._answer(503, None)
        elif self.path in ("/health", "/health_generate"):
            self._answer(200 if self.server.healthy else 503, None)
        elif self.path.startswith("/v1/loads"):
            self._answer(200, {"loads": [{"num_running_reqs": self.server.running, "num_waiting_reqs": 0}]})
        elif self.path in ("/get_model_info", "/model_info"):
            self._answer(200, {"model_path": self.server.args.model_path, "is_generation": True})
        elif self.path in ("/get_server_info", "/server_info"):
            self._answer(200, {"model_path": self.server.args.model_path, "tp_size": self.server.args.tp_size})
        elif self.path == "/v1/models":
            self._answer(200, {"object": "list", "data": [{"id": self._name(), "object": "model"}]})
        elif self.path == "/standin":
            self._answer(200, self._facts())
        else:
            self._answer(404, {"error": f"no {self.path}"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = json.loads(body or b"{}")
        if self.path == "/generate":
            self.server.running += 1
            time.sleep(request.get("seconds", 0))
            self.server.running -= 1
            text = request.get("text", "")
            self._answer(200, {"text": f" said to {self._name()}: {text}", "meta_info": self._facts()})
        elif self.path == "/v1/chat/completions":
            said = request["messages"][-1]["content"]
            message = {"role": "assistant", "content": f"said to {self._name()}: {said}"}
            choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
            self._answer(200, {"id": "1", "object": "chat.completion", "model": self._name(), "choices": choices})
        else:
            self._answer(404, {"error": f"no {self.path}"})

    def _name(self) -> str:
        return self.server.args.served_model_name or self.server.args.model_path

    def _facts(self) -> dict[str, Any]:
        args = {key: value for key, value in vars(self.server.args).items() if key != "api_key"}
        names = ("FROM_GROUP", "CUDA_VISIBLE_DEVICES", "http_proxy", "HTTP_PROXY", "NO_PROXY")
        return {
            "pid": os.getpid(),
            "host_name": os.uname().nodename,
            "args": args,
            "environment": {name: os.environ[name] for name in names if name in os.environ},
        }

    def _answer(self, status: int, value: Any) -> None:
        body = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Not a line for each health check."""
