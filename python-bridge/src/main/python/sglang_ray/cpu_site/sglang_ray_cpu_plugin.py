# SPDX-License-Identifier: Apache-2.0
"""An SGLang plugin for machines without an accelerator.

There SGLang imports three kernels from ``vllm._custom_ops`` that it then never calls (it runs the native torch code).
vLLM is no dependency of SGLang, so a stand-in is enough. SGLang loads its plugins in each process that it spawns, which
is why this is a plugin and not a line in the launcher. This folder comes on PYTHONPATH only when it is needed.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from typing import Any, NoReturn

#: What SGLang imports from ``vllm._custom_ops`` on this path.
KERNELS = ("rotary_embedding", "rms_norm", "fused_add_rms_norm")


def register() -> None:
    """Puts the stand-in into ``sys.modules``, unless the real vLLM is installed. Called by SGLang."""
    if "vllm" in sys.modules or importlib.util.find_spec("vllm") is not None:
        return
    package = types.ModuleType("vllm", "Stand-in of sglang-ray: SGLang on a CPU imports, but never calls, its kernels.")
    package.__path__ = []
    kernels = types.ModuleType("vllm._custom_ops", package.__doc__)
    for name in KERNELS:
        setattr(kernels, name, _refusing(name))
    setattr(package, "_custom_ops", kernels)  # noqa: B010 - a module has no such declared attribute
    sys.modules["vllm"] = package
    sys.modules["vllm._custom_ops"] = kernels


def _refusing(name: str) -> Any:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise NotImplementedError(
            f"vllm._custom_ops.{name} was called, but there is no vLLM: this needs an accelerator"
        )

    refuse.__name__ = name
    return refuse
