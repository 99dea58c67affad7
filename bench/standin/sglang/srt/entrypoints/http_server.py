# SPDX-License-Identifier: Apache-2.0
"""The entry that RLinf's launcher calls."""

from sglang.launch_server import run_server as launch_server

__all__ = ["launch_server"]
