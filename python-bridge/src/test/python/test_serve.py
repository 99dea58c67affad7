# SPDX-License-Identifier: Apache-2.0
"""What ``serve`` accepts and how it refuses, as a process: exit code and one line on standard error."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from sglang_ray.errors import BridgeError
from sglang_ray.serve import parse


def serve(text: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sglang_ray.serve"]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"kind": "srtt", "server_args": {}}, "kind: 'srtt' is not one of srt, embodied, router"),
        ({}, "kind: None is not one of"),
        ({"kind": "srt", "server_arg": {}, "dist_port": 1}, "unknown key 'server_arg'.*did you mean server_args?"),
        ({"kind": "srt", "server_args": [], "dist_port": 1}, "server_args: expected a JSON object"),
        ({"kind": "srt", "server_args": {}}, "dist_port: expected a port from 1 to 65535"),
        ({"kind": "srt", "server_args": {}, "dist_port": 65536}, "dist_port: expected"),
        ({"kind": "srt", "server_args": {}, "dist_port": True}, "dist_port: expected"),
        ({"kind": "router", "router_args": None}, "router_args: expected a JSON object"),
        ({"kind": "router", "router_args": {}, "dist_port": 1}, "unknown key 'dist_port'"),
        (
            {"kind": "router", "router_args": {}, "router_type": "s"},
            "router_type: 's' is not one of sglang-router, smg",
        ),
        ({"kind": "router", "router_args": {}, "router_type": ["smg"]}, r"router_type: \['smg'\] is not one of"),
    ],
)
def test_refuses(request_: dict[str, Any], message: str) -> None:
    with pytest.raises(BridgeError, match=message) as caught:
        parse(json.dumps(request_))
    assert caught.value.exit_code == 2


def test_accepts_each_kind() -> None:
    requests: tuple[dict[str, Any], ...] = (
        {"kind": "srt", "server_args": {"model_path": "m"}, "dist_port": 1},
        {"kind": "embodied", "server_args": {}, "dist_port": 65535},
        {"kind": "router", "router_args": {}},
        {"kind": "router", "router_type": "smg", "router_args": {}},
        {"kind": "router", "router_type": None, "router_args": {}},
    )
    for request_ in requests:
        assert parse(json.dumps(request_)) == request_


def test_bad_input_ends_with_2_and_one_line_that_does_not_quote_it() -> None:
    done = serve('{"kind": "router", "api_key": s3cret}')
    assert done.returncode == 2
    assert done.stderr.startswith("sglang_ray.serve: error: standard input is not JSON")
    assert len(done.stderr.splitlines()) == 1
    assert "s3cret" not in done.stderr


def test_a_missing_package_ends_with_3(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("-m") != "not router and not sglang and not engine":
        pytest.skip("only in an environment without SGLang")
    for text, name in (
        ('{"kind": "router", "router_args": {}}', "sglang-router"),
        ('{"kind": "router", "router_type": "smg", "router_args": {}}', "smg"),
        ('{"kind": "srt", "server_args": {}, "dist_port": 1}', "sglang"),
        ('{"kind": "embodied", "server_args": {}, "dist_port": 1}', "sglang"),
    ):
        done = serve(text)
        assert done.returncode == 3
        assert f"error: {name} is not installed in {sys.executable}" in done.stderr
        assert "python-bridge/prepare" in done.stderr
