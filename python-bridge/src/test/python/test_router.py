# SPDX-License-Identifier: Apache-2.0
"""Router arguments against the real RouterArgs, and the real routers, started without torch."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sglang_ray import packages
from sglang_ray.errors import BridgeError
from sglang_ray.router import router_arguments, serve_router
from sglang_ray.schema import router_args_class
from supervised import wait_until

pytestmark = pytest.mark.router


both = pytest.mark.parametrize("distribution", packages.ROUTERS)


def arguments(given: dict[str, Any], distribution: str) -> Any:
    kind = "smg" if distribution == "smg" else "router"
    return router_arguments(given, router_args_class(distribution), kind)


def by_command_line(distribution: str, *words: str) -> Any:
    module = importlib.import_module(f"{distribution.replace('-', '_')}.launch_router")
    return module.parse_router_args(list(words))


@both
def test_nothing_given_is_the_bare_command_line(distribution: str) -> None:
    assert arguments({}, distribution) == by_command_line(distribution)
    assert arguments({"port": None, "policy": None}, distribution) == by_command_line(distribution)
    assert arguments({}, distribution).host == "0.0.0.0"


@both
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
        ({"jwt_role_mapping": ["Gateway.Admin=User"]}, ["--jwt-role-mapping", "Gateway.Admin=User"]),
        ({"max_concurrent_requests": -1}, ["--max-concurrent-requests", "-1"]),
        ({"api_key": "-starts-with-a-dash"}, ["--api-key=-starts-with-a-dash"]),
    ],
)
def test_means_what_the_command_line_means(given: dict[str, Any], words: list[str], distribution: str) -> None:
    assert arguments(given, distribution) == by_command_line(distribution, *words)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"policy": "least_load", "cache_index": "hash"}, ["--policy", "least_load", "--cache-index", "hash"]),
        ({"worker_overload_protection": False}, ["--disable-worker-overload-protection"]),
        ({"remove_unhealthy_workers": False}, ["--no-remove-unhealthy-workers"]),
        ({"model_aliases": {"small": "tiny"}}, ["--model-alias", "small=tiny"]),
        ({"model_aliases": ["small=tiny", "s=tiny"]}, ["--model-alias", "small=tiny", "--model-alias", "s=tiny"]),
        ({"tenant_api_keys": ["a:k1", "b:k2"]}, ["--tenant-api-key", "a:k1", "--tenant-api-key", "b:k2"]),
        ({"storage_context_headers": {"x-a": "a"}}, ["--storage-context-headers", "x-a=a"]),
        ({"router_selector": {"a": "b"}}, ["--router-selector", "a=b"]),
    ],
)
def test_what_only_smg_has_means_what_its_command_line_means(given: dict[str, Any], words: list[str]) -> None:
    assert arguments(given, "smg") == by_command_line("smg", *words) != by_command_line("smg")
    with pytest.raises(BridgeError, match=r"policy: 'least_load' is not|has no such field"):
        arguments(given, "sglang-router")


def test_what_only_sglang_router_has_is_refused_for_smg() -> None:
    with pytest.raises(BridgeError, match=r"unknown key 'mini_lb' \(RouterArgs of smg 1.13.0 has no such field\)"):
        arguments({"mini_lb": True}, "smg")


@both
def test_an_unknown_argument_is_refused_with_the_version(distribution: str) -> None:
    owner = f"RouterArgs of {distribution} {packages.version(distribution)}"
    with pytest.raises(BridgeError, match=rf"unknown key 'polcy' \({owner} has no such field\); did you mean policy"):
        arguments({"polcy": "random"}, distribution)


@both
@pytest.mark.parametrize(
    ("given", "message"),
    [
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
def test_refuses_what_the_command_line_would_refuse(given: dict[str, Any], message: str, distribution: str) -> None:
    with pytest.raises(BridgeError, match=message):
        arguments(given, distribution)


@both
def test_a_router_that_is_not_installed_is_named_with_the_reason(
    distribution: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = packages.version
    monkeypatch.setattr(packages, "version", lambda name: None if name == distribution else installed(name))
    with pytest.raises(BridgeError, match=rf"{distribution} is not installed in .*router_type is {distribution}") as it:
        serve_router({}, distribution)
    assert it.value.exit_code == 3


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listening(pid: int) -> set[int]:
    """The TCP ports that a process listens at."""
    sockets = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # one that was just closed
            sockets.add(os.readlink(descriptor))
    ports = set()
    for table in ("tcp", "tcp6"):
        for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            words = row.split()
            if words[3] == "0A" and f"socket:[{words[9]}]" in sockets:
                ports.add(int(words[1].rpartition(":")[2], 16))
    return ports


class Engine(BaseHTTPRequestHandler):
    """What a router asks of an engine before it sends to it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer({"model_path": "tiny"})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer({"text": "ok"})

    def answer(self, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        pass


def ask(method: str, url: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
    """The code and the JSON of an answer."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Authorization": "Bearer s3cret"}
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as response:
            return int(response.status), json.loads(response.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def status(url: str) -> int:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def send(router: subprocess.Popen[bytes], request: dict[str, Any], router_type: str) -> None:
    assert router.stdin is not None
    with router.stdin:
        whole = {"kind": "router", "router_type": router_type, "router_args": request}
        router.stdin.write(json.dumps(whole).encode())


@both
@pytest.mark.parametrize("first", ["NO_PROXY", "http_proxy", "HOME"])
def test_the_process_list_shows_a_router_whatever_variable_is_first(
    tmp_path: Path, first: str, distribution: str
) -> None:
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
        send(router, request, distribution)
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


@both
def test_the_real_router_answers_within_seconds_without_torch(tmp_path: Path, distribution: str) -> None:
    port, metrics = free_port(), free_port()
    request = {"port": port, "host": "127.0.0.1", "prometheus_port": metrics, "api_key": "s3cret", "log_level": "debug"}
    log = tmp_path / "router.log"
    begin = time.monotonic()
    with log.open("wb") as out:
        router = subprocess.Popen(
            [sys.executable, "-m", "sglang_ray.serve"], stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        send(router, request, distribution)
        wait_until(lambda: router.poll() is not None or status(f"http://127.0.0.1:{port}/health") == 200)
        assert router.poll() is None, log.read_text()
        assert time.monotonic() - begin < 10
        assert status(f"http://127.0.0.1:{port}/workers") == 401
        assert status(f"http://127.0.0.1:{metrics}/metrics") == 200
        assert listening(router.pid) == {port, metrics}
        assert "libtorch" not in Path(f"/proc/{router.pid}/maps").read_text()
        assert b"s3cret" not in Path(f"/proc/{router.pid}/cmdline").read_bytes()
        router.terminate()
        assert router.wait(20) == 0
    finally:
        router.kill()
        router.wait()
    assert "s3cret" not in log.read_text()


@both
def test_the_real_router_adds_lists_and_removes_workers_as_the_java_side_expects(
    tmp_path: Path, distribution: str
) -> None:
    """The dialect of ``WorkersRouterApi``: jobs by id, and a removed URL that can be added again at once."""
    engine = ThreadingHTTPServer(("127.0.0.1", 0), Engine)
    threading.Thread(target=engine.serve_forever, daemon=True).start()
    url, silent = f"http://127.0.0.1:{engine.server_port}", f"http://127.0.0.1:{free_port()}"
    port = free_port()
    router_url = f"http://127.0.0.1:{port}"
    request = {"port": port, "host": "127.0.0.1", "prometheus_port": free_port(), "api_key": "s3cret"}
    request.update(worker_startup_timeout_secs=4, worker_startup_check_interval=1)
    with (tmp_path / "router.log").open("wb") as out:
        router = subprocess.Popen(
            [sys.executable, "-m", "sglang_ray.serve"], stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT
        )

    def add(worker: str) -> str:
        code, answer = ask("POST", f"{router_url}/workers", {"url": worker, "worker_type": "regular"})
        assert (code, answer["url"]) == (202, worker), answer
        return str(answer["worker_id"])

    def listed() -> list[str]:
        return [worker["url"] for worker in ask("GET", f"{router_url}/workers")[1]["workers"] if worker["is_healthy"]]

    def given_up(identity: str) -> bool:
        code, answer = ask("GET", f"{router_url}/workers/{identity}")
        return code == 404 or answer["job_status"]["status"] == "failed"

    try:
        send(router, request, distribution)
        wait_until(lambda: router.poll() is not None or status(f"{router_url}/health") == 200)
        dead = add(silent)
        code, answer = ask("GET", f"{router_url}/workers/{dead}")
        assert (code, answer["is_healthy"]) == (200, False)
        assert answer["job_status"]["status"] in ("pending", "processing")
        for _ in range(3):
            identity = add(url)
            wait_until(lambda: listed() == [url])
            assert ask("GET", f"{router_url}/workers/{identity}")[1]["is_healthy"]
            assert ask("POST", f"{router_url}/generate", {"text": "hello"}) == (200, {"text": "ok"})
            assert ask("DELETE", f"{router_url}/workers/{identity}")[0] == 202
            begin = time.monotonic()
            wait_until(lambda: ask("GET", f"{router_url}/workers")[1]["workers"] == [])
            assert time.monotonic() - begin < 3
        assert ask("DELETE", f"{router_url}/workers/{identity}")[0] == 404
        wait_until(lambda: given_up(dead))
    finally:
        router.kill()
        router.wait()
        engine.shutdown()
        engine.server_close()
