# SPDX-License-Identifier: Apache-2.0
"""Accelerators are found by their device files, in a made-up file system."""

from __future__ import annotations

from pathlib import Path

import pytest

from sglang_ray import accelerators


def machine(root: Path, *files: str) -> str:
    for file in files:
        name, _, content = file.partition("=")
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return str(root)


@pytest.mark.parametrize(
    ("env", "kind", "count"),
    [
        ({}, "cuda", 2),
        ({"CUDA_VISIBLE_DEVICES": "1"}, "cuda", 1),
        ({"CUDA_VISIBLE_DEVICES": "0,1"}, "cuda", 2),
        ({"CUDA_VISIBLE_DEVICES": "0,7,1"}, "cuda", 1),
        ({"CUDA_VISIBLE_DEVICES": "GPU-8932f937"}, "cuda", 1),
        ({"CUDA_VISIBLE_DEVICES": ""}, None, 0),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, None, 0),
        ({"NVIDIA_VISIBLE_DEVICES": "6,7"}, "cuda", 2),
        ({"SGLANG_RAY_DEVICE": "cpu"}, None, 0),
    ],
)
def test_nvidia(tmp_path: Path, env: dict[str, str], kind: str | None, count: int) -> None:
    root = machine(tmp_path, "dev/nvidia0", "dev/nvidia1", "dev/nvidiactl", "dev/nvidia-uvm")
    found = accelerators.visible(env, root)
    assert (found["kind"], found["count"]) == (kind, count)


def test_amd_does_not_count_processors(tmp_path: Path) -> None:
    nodes = "sys/class/kfd/kfd/topology/nodes"
    root = machine(tmp_path, f"{nodes}/0/gpu_id=0\n", f"{nodes}/1/gpu_id=4242\n", f"{nodes}/2/gpu_id=4243\n")
    assert accelerators.visible({}, root)["count"] == 2
    assert accelerators.visible({"HIP_VISIBLE_DEVICES": "0"}, root) == {
        "kind": "rocm",
        "count": 1,
        "source": "HIP_VISIBLE_DEVICES=0",
    }


def test_ascend(tmp_path: Path) -> None:
    root = machine(tmp_path, "dev/davinci0", "dev/davinci_manager")
    assert accelerators.visible({}, root)["kind"] == "npu"
    assert accelerators.visible({}, root)["count"] == 1


def test_none_and_forced(tmp_path: Path) -> None:
    assert accelerators.visible({}, str(tmp_path)) == {"kind": None, "count": 0, "source": "no device files"}
    assert accelerators.visible({"SGLANG_RAY_DEVICE": "xpu"}, str(tmp_path))["kind"] == "xpu"


def test_nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert accelerators.nvidia_smi() == []
    tool.write_text("#!/bin/sh\necho '0, NVIDIA H100 80GB HBM3, 81559'\necho '1, NVIDIA Thing, [N/A]'\n")
    tool.chmod(0o755)
    assert accelerators.nvidia_smi() == [
        {"index": 0, "name": "NVIDIA H100 80GB HBM3", "memory_mib": 81559},
        {"index": 1, "name": "NVIDIA Thing", "memory_mib": None},
    ]
    tool.write_text("#!/bin/sh\nexit 9\n")
    assert accelerators.nvidia_smi() == []
