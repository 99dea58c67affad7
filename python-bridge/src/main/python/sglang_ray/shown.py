# SPDX-License-Identifier: Apache-2.0
"""What process lists show of a process that was forked: command line and environment are those of its fork server.

Both lie in memory of the process, where they are overwritten in place. Linux only; elsewhere nothing happens.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path


def prepare() -> None:
    """Lets ``setproctitle``, which SGLang uses, find that memory: once ``os.environ`` has changed it no longer does."""
    try:
        import setproctitle
    except ImportError:
        return
    setproctitle.getproctitle()


def show(words: Sequence[str], variable: str) -> None:
    """Shows these words as the command line, as far as they fit, and the variable (``NAME=value``) in the environment.

    A variable of the same name and length is overwritten where it is; else the variable comes first, in place of what
    ``prepare`` has cleared.
    """
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        arguments, arguments_end, environment, environment_end = (int(field) for field in fields[45:49])
    except (OSError, ValueError):
        return
    if not 0 < arguments < arguments_end <= environment < environment_end:
        return
    _write(arguments, arguments_end - arguments, "\0".join(words).encode())
    entry = variable.encode() + b"\0"
    name = entry[: entry.index(b"=") + 1]
    size = environment_end - environment
    present = ctypes.string_at(environment, size)
    place = 0 if present.startswith(name) else present.find(b"\0" + name) + 1
    old = present[place:].partition(b"\0")[0]
    if old.startswith(name) and len(old) == len(entry) - 1:
        ctypes.memmove(environment + place, entry, len(entry))
    elif not present.strip(b"\0"):
        _write(environment, size, entry)


def _write(address: int, size: int, text: bytes) -> None:
    """Fills the memory with the text and zeros; the last byte is a zero, by which the kernel sees where it ends."""
    ctypes.memmove(address, text[: size - 1].ljust(size, b"\0"), size)
