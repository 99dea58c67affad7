# SPDX-License-Identifier: Apache-2.0
"""Lets the kernel read a model's weights ahead, while an engine imports.

SGLang maps the files and reads them page by page, in several threads: from a cold disk that takes several times as long
as reading them in order does.
"""

from __future__ import annotations

import os
from pathlib import Path

from sglang_ray import supervisor

#: How the process that does it shows in the process table.
NAME = "sglray-reads"
#: 0 turns it off.
SWITCH = "SGLANG_RAY_READ_AHEAD"
#: What SGLang loads from files as they are; None is its default.
FORMATS = (None, "auto", "safetensors")
#: What is under way at once is twice this: what an import reads meanwhile waits behind it.
_WINDOW = 1 << 20
#: The kernel shortens a longer request, to what a device's queue of reads takes at least.
_CHUNK = 128 << 10


def begin(model: str | None, load_format: str | None = None) -> bool:
    """Begins in a process of its own, which the process that adopts orphans must end; whether it did."""
    if model is None or load_format not in FORMATS or os.environ.get(SWITCH) == "0":
        return False
    try:
        files = weights(os.path.expanduser(model))
        size = sum(path.stat().st_size for path in files)
        # All of it must stay until it is loaded, beside what is needed for that.
        if not 0 < size < memory_available() // 2:
            return False
        child = os.fork()
    except OSError:
        return False  # a file has just been removed, or there may be no more processes: SGLang will say so
    if child == 0:
        try:
            if os.fork() == 0:
                os.closerange(0, os.sysconf("SC_OPEN_MAX"))
                supervisor.set_name(NAME)
                read(files)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    return True


def weights(folder: str) -> list[Path]:
    """The files of a local model; none of a name of a hub."""
    try:
        return sorted(path for path in Path(folder).iterdir() if path.suffix == ".safetensors" and path.is_file())
    except OSError:
        return []


def memory_available() -> int:
    """In bytes."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) << 10
    return 0


def read(files: list[Path]) -> None:
    """Asks the kernel for all pages, in order, and reads what it did not heed. Pages in memory already take no time."""
    for path in files:
        with open(path, "rb", buffering=0) as file:
            descriptor = file.fileno()
            size = os.fstat(descriptor).st_size
            for begin in range(0, size + _WINDOW, _WINDOW):
                for offset in range(begin, min(begin + _WINDOW, size), _CHUNK):
                    os.posix_fadvise(descriptor, offset, _CHUNK, os.POSIX_FADV_WILLNEED)
                for offset in range(begin - _WINDOW, min(begin, size), _CHUNK):
                    if begin > 0:
                        _settle(descriptor, offset, min(offset + _CHUNK, size))


def _settle(descriptor: int, begin: int, end: int) -> None:
    """Waits until what was asked for is there. A device with much to read drops such requests: then it is read."""
    os.pread(descriptor, 1, end - 1)
    try:
        os.preadv(descriptor, [bytearray(1)], begin, os.RWF_NOWAIT)
    except BlockingIOError:
        os.pread(descriptor, end - begin, begin)
    except OSError:
        pass  # this file system cannot say
