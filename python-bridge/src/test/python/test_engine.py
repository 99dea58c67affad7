# SPDX-License-Identifier: Apache-2.0
"""The real engine on this machine's processor, under the supervisor, with arguments that were meant for GPUs."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sglang_ray import accelerators, tiny_model
from supervised import Supervised, alive
from test_router import free_port

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(accelerators.visible()["kind"] is not None, reason="tests what happens without an accelerator"),
]

# What the guide of RLinf's launcher sets, and more that no processor can do.
FOR_GPUS: dict[str, Any] = {
    "tp_size": 2,
    "pp_size": 1,
    "mem_fraction_static": 0.85,
    "max_running_requests": 64,
    "attention_backend": "triton",
    "log_level": "info",
    "enable_memory_saver": True,
    "enable_torch_compile": True,
    "enable_deterministic_inference": True,
    "enable_hierarchical_cache": True,
    "cuda_graph_max_bs": 64,  # its name until SGLang 0.5.13
    "cuda_graph_config": {"decode": {"backend": "full"}},
    "kv_cache_dtype": "fp8_e4m3",
    "quantization": "fp8",
    "dtype": None,
    "random_seed": 7,
}
#: A minute where nothing else runs.
START_S = 600


class Engine:
    def __init__(self, supervised: Supervised, model: Path, **more: Any) -> None:
        self.supervised = supervised
        self.port = free_port() % 25000 + 20000  # SGLang derives a second port 10000 above
        arguments = {**FOR_GPUS, "model_path": str(model), "host": "127.0.0.1", "port": self.port, **more}
        request = {"kind": "srt", "server_args": arguments, "dist_port": free_port()}
        env = {**os.environ, "SGLANG_RAY_DEVICE": "cpu", "http_proxy": "http://127.0.0.1:9"}
        supervised.start([sys.executable, "-m", "sglang_ray.serve"], env=env, stdin=json.dumps(request))
        self.pid = supervised.event()["pid"]

    def wait_until_healthy(self) -> None:
        deadline = time.monotonic() + START_S
        while not self.is_healthy():
            assert alive(self.pid), self.supervised.log()[-4000:]
            assert time.monotonic() < deadline, self.supervised.log()[-4000:]
            time.sleep(0.2)

    def is_healthy(self) -> bool:
        try:
            self.call("/health")
        except OSError:
            return False
        return True

    def call(self, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data, {"Content-Type": "application/json"}
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as response:
            text = response.read()
        return json.loads(text) if text else None


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "tiny"
    tiny_model.make(folder)
    return folder


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Iterator[Engine]:
    supervised = Supervised(tmp_path_factory.mktemp("engine"))
    try:
        running = Engine(supervised, model)
        running.wait_until_healthy()
        yield running
    finally:
        supervised.clean_up()


def test_generates_the_text_of_the_tiny_model(engine: Engine) -> None:
    body = {"text": "Whatever. Ray places", "sampling_params": {"temperature": 0, "max_new_tokens": 11}}
    for _ in range(2):
        assert engine.call("/generate", body)["text"] == " every engine on its own node, the router sends each"


def test_chats(engine: Engine) -> None:
    body = {"model": "tiny", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4, "temperature": 0}
    assert engine.call("/v1/chat/completions", body)["choices"][0]["message"]["content"] == " Ray places every engine"


def test_structured_output_has_its_structure(engine: Engine) -> None:
    sampling = {"temperature": 0, "max_new_tokens": 64, "regex": "(yes|no)-[0-9]{3}"}
    text = engine.call("/generate", {"text": "x", "sampling_params": sampling})["text"]
    assert re.fullmatch("(yes|no)-[0-9]{3}", text)


def test_exchanges_weights(engine: Engine, model: Path, tmp_path: Path) -> None:
    sampling = {"temperature": 0, "max_new_tokens": 8}
    body = {"text": " Ray", "sampling_params": sampling}
    before = engine.call("/generate", body)["text"]
    tiny_model.make(tmp_path / "other", seed=1)
    assert engine.call("/update_weights_from_disk", {"model_path": str(tmp_path / "other")})["success"]
    assert engine.call("/generate", body)["text"] != before
    assert engine.call("/update_weights_from_disk", {"model_path": str(model)})["success"]
    assert engine.call("/generate", body)["text"] == before


def test_told_what_was_changed(engine: Engine) -> None:
    told = [line for line in engine.supervised.log().splitlines() if line.startswith("sglang_ray: no accelerator: ")]
    changed = [line.split(": ", 2)[2].split(" ")[0] for line in told]
    assert sorted(changed) == [
        "attention_backend",
        "cuda_graph_config",
        "cuda_graph_max_bs_decode",
        "enable_deterministic_inference",
        "enable_hierarchical_cache",
        "enable_memory_saver",
        "enable_torch_compile",
        "kv_cache_dtype",
        "quantization",
        "tp_size",
    ]


def test_terminate_leaves_nothing_and_is_quick(engine: Engine) -> None:
    """The last test of this engine."""
    tree = engine.supervised.tree()
    assert len(tree) >= 3  # server, scheduler, detokenizer
    begin = time.monotonic()
    engine.supervised.send({"op": "terminate", "grace_s": 10})
    event = engine.supervised.last_event()
    print(f"ended after {time.monotonic() - begin:.1f} s: {event}")
    assert event["reason"] == "terminate"
    assert time.monotonic() - begin < 15
    assert not [pid for pid in tree if alive(pid)]


def test_the_death_of_a_part_is_the_death_of_the_engine_told_at_once(tmp_path: Path, model: Path) -> None:
    supervised = Supervised(tmp_path)
    try:
        running = Engine(supervised, model)
        running.wait_until_healthy()
        tree = supervised.tree()
        scheduler = next(pid for pid in tree if b"scheduler" in Path(f"/proc/{pid}/cmdline").read_bytes())
        begin = time.monotonic()
        os.kill(scheduler, signal.SIGKILL)
        event = supervised.last_event()
        print(f"ended after {time.monotonic() - begin:.1f} s: {event}")
        # Whichever is first: SGLang, which looks once a second, or the supervisor.
        assert event["reason"] in ("rank_died", "exited")
        assert event["cause"].startswith(f"its process {scheduler} (sglang::scheduler")
        assert time.monotonic() - begin < 5
        assert not [pid for pid in tree if alive(pid)]
    finally:
        supervised.clean_up()


def test_a_taken_port_ends_the_engine_with_its_own_words(tmp_path: Path, model: Path) -> None:
    port = free_port() % 25000 + 20000
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        supervised = Supervised(tmp_path, deadline_s=START_S)
        try:
            Engine(supervised, model, port=port)
            event = supervised.last_event()
            # SGLang kills its schedulers first. With Python 3.12 and 3.13 the supervisor then is faster than its own end.
            assert event["reason"] in ("exited", "rank_died")
            assert event["code"] != 0
            assert f"address ('127.0.0.1', {port}): address already in use" in supervised.log()
        finally:
            supervised.clean_up()
