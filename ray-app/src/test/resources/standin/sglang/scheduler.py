# SPDX-License-Identifier: Apache-2.0
"""One rank of a stand-in, a program of its own as SGLang's: ``scheduler.py TITLE FROM TO`` echoes what it reads there."""

from __future__ import annotations

import ctypes
import os
import signal
import sys


def _take_title(title: str) -> None:
    ctypes.CDLL(None).prctl(15, title[:15].encode())
    try:
        from setproctitle import setproctitle
    except ImportError:
        return
    setproctitle(title)


_take_title(sys.argv[1])
signal.signal(signal.SIGUSR1, lambda *_: os._exit(0))
while True:
    os.write(int(sys.argv[3]), os.read(int(sys.argv[2]), 1))
