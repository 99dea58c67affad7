# SPDX-License-Identifier: Apache-2.0
"""Router arguments against the real RouterArgs, and the real router, started without torch."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from sglang_ray.errors import BridgeError
from sglang_ray.router import router_arguments
from supervised import wait_until

pytestmark = pytest.mark.router


def arguments(given: dict[str, Any]) -> Any:
    from sglang_router.router_args import RouterArgs

    return router_arguments(given, RouterArgs)


def by_command_line(*words: str) -> Any:
    from sglang_router.launch_router import parse_router_args

    return parse_router_args(list(words))


def test_nothing_given_is_the_bare_command_line() -> None:
    assert arguments({}) == by_command_line()
    assert arguments({"port": None, "policy": None}) == by_command_line()
    assert arguments({}).host == "0.0.0.0"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"policy": "round_robin", "log_level": "warn"}, ["--policy", "round_robin", "--log-level", "warn"]),
        ({"worker_startup_timeout_secs": "1800"}, ["--worker-startup-timeout-secs", "1800"]),
        ({"cache_threshold": 1}, ["--cache-threshold", "1"]),
        ({"dp_aware": True, "disable_retries": False}, ["--dp-aware"]),
        ({"request_id_headers": ["a", "b"]}, ["--request-id-headers", "a", "b"]),
        ({"cors_allowed_origins": "x"}, ["--cors-allowed-origins", "x"]),
        ({"prometheus_duration_buckets": [0.5, "1"]}, ["--prometheus-duration-buckets", "0.5", "1"]),
        ({"server_cert_path": "c", "server_key_path": "k"}, ["--tls-cert-path", "c", "--tls-key-path", "k"]),
        ({"selector": {"a": "b", "c": 1}}, ["--selector", "a=b", "c=1"]),
        ({"selector": ["a=b"]}, ["--selector", "a=b"]),
        ({"jwt_role_mapping": {"Gateway.Admin": "Admin"}}, ["--jwt-role-mapping", "Gateway.Admin=Admin"]),
        ({"max_concurrent_requests": -1}, ["--max-concurrent-requests", "-1"]),
        ({"api_key": "-starts-with-a-dash"}, ["--api-key=-starts-with-a-dash"]),
    ],
)
def test_means_what_the_command_line_means(given: dict[str, Any], words: list[str]) -> None:
    assert arguments(given) == by_command_line(*words)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"polcy": "random"}, r"unknown key 'polcy' \(RouterArgs of sglang-router 0.3.2 .*did you mean policy\?"),
        ({"policy": "best"}, "policy: 'best' is not one of random, round_robin"),
        ({"port": "many"}, "port: expected int, not 'many'"),
        ({"port": True}, "port: expected int, not True"),
        ({"dp_aware": "False"}, "dp_aware: expected true or false, not 'False'"),
        ({"api_key": ["a"]}, "api_key: expected str"),
        ({"prefill_urls": ["http://x"]}, "prefill_urls cannot be set here"),
        ({"control_plane_api_keys": []}, "control_plane_api_keys cannot be set here"),
        ({"jwt_role_mapping": {"a": "boss"}}, "Invalid gateway role"),
    ],
)
def test_refuses_what_the_command_line_would_refuse(given: dict[str, Any], message: str) -> None:
    with pytest.raises(BridgeError, match=message):
        arguments(given)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def status(url: str) -> int:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def send(router: subprocess.Popen[bytes], request: dict[str, Any]) -> None:
    assert router.stdin is not None
    with router.stdin:
        router.stdin.write(json.dumps({"kind": "router", "router_args": request}).encode())


@pytest.mark.parametrize("first", ["NO_PROXY", "http_proxy", "HOME"])
def test_the_process_list_shows_a_router_whatever_variable_is_first(tmp_path: Path, first: str) -> None:
    others = {name: value for name, value in os.environ.items() if name != first}
    port = free_port()
    request = {"port": port, "host": "127.0.0.1", "prometheus_port": free_port()}
    log = tmp_path / "router.log"
    with log.open("wb") as out:
        router = subprocess.Popen(
            [sys.executable, "-m", "sglang_ray.serve"],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={first: "x", **others},
        )
    try:
        send(router, request)
        wait_until(lambda: router.poll() is not None or status(f"http://127.0.0.1:{port}/health") == 200)
        shown = Path(f"/proc/{router.pid}/cmdline").read_bytes()
        assert shown.startswith(b"sglang::router"), (shown, log.read_text())
    finally:
        router.kill()
        router.wait()


def test_a_title_that_cannot_be_shown_is_told_in_the_log() -> None:
    code = (
        "import os; os.environ['NO_PROXY'] = 'y' * 99; from sglang_ray.router import set_title; set_title('a::title')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"NO_PROXY": "x", **os.environ}, capture_output=True, text=True, check=True
    )
    assert "do not show the title a::title" in done.stderr


def test_the_real_router_answers_within_seconds_without_torch(tmp_path: Path) -> None:
    port, metrics = free_port(), free_port()
    request = {"port": port, "host": "127.0.0.1", "prometheus_port": metrics, "api_key": "s3cret", "log_level": "debug"}
    log = tmp_path / "router.log"
    begin = time.monotonic()
    with log.open("wb") as out:
        router = subprocess.Popen(
            [sys.executable, "-m", "sglang_ray.serve"], stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        send(router, request)
        wait_until(lambda: router.poll() is not None or status(f"http://127.0.0.1:{port}/health") == 200)
        assert router.poll() is None, log.read_text()
        assert time.monotonic() - begin < 10
        assert status(f"http://127.0.0.1:{port}/workers") == 401
        assert "libtorch" not in Path(f"/proc/{router.pid}/maps").read_text()
        assert b"s3cret" not in Path(f"/proc/{router.pid}/cmdline").read_bytes()
        router.terminate()
        assert router.wait(20) == 0
    finally:
        router.kill()
        router.wait()
    assert "s3cret" not in log.read_text()
