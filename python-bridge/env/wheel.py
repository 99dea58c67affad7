# SPDX-License-Identifier: Apache-2.0
"""Puts a whole distribution into the wheel: the jar, the start script, and what prepares Python environments.

Called by hatchling. ``SGLANG_RAY_DIST`` names the distribution; without it the wheel holds the Python side only, as
``pip install ./python-bridge`` wants it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Distribution(BuildHookInterface):  # type: ignore[misc]
    def initialize(self, _version: str, build_data: dict[str, Any]) -> None:
        named = os.environ.get("SGLANG_RAY_DIST")
        if not named:
            return
        folder = Path(named).absolute()
        if not (folder / "sglang-ray.jar").is_file():
            raise FileNotFoundError(f"SGLANG_RAY_DIST={named} holds no sglang-ray.jar")
        build_data["force_include"][str(folder)] = "sglang_ray/dist"
