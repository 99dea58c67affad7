# SPDX-License-Identifier: Apache-2.0
"""The schemas in the source tree, and that they still say what the pinned packages say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sglang_ray import packages, schema
from sglang_ray.errors import BridgeError


def bundled(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((schema.bundled_folders()[1] / f"{kind}.json").read_text(encoding="utf-8"))
    return found


def field(kind: str, name: str) -> dict[str, Any]:
    return next(field for field in bundled(kind)["fields"] if field["name"] == name)


def test_the_bundled_server_schema() -> None:
    assert len(bundled("server")["fields"]) > 500
    assert (bundled("server")["package"], bundled("server")["version"]) == ("sglang", "0.5.23")
    assert field("server", "model_path")["required"]
    assert field("server", "tp_size") | {"help": ""} == {
        "name": "tp_size",
        "type": "int",
        "nullable": False,
        "required": False,
        "default": 1,
        "cli": "--tp-size",
        "aliases": ["tensor_parallel_size"],
        "help": "",
        "settable": True,
        "filled": False,
    }
    assert "triton" in field("server", "attention_backend")["choices"]
    assert field("server", "port")["filled"]
    assert not field("server", "stat_loggers")["settable"]


def test_the_bundled_router_schema() -> None:
    assert field("router", "policy")["choices"] == ["random", "round_robin", "cache_aware", "power_of_two", "manual"]
    assert field("router", "selector")["type"] == "dict"
    assert field("router", "server_cert_path")["cli"] == "--tls-cert-path"
    refused = {f["name"] for f in bundled("router")["fields"] if not f["settable"]}
    assert refused == {"prefill_urls", "decode_urls", "control_plane_api_keys"}


def test_the_bundled_schema_of_smg() -> None:
    assert (bundled("smg")["package"], bundled("smg")["version"]) == ("smg", "1.13.0")
    assert {"least_load", "prefix_hash"} < set(field("smg", "policy")["choices"])
    assert field("smg", "server_cert_path")["cli"] == "--tls-cert-path"
    assert field("smg", "model_aliases")["cli"] == "--model-alias"
    assert (field("smg", "tenant_api_keys")["type"], field("smg", "tenant_api_keys")["items"]) == ("list", "str")
    refused = {f["name"] for f in bundled("smg")["fields"] if not f["settable"]}
    assert refused == {"encode_urls", "prefill_urls", "decode_urls", "control_plane_api_keys"}


def test_the_bundled_embodied_schema() -> None:
    assert (bundled("embodied")["package"], bundled("embodied")["version"]) == ("sglang", "0.5.23")
    assert field("embodied", "model_path")["required"]
    assert (field("embodied", "num_gpus")["type"], field("embodied", "num_gpus")["default"]) == ("int", 1)
    assert field("embodied", "tp_size")["nullable"]
    assert field("embodied", "attention_backend")["nullable"]
    assert field("embodied", "cache_dit_config")["types"] == ["dict", "str"]
    assert field("embodied", "pipeline_config")["types"] == ["dict", "str"]
    assert field("embodied", "pipeline_config")["settable"]
    assert field("embodied", "disagg_role_device")["choices"] == ["auto", "cpu", "cuda"]
    assert field("embodied", "master_port")["filled"]
    assert not field("embodied", "_explicit_arg_names")["settable"]


def test_a_user_without_a_home_has_no_kept_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SGLANG_RAY_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as without HOME and without an entry in passwd
    assert schema.cache_folder() is None
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert schema.cache_folder() == Path("/cache/sglang-ray/schemas")


def dump(kind: str, *options: str, home: Path) -> tuple[dict[str, Any], float]:
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "sglang_ray.schema", kind, *options],
        env={"PYTHONPATH": str(Path(schema.__file__).parents[1]), "SGLANG_RAY_HOME": str(home)},
        capture_output=True,
        check=True,
        timeout=300,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found, time.monotonic() - begin


@pytest.mark.router
@pytest.mark.parametrize("kind", schema.ROUTER_KINDS)
def test_the_router_schema_is_current(tmp_path: Path, kind: str) -> None:
    assert dump(kind, "--fresh", home=tmp_path)[0] == bundled(kind)


@pytest.mark.router
def test_the_router_is_smg_where_only_that_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = packages.version
    assert schema.load("router")["package"] == "sglang-router"
    monkeypatch.setattr(packages, "version", lambda name: None if name == "sglang-router" else installed(name))
    assert schema.load("router") == bundled("smg")
    monkeypatch.setattr(packages, "version", lambda _: None)
    with pytest.raises(BridgeError, match="sglang-router is not installed"):
        schema.load("router")


@pytest.mark.sglang
def test_the_embodied_schema_is_current(tmp_path: Path) -> None:
    assert dump("embodied", "--fresh", home=tmp_path)[0] == bundled("embodied")


@pytest.mark.sglang
def test_the_server_schema_is_current_and_kept_answers_are_fast(tmp_path: Path) -> None:
    fresh, slow = dump("server", "--fresh", home=tmp_path)
    assert fresh == bundled("server"), "run python -m sglang_ray.schema server --fresh and keep its answer"
    kept, fast = dump("server", home=tmp_path)
    assert kept == fresh
    assert fast < slow / 4


@pytest.mark.router
def test_a_kept_answer_for_other_source_files_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SGLANG_RAY_HOME", str(tmp_path))
    monkeypatch.setattr(schema, "bundled_folders", list)
    first = schema.load("router")
    kept = tmp_path / "schemas" / "sglang-router-0.3.2-router.json"
    assert json.loads(kept.read_text()) == first
    kept.write_text(json.dumps({**first, "fields": []}))
    assert schema.load("router")["fields"] == []
    kept.write_text(json.dumps({**first, "fields": [], "source_sha256": "0"}))
    assert schema.load("router") == first
    kept.write_text("{")
    assert schema.load("router") == first


def test_a_missing_package_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "version", lambda _: None)
    with pytest.raises(BridgeError, match="sglang is not installed") as caught:
        schema.load("server")
    assert caught.value.exit_code == 3


def test_one_field_per_line() -> None:
    lines = schema.text(bundled("router")).splitlines()
    assert sum(line.startswith('    {"name"') for line in lines) == len(bundled("router")["fields"])
    assert json.loads("\n".join(lines)) == bundled("router")
