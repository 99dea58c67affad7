# SPDX-License-Identifier: Apache-2.0
"""As much of ServerArgs as a launch sets."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass
class ServerArgs:
    model_path: str
    host: str = "127.0.0.1"
    port: int = 30000
    dist_init_addr: str | None = None
    tp_size: int = 1
    pp_size: int = 1
    nnodes: int = 1
    node_rank: int = 0
    base_gpu_id: int = 0
    device: str | None = None
    log_level: str = "info"
    mem_fraction_static: float | None = None
    max_running_requests: int | None = None
    max_total_tokens: int | None = None
    attention_backend: str | None = None
    sampling_backend: str | None = None
    disable_overlap_schedule: bool = False
    skip_server_warmup: bool = False
