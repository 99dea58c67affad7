# SPDX-License-Identifier: Apache-2.0
"""The processes that tests start find the package too."""

from __future__ import annotations

import os
from pathlib import Path

import sglang_ray

_PACKAGE = str(Path(sglang_ray.__file__).parents[1])
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [_PACKAGE, os.environ.get("PYTHONPATH", "")]))
