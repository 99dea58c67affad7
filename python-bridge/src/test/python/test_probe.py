# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sglang_ray import packages, probe


def test_a_whole_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    jar = tmp_path / "jars" / "ray_dist.jar"
    jar.parent.mkdir()
    jar.touch()
    versions = {"ray": "2.60.0", "sglang": "0.5.23", "sglang-router": "0.3.2", "smg": "1.13.0", "torch": "2.14.1"}
    monkeypatch.setattr(packages, "version", versions.get)
    monkeypatch.setattr(packages, "folder", lambda *_: str(tmp_path))
    found = probe.probe()
    assert (found["ray"], found["sglang"], found["sglang_router"]) == ("2.60.0", "0.5.23", "0.3.2")
    assert found["smg"] == "1.13.0"
    assert found["ray_jar"] == str(jar)
    assert found["executable"] == sys.executable
    assert found["ok"]
    jar.unlink()
    assert probe.probe()["problems"] == [
        {"about": "ray", "problem": "ray 2.60.0 has no Java runtime (jars/ray_dist.jar is missing)"}
    ]


@pytest.mark.parametrize("router", packages.ROUTERS)
def test_either_router_is_enough(monkeypatch: pytest.MonkeyPatch, router: str) -> None:
    monkeypatch.setattr(packages, "version", {"sglang": "0.5.23", router: "1"}.get)
    assert [problem["about"] for problem in probe.probe()["problems"]] == []
    assert packages.router() == router


def test_tells_whether_the_server_in_rust_serves_decoders_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(packages, "folder", lambda *_: str(tmp_path))
    assert not probe.probe()["rust_bootstrap"]  # before 0.5.12 there is no such file
    hook = tmp_path / "srt" / "arg_groups" / "pd_disaggregation_hook.py"
    hook.parent.mkdir(parents=True)
    hook.write_text("def handle(): ...\n", encoding="utf-8")
    assert not probe.probe()["rust_bootstrap"]
    hook.write_text("if envs.SGLANG_RUST_SERVER.get(): ...\n", encoding="utf-8")
    assert probe.probe()["rust_bootstrap"]


def test_a_python_without_sglang_is_not_ok(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "version", lambda _: None)
    monkeypatch.setattr(packages, "folder", lambda *_: None)
    found = probe.probe()
    assert not found["ok"]
    assert [problem["about"] for problem in found["problems"]] == ["sglang", "sglang_router"]
    assert found["problems"][1]["problem"] == f"neither sglang-router nor smg is installed in {sys.executable}"
    assert (found["ray"], found["ray_jar"]) == (None, None)


def test_imports_nothing_heavy() -> None:
    script = (
        "import sys, sglang_ray.probe as p; p.probe()\n"
        "print([m for m in ('torch', 'ray', 'sglang', 'sglang_router', 'smg') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_as_a_program() -> None:
    done = subprocess.run([sys.executable, "-m", "sglang_ray.probe"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["probe_version"] == 1


@pytest.mark.sglang
def test_the_prepared_environment_is_ok() -> None:
    found = probe.probe()
    assert found["ok"]
    assert Path(found["ray_jar"]).is_file()
