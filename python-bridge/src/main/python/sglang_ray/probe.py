# SPDX-License-Identifier: Apache-2.0
"""``python -m sglang_ray.probe``: what this Python offers, as one JSON object. Imports nothing heavy."""

from __future__ import annotations

import json
import os
import platform
import sys
from typing import Any

from sglang_ray import __version__, accelerators, packages


def probe() -> dict[str, Any]:
    """The environment; ``ok`` is false when an engine or router cannot be started, ``problems`` says why."""
    ray, sglang, router, smg = (packages.version(name) for name in ("ray", "sglang", "sglang-router", "smg"))
    jar = _ray_jar()
    problems: list[dict[str, str]] = []
    if sys.platform != "linux":
        problems.append({"about": "platform", "problem": f"{sys.platform} is not supported; Linux is"})
    if sglang is None:
        problems.append({"about": "sglang", "problem": f"sglang is not installed in {sys.executable}"})
    if packages.router() is None:
        problem = f"neither {' nor '.join(packages.ROUTERS)} is installed in {sys.executable}"
        problems.append({"about": "sglang_router", "problem": problem})
    if ray is not None and jar is None:
        problems.append({"about": "ray", "problem": f"ray {ray} has no Java runtime (jars/ray_dist.jar is missing)"})
    return {
        "probe_version": 1,
        "sglang_ray": __version__,
        "executable": sys.executable,
        "prefix": sys.prefix,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": {"system": sys.platform, "machine": platform.machine(), "cpus": os.cpu_count()},
        "ray": ray,
        "ray_jar": jar,
        "sglang": sglang,
        "sglang_router": router,
        "smg": smg,
        "rust_bootstrap": _rust_bootstrap(),
        "torch": packages.version("torch"),
        "diffusion_extra": packages.version("diffusers") is not None,
        "accelerators": {**accelerators.visible(), "nvidia": accelerators.nvidia_smi()},
        "ok": not problems,
        "problems": problems,
    }


def _rust_bootstrap() -> bool:
    """Whether SGLang's server in Rust serves a prefill engine's decoders on its own port, and refuses another one."""
    folder = packages.folder("sglang", "sglang")
    if folder is None:
        return False
    path = os.path.join(folder, "srt", "arg_groups", "pd_disaggregation_hook.py")  # since 0.5.17
    try:
        with open(path, encoding="utf-8") as file:
            return "SGLANG_RUST_SERVER" in file.read()
    except OSError:
        return False


def _ray_jar() -> str | None:
    folder = packages.folder("ray", "ray")
    path = os.path.join(folder, "jars", "ray_dist.jar") if folder else ""
    return path if os.path.isfile(path) else None


def main() -> int:
    json.dump(probe(), sys.stdout, indent=2)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
