# SPDX-License-Identifier: Apache-2.0
"""Prefill and decode. A decode engine fetches each request's cache from its prefill engine, over the network."""

from __future__ import annotations

import os
import socket
import threading
from typing import Any

HAND_OVER_SECONDS = 5


class Refused(Exception):
    """The request is not as the router sends it to such an engine."""


class Disaggregation:
    """What an engine of its kind does with a request: nothing where it is a regular one."""

    def __init__(self, server_args: Any) -> None:
        self._mode = server_args.disaggregation_mode
        self._port = server_args.disaggregation_bootstrap_port
        self._rooms: dict[int, threading.Event] = {}
        self._changed = threading.Condition()
        if self._mode == "prefill":
            family = socket.AF_INET6 if ":" in server_args.host else socket.AF_INET
            listener = socket.create_server((server_args.host, self._port), family=family, backlog=128)
            threading.Thread(target=self._serve, args=(listener,), daemon=True).start()

    def take(self, request: dict[str, Any]) -> str | None:
        """The process that read the prompt; None for a regular engine. Raises Refused, or OSError: the other is gone."""
        room = request.get("bootstrap_room")
        if self._mode == "null":
            if room is not None:
                raise Refused("a regular engine is asked for a part of an answer")
            return None
        if not isinstance(room, int) or not request.get("bootstrap_host"):
            raise Refused(f"a {self._mode} engine is asked without bootstrap_room and bootstrap_host")
        if self._mode == "prefill":
            if request.get("bootstrap_port") != self._port:
                raise Refused(f"bootstrap_port is {request.get('bootstrap_port')}, and this one's is {self._port}")
            self._hand_over(room)
            return str(os.getpid())
        address = request["bootstrap_host"].strip("[]"), request["bootstrap_port"]
        with socket.create_connection(address, timeout=HAND_OVER_SECONDS) as prefill:
            prefill.sendall(f"{room}\n".encode())
            cache = prefill.makefile().readline()
        if not cache:
            raise OSError("the prefill engine is gone")
        return cache.strip()

    def _hand_over(self, room: int) -> None:
        taken = threading.Event()
        with self._changed:
            self._rooms[room] = taken
            self._changed.notify_all()
        if not taken.wait(HAND_OVER_SECONDS):
            raise OSError("no decode engine took the cache")

    def _serve(self, listener: socket.socket) -> None:
        while True:
            decode, _ = listener.accept()
            threading.Thread(target=self._give, args=(decode,), daemon=True).start()

    def _give(self, decode: socket.socket) -> None:
        with decode:
            room = int(decode.makefile().readline())
            with self._changed:
                if self._changed.wait_for(lambda: room in self._rooms, HAND_OVER_SECONDS):
                    decode.sendall(f"{os.getpid()}\n".encode())
                    self._rooms.pop(room).set()
