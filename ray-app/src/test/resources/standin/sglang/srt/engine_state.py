# SPDX-License-Identifier: Apache-2.0
"""A stand-in's requests, weights and memory, which hang together."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable


class EngineState:
    """As the real engine: an update waits for requests, and what it cannot survive it does not survive."""

    def __init__(self, weight_version: str, weight_path: str, behaviour: Callable[[str], dict[str, Any]]) -> None:
        self.behaviour = behaviour
        self.changed = threading.Condition()
        self.running = 0
        self.paused = False
        self.updating = False
        self.released: set[str] = set()
        self.weight_version = weight_version
        self.weight_path = weight_path
        self.weight_bytes = 0

    def begin(self) -> str:
        """One more request, and by which weights."""
        with self.changed:
            self.changed.wait_for(lambda: not self.paused and not self.updating)
            self.require_memory()
            self.running += 1
            return self.weight_version

    def end(self) -> str:
        with self.changed:
            self.changed.wait_for(lambda: not self.paused)
            self.running -= 1
            self.changed.notify_all()
            return self.weight_version

    def require_memory(self) -> None:
        if self.released:
            print("stand-in engine: illegal memory access", file=sys.stderr, flush=True)
            os._exit(1)

    def pause(self, paused: bool) -> None:
        with self.changed:
            self.paused = paused
            self.changed.notify_all()

    def memory(self, release: bool, tags: list[str] | None) -> None:
        wanted = set(tags or ("kv_cache", "weights", "cuda_graph"))
        with self.changed:
            if self.running or (self.released & wanted if release else wanted - self.released):
                print(f"stand-in engine: AssertionError, release {release} {wanted}", file=sys.stderr, flush=True)
                os._exit(1)
            self.released = self.released | wanted if release else self.released - wanted

    def update(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        path = request["model_path"]
        with self.changed:
            self.changed.wait_for(lambda: self.paused or not self.running)
            self.updating = True
        try:
            if not os.path.isdir(path):
                return 400, {"success": False, "message": f"Failed to get weights iterator: no {path}."}
            behaviour = self.behaviour(path)
            time.sleep(behaviour.get("update_seconds", 0))
            if behaviour.get("dies_on") == os.uname().nodename and self.weight_version != request["weight_version"]:
                # Once: whoever comes after it can have these weights.
                Path(path, "standin.json").unlink()
                os.kill(os.getpid(), signal.SIGKILL)
            if behaviour.get("broken_on") == os.uname().nodename:
                message = "Failed to update weights: shapes differ.\nRolling back to original weights."
                return 400, {"success": False, "message": message}
            with self.changed:
                self.weight_version = request["weight_version"]
                self.weight_path = path
            return 200, {"success": True, "message": "", "num_paused_requests": 0}
        finally:
            with self.changed:
                self.updating = False
                self.changed.notify_all()

    def update_from_tensor(self, request: dict[str, Any], size: int) -> tuple[int, dict[str, Any]]:
        """One bucket, whose bytes are counted."""
        with self.changed:
            self.weight_bytes += size
            self.weight_version = request.get("weight_version", self.weight_version)
        return 200, {"success": True, "message": ""}
