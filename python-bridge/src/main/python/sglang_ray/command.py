# SPDX-License-Identifier: Apache-2.0
"""The command ``sglang-ray`` of an installed wheel: runs the start script that the wheel carries."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from sglang_ray.errors import EXIT_MISSING_PACKAGE

#: The start script of a wheel; its jar lies beside it.
SCRIPT = Path(__file__).resolve().parent / "dist" / "sglang-ray"
#: Says to the start script which Python to try first.
INSTALLED_IN = "SGLANG_RAY_INSTALLED_IN"


def main() -> None:
    """Becomes the start script, with this program's arguments. Exits with 3 where there is none, or no bash."""
    if not SCRIPT.is_file():
        print(
            "sglang-ray: this installation holds the Python side only\n"
            "  Install the wheel of a release, or run ray-app/bin/sglang-ray of the sources.",
            file=sys.stderr,
        )
        sys.exit(EXIT_MISSING_PACKAGE)
    bash = shutil.which("bash")
    if bash is None:
        print("sglang-ray: bash is not on PATH", file=sys.stderr)
        sys.exit(EXIT_MISSING_PACKAGE)
    os.environ.setdefault(INSTALLED_IN, sys.executable)
    os.execv(bash, [bash, str(SCRIPT), *sys.argv[1:]])
