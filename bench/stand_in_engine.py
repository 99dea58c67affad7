# SPDX-License-Identifier: Apache-2.0
"""An engine that starts at once: as much of SGLang's HTTP interface as the real sglang-router needs to route to it.

Standard library only, so that what a launch costs is not hidden by what an engine costs. The process names itself
``standin-engine`` (``/proc/PID/comm``), so that its memory can be told from that of the processes that control it.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import signal
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PROCESS_NAME = "standin-engine"
_PR_SET_NAME = 15


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    model_path: str

    def server_bind(self) -> None:
        # HTTPServer.server_bind looks the host's name up, which can take seconds where there is no name service.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = self.server_address[0], self.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path in ("/health", "/health_generate"):
            self._answer(200, None)
        elif path in ("/model_info", "/get_model_info"):
            self._answer(200, {"model_path": self.server.model_path, "is_generation": True})
        elif path in ("/server_info", "/get_server_info"):
            self._answer(200, {"model_path": self.server.model_path, "tp_size": 1, "dp_size": 1})
        elif path == "/v1/loads":
            self._answer(200, {"loads": [{"num_running_reqs": 0, "num_waiting_reqs": 0}]})
        elif path == "/v1/models":
            self._answer(200, {"object": "list", "data": [{"id": self.server.model_path, "object": "model"}]})
        else:
            self._answer(404, {"error": {"message": f"no {path}"}})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.split("?")[0]
        if path != "/generate":
            self._answer(404, {"error": {"message": f"no {path}"}})
            return
        text = json.loads(body).get("text", "")
        port = self.server.server_port
        self._answer(200, {"text": f" heard {len(text)} characters", "meta_info": {"id": str(port)}})

    def _answer(self, status: int, value: Any) -> None:
        body = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Not a line for each health check."""


def serve(host: str, port: int, model_path: str) -> None:
    """Serves until SIGTERM or SIGINT."""
    ctypes.CDLL(None).prctl(_PR_SET_NAME, PROCESS_NAME.encode())
    server = _Server((host, port), _Handler)
    server.model_path = model_path
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    server.serve_forever()


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--model-path", default="stand-in")
    arguments, _ = parser.parse_known_args(words)
    serve(arguments.host, arguments.port, arguments.model_path)


if __name__ == "__main__":
    main()
