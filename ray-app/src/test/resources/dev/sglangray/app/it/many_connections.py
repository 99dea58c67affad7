# SPDX-License-Identifier: Apache-2.0
"""A server that answers no request before so many requests have come, each of which then holds a connection.

Argument: how many. Prints its port, answers GET with the most connections that were open at once, and ends with its
standard input.
"""

import asyncio
import os
import resource
import sys
import threading

WANTED = int(sys.argv[1])
waiting = []
state = {"open": 0, "most": 0, "requests": 0}


def answer(text):
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text)


class Connection(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.received = b""
        state["open"] += 1
        state["most"] = max(state["most"], state["open"])

    def connection_lost(self, _):
        state["open"] -= 1

    def data_received(self, data):
        self.received += data
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not end:
            return
        length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
        if len(body) < length:
            return
        self.received = b""
        if head.startswith(b"GET"):
            self.transport.write(answer(b'{"most": %d}' % state["most"]))
            return
        state["requests"] += 1
        waiting.append(self.transport)
        if state["requests"] >= WANTED:
            for transport in waiting:
                transport.write(answer(b'{"text": "a"}'))
            waiting.clear()


async def main():
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def end_with_standard_input():
    sys.stdin.read()
    os._exit(0)


hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
threading.Thread(target=end_with_standard_input, daemon=True).start()
asyncio.run(main())
