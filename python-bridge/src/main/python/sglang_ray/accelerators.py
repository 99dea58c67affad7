# SPDX-License-Identifier: Apache-2.0
"""Which accelerators this process can see, without importing a machine-learning library."""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any, NamedTuple

from sglang_ray.errors import EXIT_FAILED, BridgeError

#: What is seen, whatever there is: ``cpu`` means none and asks for a server on the processor; any other name means that
#: an accelerator of this kind is there.
DEVICE_VARIABLE = "SGLANG_RAY_DEVICE"


class Kind(NamedTuple):
    """One kind of accelerator, by SGLang's name for it where it has one."""

    name: str
    files: str  # its device files, or what the driver shows of each
    variables: tuple[str, ...]  # by which a parent process narrows what is visible
    vendor: str = ""  # where others have such files too: the PCI vendor, and the folder below /sys/class of the files
    sysfs: str = ""


# A container's variables (NVIDIA_VISIBLE_DEVICES) count the host's devices; the device files in the container follow
# them already.
_KINDS = (
    Kind("cuda", "/dev/nvidia[0-9]*", ("CUDA_VISIBLE_DEVICES",)),
    Kind("rocm", "/sys/class/kfd/kfd/topology/nodes/*/gpu_id", ("HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")),
    Kind("npu", "/dev/davinci[0-9]*", ("ASCEND_RT_VISIBLE_DEVICES",)),
    Kind("hpu", "/dev/accel/accel[0-9]*", ("HABANA_VISIBLE_MODULES",), "0x1da3", "accel"),
    Kind("musa", "/dev/mtgpu*[0-9]", ("MUSA_VISIBLE_DEVICES",)),
    Kind("kunlun", "/dev/xpu[0-9]*", ("XPU_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES")),
    Kind("xpu", "/dev/dri/renderD[0-9]*", ("ZE_AFFINITY_MASK", "ONEAPI_DEVICE_SELECTOR"), "0x8086", "drm"),
)
#: Most of this kind are the graphics of a processor: one counts where a variable or an argument names it.
_ONLY_WHEN_NAMED = "xpu"


def visible(env: Mapping[str, str] | None = None, root: str = "/", device: str | None = None) -> dict[str, Any]:
    """Kind and number of the visible accelerators: ``{"kind": "cuda"|…|None, "count": N, "source": …}``.

    ``device`` is the one that an engine's arguments name, if any.
    """
    environment = os.environ if env is None else env
    forced = environment.get(DEVICE_VARIABLE, "").strip().lower()
    if forced == "cpu":
        return {"kind": None, "count": 0, "source": f"{DEVICE_VARIABLE}=cpu"}
    hidden = None
    for kind in _KINDS:
        named = kind.name == device or any(environment.get(variable) for variable in kind.variables)
        present = 0 if kind.name == _ONLY_WHEN_NAMED and not named else _present(kind, root)
        if present == 0:
            continue
        count, source = _narrow(present, kind.variables, environment)
        if count > 0:
            return {"kind": kind.name, "count": count, "source": source}
        hidden = hidden or f"{source} hides {present} of kind {kind.name}"
    if forced:
        return {"kind": forced, "count": 1, "source": f"{DEVICE_VARIABLE}={forced}"}
    return {"kind": None, "count": 0, "source": hidden or "no device files"}


def require(env: Mapping[str, str], device: str | None = None, root: str = "/") -> None:
    """Raises an error with exit code 1 unless there is an accelerator, and each that the environment names."""
    if env.get(DEVICE_VARIABLE, "").strip():
        return
    found = visible(env, root, device)
    if found["kind"] is None:
        raise BridgeError(
            f"no accelerator is visible to this engine ({found['source']}), and it is not started on the processor "
            f"instead: give it one, or ask for the processor with 'device: cpu' or {DEVICE_VARIABLE}=cpu in env_vars "
            f"(the variable with another name vouches for an accelerator whose kind is not known here)",
            EXIT_FAILED,
        )
    variable, _, value = found["source"].partition("=")
    names = _names(value)
    if len(names) > found["count"]:
        raise BridgeError(
            f"{variable}={value} names {len(names)} accelerators, but {found['count']} of them can be used "
            f"({names[found['count']]} is not on this machine): the node and the plan do not agree",
            EXIT_FAILED,
        )


def _present(kind: Kind, root: str) -> int:
    found = glob.glob(os.path.join(root, kind.files.lstrip("/")))
    if kind.name == "rocm":  # processors are listed there too, with identifier 0
        found = [path for path in found if _read(path) not in ("", "0")]
    elif kind.name == "cuda":
        found = [path for path in found if re.fullmatch(r"nvidia\d+", os.path.basename(path))]
        if not found and os.path.exists(os.path.join(root, "dev/dxg")):
            return len(nvidia_smi())  # Windows Subsystem for Linux has no device file per GPU
    elif kind.vendor:
        folder = os.path.join(root, "sys/class", kind.sysfs)
        found = [
            path
            for path in found
            if _read(os.path.join(folder, os.path.basename(path), "device/vendor")) == kind.vendor
        ]
    return len(found)


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def _narrow(present: int, variables: tuple[str, ...], env: Mapping[str, str]) -> tuple[int, str]:
    for variable in variables:
        value = env.get(variable)
        if value is None or value.strip().lower() == "all":
            continue
        names = _names(value)
        if not names or names[0].lower() in ("-1", "none", "void", "nodevfiles"):
            return 0, f"{variable}={value}"
        count = 0
        for name in names:  # the driver stops at the first one that does not exist
            if name.lstrip("-").isdigit() and not 0 <= int(name) < present:
                break
            count += 1
        return count, f"{variable}={value}"
    return present, "device files"


def _names(value: str) -> list[str]:
    """Of a variable's value; oneAPI puts the backend before them (``level_zero:0,1``)."""
    return [name.strip() for name in value.rpartition(":")[2].split(",") if name.strip()]


def nvidia_smi(timeout_s: float = 10.0) -> list[dict[str, Any]]:
    """Index, name and memory (MiB) of every NVIDIA GPU that the driver reports; empty without the tool."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    query = [tool, "--query-gpu=index,name,memory.total", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=timeout_s, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [[part.strip() for part in line.split(",")] for line in done.stdout.splitlines()]
    return [
        {"index": int(row[0]), "name": row[1], "memory_mib": int(row[2]) if row[2].isdigit() else None}
        for row in rows
        if len(row) == 3 and row[0].isdigit()
    ]
