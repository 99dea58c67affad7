# SPDX-License-Identifier: Apache-2.0
"""Somebody else's server, on the port given, whose ``/health`` answers 200 as ours would."""

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


HTTPServer(("0.0.0.0", int(sys.argv[1])), Handler).serve_forever()
