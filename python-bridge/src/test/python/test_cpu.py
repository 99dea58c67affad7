# SPDX-License-Identifier: Apache-2.0
"""What is changed, and told, when there is no accelerator."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sglang_ray import cpu

FIELDS = {
    "attention_backend",
    "device",
    "disable_overlap_schedule",
    "enable_memory_saver",
    "kv_cache_dtype",
    "max_total_tokens",
    "sampling_backend",
    "skip_server_warmup",
    "tp_size",
}
SITE = Path(cpu.__file__).parent / "cpu_site"


def adapt(given: dict[str, Any], fields: set[str] = FIELDS) -> tuple[dict[str, Any], list[str]]:
    told: list[str] = []
    return cpu.adapt(given, fields, told.append), told


def test_silence_becomes_what_serves_on_a_cpu_without_a_word() -> None:
    adapted, told = adapt({"model_path": "m"})
    assert adapted == {
        "model_path": "m",
        "device": "cpu",
        "attention_backend": "torch_native",
        "sampling_backend": "pytorch",
        "disable_overlap_schedule": True,
        "max_total_tokens": 32768,
        "skip_server_warmup": True,
    }
    assert told == []


def test_what_needs_an_accelerator_is_replaced_and_told() -> None:
    given = {
        "attention_backend": "triton",
        "enable_memory_saver": True,
        "kv_cache_dtype": "fp8_e4m3",
        "device": "cuda",
        "mem_fraction_static": 0.85,
        "tp_size": 2,
    }
    adapted, told = adapt(given)
    assert adapted["attention_backend"] == "torch_native"
    assert adapted["enable_memory_saver"] is False
    assert adapted["kv_cache_dtype"] == "auto"
    assert adapted["device"] == "cpu"
    assert adapted["mem_fraction_static"] == 0.85
    assert sorted(told) == [
        "attention_backend 'triton' -> 'torch_native' (its kernels need an accelerator)",
        "device 'cuda' -> 'cpu' (SGLANG_RAY_DEVICE=cpu)",
        "enable_memory_saver True -> False (it moves memory of an accelerator)",
        "kv_cache_dtype 'fp8_e4m3' -> 'auto' (its kernels need an accelerator)",
        "tp_size 2 -> 1 (without accelerators SGLang runs one rank on a node)",
    ]


def test_what_serves_on_a_cpu_is_kept() -> None:
    given = {"attention_backend": "torch_native", "max_total_tokens": 99, "skip_server_warmup": False, "device": "cpu"}
    adapted, told = adapt(given)
    assert {key: adapted[key] for key in given} == given
    assert told == []


def test_an_engine_that_spans_nodes_keeps_its_ranks() -> None:
    fields = FIELDS | {"nnodes", "pp_size"}
    given = {"tp_size": 2, "pp_size": 2, "nnodes": 4}
    adapted, told = adapt(given, fields)
    assert {key: adapted[key] for key in given} == given
    assert told == []

    env: dict[str, str] = {}
    cpu.spread(env, adapted)
    assert env["SGLANG_NCCL_SO_PATH"] == "/dev/null"
    binding = env["SGLANG_CPU_OMP_THREADS_BIND"].split("|")
    assert len(binding) == 4
    assert {int(core) for core in binding[3].split(",")} == os.sched_getaffinity(0)


def test_an_engine_on_one_node_needs_nothing_more() -> None:
    env: dict[str, str] = {}
    cpu.spread(env, {"tp_size": 1, "nnodes": 1})
    assert env == {}


def test_the_callers_arguments_are_not_changed_in_place() -> None:
    given = {"attention_backend": "triton"}
    adapt(given)
    assert given == {"attention_backend": "triton"}


def test_fields_that_this_sglang_does_not_have_are_not_set() -> None:
    assert adapt({}, {"device", "max_total_tokens"})[0] == {"device": "cpu", "max_total_tokens": 32768}


def test_an_sglang_built_for_processors_is_left_alone() -> None:
    assert cpu.has_own_cpu_engine({"SGLANG_USE_CPU_ENGINE": "1"})
    assert not cpu.has_own_cpu_engine({"SGLANG_USE_CPU_ENGINE": "0"})
    assert not cpu.has_own_cpu_engine({})


def test_the_plugin_is_found_through_its_entry_point_in_a_spawned_process(monkeypatch: pytest.MonkeyPatch) -> None:
    env = {"PYTHONPATH": "/somewhere"}
    monkeypatch.setattr(sys, "path", list(sys.path))
    cpu.prepare(env)
    assert env["PYTHONPATH"] == f"{SITE}:/somewhere"
    assert env["CUDA_VISIBLE_DEVICES"] == ""
    assert [e.value for e in importlib.metadata.entry_points(group="sglang.srt.plugins") if e.name == "sglang_ray_cpu"]
    script = (
        "from importlib.metadata import entry_points as e\n"
        "[p.load()() for p in e(group='sglang.srt.plugins') if p.name == 'sglang_ray_cpu']\n"
        "from vllm._custom_ops import rotary_embedding, rms_norm, fused_add_rms_norm\n"
        "try: rms_norm(1)\n"
        "except NotImplementedError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("vllm._custom_ops.rms_norm was called")


def test_the_real_vllm_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "vllm").mkdir()
    (tmp_path / "vllm" / "__init__.py").write_text("real = True\n")
    script = "import sglang_ray_cpu_plugin as p; p.register(); import vllm; print(vllm.real)"
    env = {"PYTHONPATH": f"{SITE}:{tmp_path}"}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
