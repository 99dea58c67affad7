# SPDX-License-Identifier: Apache-2.0
"""Which accelerators this process can see, without importing a machine-learning library."""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

#: Forces what is seen: ``cpu`` means none; any other name means that an accelerator of this kind is there.
DEVICE_VARIABLE = "SGLANG_RAY_DEVICE"

# Device files by kind, with the variables by which a parent process narrows what is visible. A container's variables
# (NVIDIA_VISIBLE_DEVICES) count the host's devices; the device files in the container follow them already.
_KINDS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("cuda", "/dev/nvidia[0-9]*", ("CUDA_VISIBLE_DEVICES",)),
    ("rocm", "/sys/class/kfd/kfd/topology/nodes/*/gpu_id", ("HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")),
    ("npu", "/dev/davinci[0-9]*", ("ASCEND_RT_VISIBLE_DEVICES",)),
    ("hpu", "/dev/accel/accel[0-9]*", ("HABANA_VISIBLE_MODULES",)),
)


def visible(env: Mapping[str, str] | None = None, root: str = "/") -> dict[str, Any]:
    """Kind and number of the visible accelerators: ``{"kind": "cuda"|…|None, "count": N, "source": …}``."""
    environment = os.environ if env is None else env
    forced = environment.get(DEVICE_VARIABLE, "").strip().lower()
    if forced == "cpu":
        return {"kind": None, "count": 0, "source": f"{DEVICE_VARIABLE}=cpu"}
    for kind, pattern, variables in _KINDS:
        present = _present(kind, pattern, root)
        if present == 0:
            continue
        count, source = _narrow(present, variables, environment)
        if count > 0:
            return {"kind": kind, "count": count, "source": source}
        return {"kind": None, "count": 0, "source": source}
    if forced:
        return {"kind": forced, "count": 1, "source": f"{DEVICE_VARIABLE}={forced}"}
    return {"kind": None, "count": 0, "source": "no device files"}


def _present(kind: str, pattern: str, root: str) -> int:
    found = glob.glob(os.path.join(root, pattern.lstrip("/")))
    if kind == "rocm":  # processors are listed there too, with identifier 0
        found = [path for path in found if _read(path) not in ("", "0")]
    elif kind == "cuda":
        found = [path for path in found if re.fullmatch(r"nvidia\d+", os.path.basename(path))]
        if not found and os.path.exists(os.path.join(root, "dev/dxg")):
            return len(nvidia_smi())  # Windows Subsystem for Linux has no device file per GPU
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
        names = [name.strip() for name in value.split(",") if name.strip()]
        if not names or names[0].lower() in ("-1", "none", "void", "nodevfiles"):
            return 0, f"{variable}={value}"
        count = 0
        for name in names:  # the driver stops at the first one that does not exist
            if name.lstrip("-").isdigit() and not 0 <= int(name) < present:
                break
            count += 1
        return count, f"{variable}={value}"
    return present, "device files"


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
