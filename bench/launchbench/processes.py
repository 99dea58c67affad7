# SPDX-License-Identifier: Apache-2.0
"""What all processes of this PID namespace have used, from /proc."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stand_in_engine import PROCESS_NAME

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Process:
    """One live process; CPU times in seconds, ``reaped`` being that of children that ended and were waited for."""

    pid: int
    name: str
    command: str
    cpu: float
    reaped: float
    zombie: bool

    @property
    def kind(self) -> str:
        """Which row of the memory table it belongs to."""
        if self.name == PROCESS_NAME:
            return "engines"
        program = self.command.split(" ", 1)[0].rsplit("/", 1)[-1]
        if program == "java":
            return "java"
        if program in ("gcs_server", "raylet"):
            return "ray core"
        if "sglang::router" in self.command or "sglang_router" in self.command:
            return "router"
        return "python" if "python" in program or program.startswith("ray::") else "other"


def live() -> Iterator[Process]:
    """Every process but the first one, this one, and kernel threads."""
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) not in (1, os.getpid()):
            process = _read(int(entry))
            if process is not None:
                yield process


def cpu_seconds() -> float:
    """Of all processes that live, or ended and were waited for; without this one and the first one themselves."""
    ended = sum(process.reaped for process in map(_read, (1, os.getpid())) if process is not None)
    return ended + sum(process.cpu + process.reaped for process in live())


def pss_mib(processes: Iterable[Process]) -> dict[str, float]:
    """Proportional resident memory by kind, and ``total``, in MiB."""
    sums: dict[str, float] = {}
    for process in processes:
        sums[process.kind] = sums.get(process.kind, 0.0) + _pss(process.pid) / 1024
    sums["total"] = sum(sums.values())
    return {kind: round(value, 1) for kind, value in sorted(sums.items())}


def _read(pid: int) -> Process | None:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            stat = file.read()
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            command = file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return None  # ended in between
    name = stat[stat.index("(") + 1 : stat.rindex(")")]
    fields = stat[stat.rindex(")") + 2 :].split()
    user, system, child_user, child_system = (int(field) / _TICKS for field in fields[11:15])
    return Process(pid, name, command, user + system, child_user + child_system, fields[0] == "Z")


def _pss(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            return sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    except OSError:
        return 0
