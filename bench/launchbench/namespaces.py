# SPDX-License-Identifier: Apache-2.0
"""Runs each measurement in mount, PID and network namespaces of its own, so that nothing is left behind or disturbed.

As root the namespaces are plain ones; otherwise they belong to a user namespace.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1
_MS_BIND = 4096


def run_inside(words: list[str], bench: Path) -> int:
    """Runs ``python -m launchbench WORDS`` inside, as a child of the namespaces' first process; its exit code."""
    unshare = shutil.which("unshare")
    if unshare is None:
        raise RuntimeError("unshare (util-linux) is not on PATH")
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    spaces = ["--mount", "--pid", "--net", "--fork", "--mount-proc", "--kill-child"]
    me = [sys.executable, "-m", "launchbench", *words]
    return subprocess.run([unshare, *user, *spaces, "--", *me], cwd=bench, check=False).returncode


def prepare(used: list[Path]) -> None:
    """Inside, as the first process: brings ``lo`` up, and gives this namespace a /tmp of its own.

    Folders right below /tmp that hold one of the ``used`` paths stay visible in it.
    """
    with socket.socket() as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16xh14x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request))[0]
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))
    paths = {form for path in used for form in (path.absolute(), path.resolve())}
    kept = {path.parts[2] for path in paths if path.parts[:2] == ("/", "tmp") and len(path.parts) > 2}
    opened = {name: os.open(f"/tmp/{name}", os.O_PATH) for name in kept}
    _mount("none", "/tmp", "tmpfs", 0)
    for name, folder in opened.items():
        os.mkdir(f"/tmp/{name}")
        # Not by mount(8), which would resolve the link to the folder's new, empty namesake.
        _mount(f"/proc/self/fd/{folder}", f"/tmp/{name}", "none", _MS_BIND)
        os.close(folder)


def _mount(source: str, target: str, kind: str, flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), None) != 0:
        raise OSError(ctypes.get_errno(), f"mounting {source} on {target}")


def reap_until(child: int) -> int:
    """Waits for every process that is given to this one, until ``child`` ends; its exit code."""
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.waitstatus_to_exitcode(status)
