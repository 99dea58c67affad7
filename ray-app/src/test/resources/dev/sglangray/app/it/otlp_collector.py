# SPDX-License-Identifier: Apache-2.0
"""A collector of OpenTelemetry spans by OTLP over gRPC, which shows them as JSON at ``/spans``.

Prints the port of ``/spans`` first. With two arguments, the ports for gRPC and for ``/spans``, it runs until it is killed; without, it
takes free ones, of which ``/port`` says that for gRPC, and ends with its standard input.
"""

from __future__ import annotations

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

spans: list[dict[str, Any]] = []


def values(attributes: Any) -> dict[str, str]:
    return {one.key: one.value.string_value or str(one.value.int_value) for one in attributes}


class Collector(trace_service_pb2_grpc.TraceServiceServicer):  # type: ignore[misc]
    def Export(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        for resource in request.resource_spans:
            of = values(resource.resource.attributes)
            for scope in resource.scope_spans:
                spans.extend(
                    {
                        "service": of.get("service.name", ""),
                        "fleet": of.get("sglang_ray.fleet", ""),
                        "name": span.name,
                        "trace": span.trace_id.hex(),
                        "span": span.span_id.hex(),
                        "parent": span.parent_span_id.hex(),
                        "error": span.status.code == 2,
                        "attributes": values(span.attributes),
                        "seconds": (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
                    }
                    for span in scope.spans
                )
        return trace_service_pb2.ExportTraceServiceResponse()


class Shown(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # noqa: N802
        body = json.dumps(grpc_port if self.path == "/port" else spans).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


fixed = [int(port) for port in sys.argv[1:]]
server = grpc.server(ThreadPoolExecutor(4))
trace_service_pb2_grpc.add_TraceServiceServicer_to_server(Collector(), server)
grpc_port = server.add_insecure_port(f"0.0.0.0:{fixed[0] if fixed else 0}")
server.start()
shown = ThreadingHTTPServer(("0.0.0.0", fixed[1] if fixed else 0), Shown)
serving = threading.Thread(target=shown.serve_forever, daemon=True)
serving.start()
print(shown.server_port, flush=True)
if fixed:
    serving.join()
else:
    sys.stdin.read()
