# SPDX-License-Identifier: Apache-2.0
"""The helper that callers of ``launch_server`` use to end what it started."""

from __future__ import annotations

import os
import signal


def kill_process_tree(parent_pid: int, include_parent: bool = True, skip_pid: int | None = None) -> None:
    with open(f"/proc/{parent_pid}/task/{parent_pid}/children", encoding="ascii") as file:
        children = [int(pid) for pid in file.read().split()]
    for pid in children:
        if pid != skip_pid:
            os.kill(pid, signal.SIGKILL)
    if include_parent:
        os.kill(parent_pid, signal.SIGKILL)
