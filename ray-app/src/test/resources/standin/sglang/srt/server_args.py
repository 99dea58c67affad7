# SPDX-License-Identifier: Apache-2.0
"""As much of ServerArgs as tests set; the real package's own list is what configurations are checked against."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass
class ServerArgs:
    model_path: str
    host: str = "127.0.0.1"
    port: int = 30000
    dist_init_addr: str | None = None
    tp_size: int = 1
    pp_size: int = 1
    device: str | None = None
    api_key: str | None = None
    served_model_name: str | None = None
    log_level: str = "info"
    mem_fraction_static: float | None = None
    enable_memory_saver: bool = False
    weight_version: str = "default"
    load_format: str = "auto"
    max_running_requests: int | None = None
    enable_metrics: bool = False
    max_total_tokens: int | None = None
    attention_backend: str | None = None
    sampling_backend: str | None = None
    disable_overlap_schedule: bool = False
    skip_server_warmup: bool = False
    disaggregation_mode: str = "null"
    disaggregation_bootstrap_port: int = 8998
    disaggregation_transfer_backend: str = "mooncake"
    random_seed: int | None = None
    trust_remote_code: bool = False
    nnodes: int = 1
    node_rank: int = 0
    base_gpu_id: int = 0
    nccl_port: int | None = None
    extra: dict[str, Any] = dataclasses.field(default_factory=dict)
