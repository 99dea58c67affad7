# SPDX-License-Identifier: Apache-2.0
"""What changes when SGLang serves without an accelerator. Every change to a given value is told, with its reason."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, MutableMapping
from pathlib import Path
from typing import Any

from sglang_ray.environment import prepend_python_path

#: Tokens of key-value cache where the configuration does not say: without a limit it takes most of the memory and 40 s.
DEFAULT_MAX_TOTAL_TOKENS = 32768
#: The only attention code that runs on any processor.
ATTENTION_BACKEND = "torch_native"

Say = Callable[[str], None]

_NEEDS_ACCELERATOR = "needs an accelerator"
# Field -> (value that serves on a CPU, why). A given value that is neither this nor the default is replaced.
_REPLACED: dict[str, tuple[Any, str]] = {
    "attention_backend": (ATTENTION_BACKEND, _NEEDS_ACCELERATOR),
    "prefill_attention_backend": (None, _NEEDS_ACCELERATOR),
    "decode_attention_backend": (None, _NEEDS_ACCELERATOR),
    "mm_attention_backend": (None, _NEEDS_ACCELERATOR),
    "sampling_backend": ("pytorch", _NEEDS_ACCELERATOR),
    "enable_memory_saver": (False, "saves memory of an accelerator only"),
    "enable_weights_cpu_backup": (False, "belongs to enable_memory_saver"),
    "enable_torch_compile": (False, "not tried without an accelerator"),
    "disable_overlap_schedule": (True, "overlap needs an accelerator's streams"),
    "disable_custom_all_reduce": (True, _NEEDS_ACCELERATOR),
    "enable_flashinfer_allreduce_fusion": (False, _NEEDS_ACCELERATOR),
    "kv_cache_dtype": ("auto", _NEEDS_ACCELERATOR),
    "cuda_graph_config": (None, "there are no CUDA graphs"),
    "cuda_graph_max_bs": (None, "there are no CUDA graphs"),
    "cuda_graph_bs": (None, "there are no CUDA graphs"),
}
_KEPT: dict[str, tuple[Any, ...]] = {
    "attention_backend": (ATTENTION_BACKEND, "intel_amx"),
    "prefill_attention_backend": (ATTENTION_BACKEND,),
    "decode_attention_backend": (ATTENTION_BACKEND,),
    "mm_attention_backend": ("sdpa",),
    "kv_cache_dtype": ("bf16", "bfloat16"),
}
# Set where the configuration is silent.
_DEFAULTS: dict[str, Any] = {
    "max_total_tokens": DEFAULT_MAX_TOTAL_TOKENS,
    "skip_server_warmup": True,
    "attention_backend": ATTENTION_BACKEND,
    "sampling_backend": "pytorch",
    "disable_overlap_schedule": True,
}


def has_own_cpu_engine(env: MutableMapping[str, str]) -> bool:
    """Whether SGLang was built with its kernels for processors: then nothing needs to be adapted."""
    return env.get("SGLANG_USE_CPU_ENGINE", "").strip().lower() in ("1", "true", "yes")


def prepare(env: MutableMapping[str, str]) -> None:
    """Brings the plugin that SGLang needs without an accelerator into this process and those that it spawns."""
    folder = str(Path(__file__).resolve().parent / "cpu_site")
    prepend_python_path(env, folder)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    env["CUDA_VISIBLE_DEVICES"] = ""
    env.setdefault("OMP_NUM_THREADS", str(max(1, len(os.sched_getaffinity(0)))))


def adapt(given: dict[str, Any], fields: Collection[str], say: Say) -> dict[str, Any]:
    """The arguments, with what only an accelerator can do replaced; fields unknown to this SGLang are not set."""
    adapted = dict(given)
    if given.get("device") not in (None, "cpu"):
        say(f"device {given['device']!r} -> 'cpu' (no accelerator is visible)")
    adapted["device"] = "cpu"
    for name, (value, why) in _REPLACED.items():
        current = given.get(name)
        if name in fields and current not in (None, value) and current not in _KEPT.get(name, ()):
            say(f"{name} {current!r} -> {value!r} ({why})")
            adapted[name] = value
    for name, value in _DEFAULTS.items():
        if name in fields and adapted.get(name) is None:
            adapted[name] = value
    return adapted
