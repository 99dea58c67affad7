# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from sglang_ray import environment


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_proxies_go_and_localhost_is_excepted() -> None:
    env = {"http_proxy": "p", "HTTPS_PROXY": "p", "ALL_PROXY": "p", "NO_PROXY": "corp,localhost", "HOME": "/h"}
    environment.strip_proxies(env)
    assert env == {
        "HOME": "/h",
        "NO_PROXY": "corp,localhost,127.0.0.1,::1",
        "no_proxy": "corp,localhost,127.0.0.1,::1",
    }


def test_engine_settings_respect_what_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "bundled_cuda_runtime", lambda: "/site/nvidia/lib")
    env = {"FLASHINFER_DISABLE_VERSION_CHECK": "0", "LD_LIBRARY_PATH": "/a:/site/nvidia/lib::/b"}
    env["SGLANG_PYSPY_DUMP_BEFORE_CRASH"] = "1"
    environment.prepare_engine(env)
    assert (env["SGLANG_CUDA_COREDUMP_BEFORE_CRASH"], env["SGLANG_PYSPY_DUMP_BEFORE_CRASH"]) == ("0", "1")
    assert env["FLASHINFER_DISABLE_VERSION_CHECK"] == "0"
    assert env["LD_LIBRARY_PATH"] == "/site/nvidia/lib:/a:/b"


def test_without_a_bundled_runtime_the_library_path_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "bundled_cuda_runtime", lambda: None)
    env: dict[str, str] = {}
    environment.prepare_engine(env)
    assert env["FLASHINFER_DISABLE_VERSION_CHECK"] == "1"
    assert "LD_LIBRARY_PATH" not in env


@pytest.mark.sglang
def test_the_runtime_that_came_with_torch_is_found() -> None:
    found = environment.bundled_cuda_runtime()
    assert found is not None
    assert found.endswith("lib")


def test_what_torch_compiles_is_kept_in_the_users_home(home: Path) -> None:
    env: dict[str, str] = {}
    environment.prepare_engine(env)
    assert env["TORCHINDUCTOR_CACHE_DIR"] == f"{home}/.cache/sglang/inductor"
    env = {"SGLANG_CACHE_DIR": f"{home}/cache"}
    environment.prepare_engine(env)
    assert env["TORCHINDUCTOR_CACHE_DIR"] == f"{home}/cache/inductor"
    env["TORCHINDUCTOR_CACHE_DIR"] = "/chosen"
    environment.prepare_engine(env)
    assert env["TORCHINDUCTOR_CACHE_DIR"] == "/chosen"


def test_a_folder_that_others_may_write_is_not_for_what_is_executed(home: Path) -> None:
    folder = home / ".cache/sglang/inductor"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    env: dict[str, str] = {}
    environment.prepare_engine(env)
    assert "TORCHINDUCTOR_CACHE_DIR" not in env


def test_where_the_home_takes_no_folder_torch_decides(home: Path) -> None:
    (home / ".cache").write_text("")
    env: dict[str, str] = {}
    environment.prepare_engine(env)
    assert "TORCHINDUCTOR_CACHE_DIR" not in env


def test_python_path() -> None:
    env = {"PYTHONPATH": "/a:/x"}
    environment.prepend_python_path(env, "/x")
    assert env["PYTHONPATH"] == "/x:/a"
