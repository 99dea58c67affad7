# SPDX-License-Identifier: Apache-2.0
"""Starts a Ray head that serves one program on one machine and ends with it.

``python -m sglang_ray.local_head [OPTIONS OF ray start]`` is ``ray start --head`` without what only a shared cluster
needs: the autoscaler's monitor, the server of Ray Client, the log monitor and the API server. That halves the processor
time and the memory of a head. Ray has no options for all of them, so the methods of its ``Node`` that start them are
replaced; a Ray in which a method is called something else just starts that part.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

SPARED = ("start_monitor", "start_ray_client_server", "start_log_monitor", "start_api_server")


def spare(node: type[Any]) -> list[str]:
    """Replaces the methods of Ray's class ``Node`` that start the spared parts; returns the names of those found."""
    found = [name for name in SPARED if callable(getattr(node, name, None))]
    for name in found:
        setattr(node, name, _start_nothing)
    return found


def _start_nothing(*_: object, **__: object) -> None:
    """Stands in for a method that starts a process."""


def main(arguments: list[str]) -> None:
    """Runs ``ray start --head`` with more options; returns or exits as that does."""
    spare(importlib.import_module("ray._private.node").Node)
    importlib.import_module("ray.scripts.scripts").cli(["start", "--head", *arguments], prog_name="ray")


if __name__ == "__main__":
    main(sys.argv[1:])
