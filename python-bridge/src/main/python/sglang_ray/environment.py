# SPDX-License-Identifier: Apache-2.0
"""What a server's environment must and must not contain, as RLinf's launcher arranges it."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import MutableMapping

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_LOCAL = "127.0.0.1,localhost,::1"


def strip_proxies(env: MutableMapping[str, str]) -> None:
    """Traffic between router, engines and their own processes must never go through a proxy (as in RLinf)."""
    for name in _PROXIES:
        env.pop(name, None)
    current = env.get("NO_PROXY") or env.get("no_proxy") or ""
    parts = [part.strip() for part in current.split(",") if part.strip()]
    for host in _LOCAL.split(","):
        if host not in parts:
            parts.append(host)
    env["NO_PROXY"] = env["no_proxy"] = ",".join(parts)


def prepare_engine(env: MutableMapping[str, str]) -> None:
    """Settings that SGLang reads from its environment (as in RLinf)."""
    strip_proxies(env)
    env.setdefault("FLASHINFER_DISABLE_VERSION_CHECK", "1")
    # When one process of an engine dies, SGLang keeps the others for a minute to write dumps of them.
    for dump in ("SGLANG_CUDA_COREDUMP_BEFORE_CRASH", "SGLANG_PYSPY_DUMP_BEFORE_CRASH"):
        env.setdefault(dump, "0")
    keep_compiled(env)
    # A preloaded hook (enable_memory_saver) has no library path of its own and would find the system's CUDA runtime,
    # which may be older than the one that torch brings; the variable is searched before the system's cache.
    bundled = bundled_cuda_runtime()
    if bundled is not None:
        others = [p for p in env.get("LD_LIBRARY_PATH", "").split(os.pathsep) if p and p != bundled]
        env["LD_LIBRARY_PATH"] = os.pathsep.join([bundled, *others])


def keep_compiled(env: MutableMapping[str, str]) -> None:
    """What torch compiles stays, and stays the user's, as in newer SGLang.

    By itself torch puts it into the folder for temporary files, which may be a job's own, in a folder of a known name,
    which another user may have made before. What is there is executed.
    """
    base = os.path.expanduser(env.get("SGLANG_CACHE_DIR") or "~/.cache/sglang")
    folder = os.path.join(base, "inductor")
    if "TORCHINDUCTOR_CACHE_DIR" in env or not os.path.isabs(folder):
        return
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        stat = os.stat(folder)
    except OSError:
        return
    if stat.st_uid == os.geteuid() and not stat.st_mode & 0o022:
        env["TORCHINDUCTOR_CACHE_DIR"] = folder


def bundled_cuda_runtime() -> str | None:
    """The folder of the CUDA runtime that was installed with torch, or None."""
    candidates = ["nvidia/cuda_runtime/lib"]  # CUDA 12 and earlier
    candidates += [f"nvidia/cu{major}/lib" for major in range(13, 20)]
    for name in ("torch", "nvidia-cuda-runtime", "nvidia-cuda-runtime-cu12"):
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        for candidate in candidates:
            path = str(distribution.locate_file(candidate))
            if os.path.isdir(path) and any(file.startswith("libcudart.so") for file in os.listdir(path)):
                return path
    return None


def prepend_python_path(env: MutableMapping[str, str], folder: str) -> None:
    """Makes a folder importable in every Python started from this environment."""
    others = [path for path in env.get("PYTHONPATH", "").split(os.pathsep) if path and path != folder]
    env["PYTHONPATH"] = os.pathsep.join([folder, *others])
