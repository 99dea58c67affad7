# SPDX-License-Identifier: Apache-2.0
"""``python -m sglang_ray.serve``: reads one JSON object on standard input and becomes that server, in the foreground.

The arguments come on standard input so that no secret shows in a process list. Exit codes: ``errors.py``.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from sglang_ray import packages
from sglang_ray.errors import BridgeError, run, unknown_key

_KEYS = {
    "srt": ("kind", "server_args", "dist_port"),
    "embodied": ("kind", "server_args", "dist_port"),
    "router": ("kind", "router_type", "router_args"),
}


def parse(text: str) -> dict[str, Any]:
    """The request, checked; the text of an error never quotes the input, which may hold secrets."""
    try:
        request = json.loads(text)
    except ValueError as error:
        position = getattr(error, "pos", "?")
        raise BridgeError(f"standard input is not JSON (near character {position})") from None
    if not isinstance(request, dict):
        raise BridgeError("standard input is not a JSON object")
    kind = request.get("kind")
    if kind not in _KEYS:
        raise BridgeError(f"kind: {kind!r} is not one of {', '.join(_KEYS)}")
    for key in request:
        if key not in _KEYS[kind]:
            raise unknown_key("request", key, _KEYS[kind], f"a request of kind {kind}")
    arguments = request.get("router_args" if kind == "router" else "server_args")
    if not isinstance(arguments, dict):
        raise BridgeError(f"{'router_args' if kind == 'router' else 'server_args'}: expected a JSON object")
    router_type = request.get("router_type")
    if router_type is not None and router_type not in packages.ROUTERS:
        raise BridgeError(f"router_type: {router_type!r} is not one of {', '.join(packages.ROUTERS)}")
    port = request.get("dist_port")
    if kind != "router" and (isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65535):
        raise BridgeError("dist_port: expected a port from 1 to 65535")
    return request


def serve() -> int:
    """Reads the request and runs the server; returns when it has ended."""
    request = parse(sys.stdin.read())
    # Each kind imports only what it needs.
    if request["kind"] == "router":
        from sglang_ray.router import serve_router

        return serve_router(request["router_args"], request.get("router_type"))
    from sglang_ray import engine

    start = engine.serve_srt if request["kind"] == "srt" else engine.serve_embodied
    return start(request["server_args"], request["dist_port"])


def main() -> int:
    return run(serve, "sglang_ray.serve")


if __name__ == "__main__":
    sys.exit(main())
