# SPDX-License-Identifier: Apache-2.0
"""The Python side of sglang-ray: what runs next to, or as, an SGLang process, and what a Python trainer calls.

A trainer uses :func:`attach`, :func:`launch` and :func:`device_order`; the rest is for the Java side.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sglang_ray.bundles import device_order
    from sglang_ray.fleet import FleetGroup, attach
    from sglang_ray.launching import launch

__all__ = ["FleetGroup", "__version__", "attach", "device_order", "launch"]
__version__ = "0.1.0"

# Found when asked for, so that programs that start a server import nothing of it.
_HOMES = {"attach": "fleet", "FleetGroup": "fleet", "launch": "launching", "device_order": "bundles"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
