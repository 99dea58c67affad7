# SPDX-License-Identifier: Apache-2.0
"""What changes when SGLang serves without an accelerator. Every change to a given value is logged, with its reason."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, MutableMapping
from pathlib import Path
from typing import Any

from sglang_ray import accelerators
from sglang_ray.environment import prepend_python_path

#: Tokens of key-value cache where the configuration does not say: without a limit it takes most of the memory and 40 s.
DEFAULT_MAX_TOTAL_TOKENS = 32768
#: The only attention code that runs on any processor.
ATTENTION_BACKEND = "torch_native"

Say = Callable[[str], None]

_KERNELS = "its kernels need an accelerator"
_GRAPHS = "CUDA graphs need an accelerator"
_RANKS = "without accelerators SGLang runs one rank on a node"
_MEMORY = "it moves memory of an accelerator"

# Field -> (value that serves on a CPU, why). A given value that is neither this nor kept below is replaced.
_REPLACED: dict[str, tuple[Any, str]] = {
    "attention_backend": (ATTENTION_BACKEND, _KERNELS),
    "prefill_attention_backend": (None, _KERNELS),
    "decode_attention_backend": (None, _KERNELS),
    "mm_attention_backend": (None, _KERNELS),
    "sampling_backend": ("pytorch", _KERNELS),
    "kv_cache_dtype": ("auto", _KERNELS),
    "quantization": (None, _KERNELS),
    "moe_runner_backend": ("auto", _KERNELS),
    "moe_a2a_backend": ("none", _KERNELS),
    "fp8_gemm_runner_backend": ("auto", _KERNELS),
    "speculative_algorithm": (None, _KERNELS),
    "enable_torch_compile": (False, _KERNELS),
    "enable_deterministic_inference": (False, _KERNELS),
    "enable_flashinfer_allreduce_fusion": (False, _KERNELS),
    "enable_two_batch_overlap": (False, "overlap needs streams of an accelerator"),
    "enable_single_batch_overlap": (False, "overlap needs streams of an accelerator"),
    "disable_overlap_schedule": (True, "overlap needs streams of an accelerator"),
    "enable_memory_saver": (False, _MEMORY),
    "enable_weights_cpu_backup": (False, _MEMORY),
    "enable_hierarchical_cache": (False, _MEMORY),
    "cpu_offload_gb": (0, _MEMORY),
    "tp_size": (1, _RANKS),
    "pp_size": (1, _RANKS),
    "dp_size": (1, _RANKS),
    "ep_size": (1, _RANKS),
    "attn_dp_size": (None, _RANKS),
    "enable_dp_attention": (False, _RANKS),
    "enable_nccl_nvls": (False, _RANKS),
    "enable_symm_mem": (False, _RANKS),
    "enable_mscclpp": (False, _RANKS),
    "cuda_graph_config": (None, _GRAPHS),
    "cuda_graph_max_bs": (None, _GRAPHS),
    "cuda_graph_bs": (None, _GRAPHS),
    "cuda_graph_max_bs_decode": (None, _GRAPHS),
    "cuda_graph_max_bs_prefill": (None, _GRAPHS),
    "cuda_graph_bs_decode": (None, _GRAPHS),
    "cuda_graph_bs_prefill": (None, _GRAPHS),
    "cuda_graph_backend_decode": (None, _GRAPHS),
    "cuda_graph_backend_prefill": (None, _GRAPHS),
}
_KEPT: dict[str, tuple[Any, ...]] = {
    "prefill_attention_backend": (ATTENTION_BACKEND,),
    "decode_attention_backend": (ATTENTION_BACKEND,),
    "mm_attention_backend": ("sdpa",),
    "kv_cache_dtype": ("bf16", "bfloat16"),
    "cuda_graph_backend_decode": ("disabled",),
    "cuda_graph_backend_prefill": ("disabled",),
}
# Kept where an engine spans nodes: each part is a rank.
_OF_PARTS = ("tp_size", "pp_size")
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


def spread(env: MutableMapping[str, str], arguments: dict[str, Any]) -> None:
    """What the parts of an engine that spans nodes need; nothing for one on one node."""
    if not _spans_nodes(arguments):
        return
    # Else SGLang takes NCCL, which has no processors, wherever its library is installed.
    env.setdefault("SGLANG_NCCL_SO_PATH", os.devnull)
    # Else SGLang wants a NUMA node for each rank of the whole engine.
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))))
    ranks = int(arguments.get("tp_size") or 1) * int(arguments.get("pp_size") or 1)
    env.setdefault("SGLANG_CPU_OMP_THREADS_BIND", "|".join([cores] * ranks))


def _spans_nodes(arguments: dict[str, Any]) -> bool:
    return int(arguments.get("nnodes") or 1) > 1


def adapt(given: dict[str, Any], fields: Collection[str], say: Say) -> dict[str, Any]:
    """The arguments, with what only an accelerator can do replaced; fields unknown to this SGLang are not set."""
    adapted = dict(given)
    if given.get("device") not in (None, "cpu"):
        say(f"device {given['device']!r} -> 'cpu' ({accelerators.DEVICE_VARIABLE}=cpu)")
    adapted["device"] = "cpu"
    for name, (value, why) in _REPLACED.items():
        if name in _OF_PARTS and _spans_nodes(given):
            continue
        current = given.get(name)
        if name in fields and current not in (None, value) and current not in _KEPT.get(name, ()):
            say(f"{name} {current!r} -> {value!r} ({why})")
            adapted[name] = value
    for name, value in _DEFAULTS.items():
        if name in fields and adapted.get(name) is None:
            adapted[name] = value
    return adapted
