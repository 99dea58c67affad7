# SPDX-License-Identifier: Apache-2.0
"""``python -m sglang.launch_server`` and the function behind it."""

from __future__ import annotations

from typing import Any

import stand_in_engine


def run_server(server_args: Any) -> None:
    stand_in_engine.serve(server_args.host, server_args.port, server_args.model_path)


if __name__ == "__main__":
    stand_in_engine.main()
