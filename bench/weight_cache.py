#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seconds from ``kill -9`` of a forked engine to a healthy one, with and without SGLang's weight cache, in one run.

On one NVIDIA GPU that nothing else uses, without JVM and router. First the engine loads its weights itself; then
SGLang's daemon (``python -m sglang.srt.weight_cache.daemon``) holds them, and the engine has ``weight_cache_mode:
client``. In both cases it is killed with the files of the model in the kernel's page cache and without. With ``--lose``
the daemon is killed at last: when does SGLang end the engine, and what does the next one do, with the daemon's socket
still there and without it? What the log says of each start is printed too. Exit code 1: an answer differs, or the
daemon does not become ready.
"""

from __future__ import annotations

import argparse
import contextlib
import glob
import json
import os
import re
import signal
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from warm_start import DEADLINE_S, RUNNER, Warm, await_health, free_port, nvidia_smi, say

#: What SGLang says of the parts of a start.
PARTS = re.compile(r"Load weight end.*|Capture .* end.*|\[IpcModelLoader\].*|max_total_num_tokens=\d+")
TEMPLATE = "SGLANG_WEIGHT_CACHE_{}_TEMPLATE"


def evict(model: str) -> None:
    """Takes the files of a model out of the page cache."""
    os.sync()
    for path in glob.glob(model + "/*.safetensors"):
        with open(path, "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def in_page_cache(model: str) -> None:
    """Reads them into it."""
    for path in glob.glob(model + "/*.safetensors"):
        with open(path, "rb", buffering=0) as file:
            while file.read(1 << 24):
                pass


class Measured(Warm):
    """A forked engine of one model, and the daemon that holds its weights."""

    def __init__(self, python: str, folder: Path, arguments: dict[str, object], model: str) -> None:
        super().__init__(python, folder, arguments, "0")
        self.model = model
        self.port = free_port()
        self.answers: set[tuple[int, ...]] = set()
        self.read = 0
        for what, ending in (("SOCKET", "sock"), ("READY", "ready")):
            self.environment[TEMPLATE.format(what)] = str(folder / f"cache-{{device_uuid}}.{ending}")

    def files(self, ending: str) -> list[str]:
        """Of the daemon, where the templates say, or where older releases put them."""
        return glob.glob(f"{self.folder}/cache-*.{ending}") + glob.glob(f"/tmp/sglang_weight_cache_*.{ending}")

    def parts(self) -> None:
        """Prints what the engine's log says since the last time."""
        with (self.folder / "Measured.log").open(errors="replace") as log:
            log.seek(self.read)
            for line in log:
                found = PARTS.search(line)
                if found:
                    say(f"    {found.group()[:300]}")
            self.read = log.tell()

    def serve(self, since: float, what: str) -> None:
        """Starts the engine and says how long it took from a moment until it was healthy."""
        self.start(self.port)
        await_health(self.port)
        took = time.monotonic() - since
        body = {
            "input_ids": [7, 8, 9, 10, 11, 12, 300, 301],
            "sampling_params": {"temperature": 0, "max_new_tokens": 8},
        }
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/generate", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            self.answers.add(tuple(json.load(answer)["output_ids"]))
        print(f"{what}: healthy after {took:.2f} s; MiB of the GPU {nvidia_smi('memory.used')}", flush=True)
        self.parts()

    def again(self, what: str, kills: int) -> None:
        """Kills and starts, with the page cache and without."""
        for cached in [True] * kills + [False]:
            (in_page_cache if cached else evict)(self.model)
            since = time.monotonic()
            self.kill()
            self.serve(since, f"{what}, kill -9, files {'in' if cached else 'not in'} the page cache")

    def open_cache(self) -> int:
        """Starts the daemon, forked like an engine; returns its process, when it is ready."""
        since = time.monotonic()
        engine = self.connection
        words = ["sglang.srt.weight_cache.daemon", "--model-path", self.model, "--gpu-id", "0", "--tp-rank", "0"]
        self.connection = self.connect()
        self.connection.order(
            {
                "command": [self.python, str(RUNNER), "-m", *words],
                "env": {**self.environment, **self.visible},
                "log_file": str(self.folder / "daemon.log"),
            }
        )
        pid = int(str(self.connection.await_event("started")["pid"]))
        self.daemon, self.connection = self.connection, engine
        while not self.files("ready"):
            if not Path(f"/proc/{pid}").exists() or time.monotonic() > since + DEADLINE_S:
                raise SystemExit(
                    f"the daemon is not ready; its log: {(self.folder / 'daemon.log').read_text()[-4000:]}"
                )
            time.sleep(0.05)
        used = nvidia_smi("memory.used")
        print(f"the daemon is ready after {time.monotonic() - since:.2f} s; alone it holds {used} MiB", flush=True)
        return pid

    def lose_cache(self, pid: int) -> None:
        """Kills the daemon, and starts the engine with its socket still there and without."""
        since = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        end = self.connection.await_event("exited")
        print(f"the daemon is killed: the engine ends {time.monotonic() - since:.2f} s later: {end}", flush=True)
        left = self.files("sock") + self.files("ready")
        print(f"left behind: {left}", flush=True)
        since = time.monotonic()
        self.start(self.port)
        end = self.connection.await_event("exited")
        print(f"an engine with that socket ends after {time.monotonic() - since:.2f} s: {end}", flush=True)
        self.parts()
        for path in left:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        self.serve(time.monotonic(), "an engine without daemon and socket")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a folder with *.safetensors")
    parser.add_argument("--python", default=sys.executable, help="an interpreter with SGLang (default: this one)")
    parser.add_argument("--kills", type=int, default=2, help="how often, with the page cache (default: 2)")
    parser.add_argument("--arguments", type=json.loads, default={}, help="more of ServerArgs, a JSON object")
    parser.add_argument("--lose", action="store_true", help="kill the daemon at last")
    parser.add_argument("--folder", type=Path, help="where to keep the logs")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="weight-cache-")))
        folder.mkdir(parents=True, exist_ok=True)
        it = Measured(options.python, folder, options.arguments, options.model)
        there = it.files("sock") + it.files("ready")
        if there:
            raise SystemExit(f"a weight cache runs here, or left its files; end it and remove {there}")
        since = time.monotonic()
        it.begin()
        say(f"imported after {time.monotonic() - since:.1f} s")
        it.serve(time.monotonic(), "first start")
        it.again("without the cache", options.kills)
        it.kill()
        daemon = it.open_cache()
        it.arguments = {**it.arguments, "weight_cache_mode": "client"}
        it.serve(time.monotonic(), "first start with the cache")
        it.again("with the cache", options.kills)
        if options.lose:
            it.lose_cache(daemon)
        it.kill()
        with contextlib.suppress(OSError):
            it.daemon.order({"op": "kill"})
        it.server.order({"op": "terminate", "grace_s": 5})
        it.server.await_event("exited")
    print(f"answers: {sorted(it.answers)}")
    if len(it.answers) != 1:
        raise SystemExit("the answers differ")


if __name__ == "__main__":
    main()
