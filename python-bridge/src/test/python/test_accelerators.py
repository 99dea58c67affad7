# SPDX-License-Identifier: Apache-2.0
"""Accelerators are found by their device files, in a made-up file system."""

from __future__ import annotations

from pathlib import Path

import pytest

from sglang_ray import accelerators
from sglang_ray.errors import BridgeError


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


def test_moore_threads_and_kunlun(tmp_path: Path) -> None:
    musa = machine(tmp_path / "musa", "dev/mtgpu.0", "dev/mtgpu.1")
    assert accelerators.visible({"MUSA_VISIBLE_DEVICES": "1"}, musa)["kind"] == "musa"
    kunlun = machine(tmp_path / "kunlun", "dev/xpu0", "dev/xpu1", "dev/xpuctrl")
    assert accelerators.visible({}, kunlun) == {"kind": "kunlun", "count": 2, "source": "device files"}
    assert accelerators.visible({"CUDA_VISIBLE_DEVICES": "0"}, kunlun)["count"] == 1


def test_a_gaudi_is_told_from_another_accelerator_with_such_files(tmp_path: Path) -> None:
    vendor = "sys/class/accel/accel0/device/vendor"
    gaudi = machine(tmp_path / "gaudi", "dev/accel/accel0", f"{vendor}=0x1da3\n")
    assert accelerators.visible({}, gaudi)["kind"] == "hpu"
    laptop = machine(tmp_path / "laptop", "dev/accel/accel0", f"{vendor}=0x8086\n")
    assert accelerators.visible({}, laptop)["kind"] is None


def test_an_intel_gpu_counts_where_it_is_named(tmp_path: Path) -> None:
    root = machine(
        tmp_path,
        *("dev/dri/renderD128", "dev/dri/renderD129"),
        *(f"sys/class/drm/renderD{n}/device/vendor=0x8086\n" for n in (128, 129)),
    )
    assert accelerators.visible({}, root)["kind"] is None
    assert accelerators.visible({"ONEAPI_DEVICE_SELECTOR": "level_zero:1"}, root)["count"] == 1
    assert accelerators.visible({"ZE_AFFINITY_MASK": "0,1"}, root) == {
        "kind": "xpu",
        "count": 2,
        "source": "ZE_AFFINITY_MASK=0,1",
    }
    assert accelerators.visible({}, root, "xpu")["count"] == 2


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"CUDA_VISIBLE_DEVICES": ""}, r"no accelerator is visible .*\(CUDA_VISIBLE_DEVICES= hides 2 of kind cuda\)"),
        ({"CUDA_VISIBLE_DEVICES": "0,7"}, "CUDA_VISIBLE_DEVICES=0,7 names 2 accelerators, but 1 of them .*7 is not on"),
        ({"CUDA_VISIBLE_DEVICES": "7"}, "no accelerator is visible"),
    ],
)
def test_what_an_engine_was_given_must_be_there(tmp_path: Path, env: dict[str, str], words: str) -> None:
    root = machine(tmp_path, "dev/nvidia0", "dev/nvidia1")
    with pytest.raises(BridgeError, match=words) as caught:
        accelerators.require(env, None, root)
    assert caught.value.exit_code == 1
    accelerators.require({"CUDA_VISIBLE_DEVICES": "1"}, None, root)
    accelerators.require({**env, "SGLANG_RAY_DEVICE": "cuda"}, None, root)


def test_an_engine_on_a_machine_without_any_is_refused(tmp_path: Path) -> None:
    for device in (None, "cuda", "xpu", "npu", "musa"):
        with pytest.raises(BridgeError, match="'device: cpu' or SGLANG_RAY_DEVICE=cpu"):
            accelerators.require({}, device, str(tmp_path))


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
