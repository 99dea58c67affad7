# SPDX-License-Identifier: Apache-2.0
"""uvicorn with httptools and an application that answers each request with the body that reached it, as an engine would.

Prints its port, and ends with its standard input.
"""

import json
import os
import socket
import sys
import threading

import uvicorn


async def app(scope, receive, send):
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    answer = json.dumps({"text": body.decode()}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


def end_with_standard_input():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_standard_input, daemon=True).start()
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, http="httptools", lifespan="off", log_level="error")).run(sockets=[listening])
