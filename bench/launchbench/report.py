# SPDX-License-Identifier: Apache-2.0
"""From single results to medians, ratios and a table."""

from __future__ import annotations

import statistics
from typing import Any

#: Memory that is not the engines' own is what a launcher is answerable for.
ENGINES = "engines"


def summarize(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per cluster, number of engines and contender: medians, and the times of the others divided by ours."""
    rows = []
    for key in sorted({(r["cluster"], r["engines"], r["contender"]) for r in results}):
        group = [r for r in results if (r["cluster"], r["engines"], r["contender"]) == key]
        control = [r["pss_mib"]["total"] - r["pss_mib"].get(ENGINES, 0.0) for r in group]
        rows.append(
            {
                "cluster": key[0],
                "engines": key[1],
                "contender": key[2],
                "runs": len(group),
                "answer_s": _median(group, "answer_s"),
                "answer_s_min": min(r["answer_s"] for r in group),
                "answer_s_max": max(r["answer_s"] for r in group),
                "cpu_s": _median(group, "cpu_s"),
                "control_pss_mib": round(statistics.median(control), 1),
                "processes": _median(group, "processes"),
                "shutdown_s": _median(group, "shutdown_s"),
                "leftovers": max(len(r["leftovers"]) for r in group),
                "phases_s": _phases(group),
            }
        )
    for row in rows:
        _add_ratios(row, rows)
    return rows


def _median(group: list[dict[str, Any]], key: str) -> float:
    return round(statistics.median(r[key] for r in group), 3)


def _phases(group: list[dict[str, Any]]) -> dict[str, float]:
    names = list(group[0]["phases_s"])
    common = [name for name in names if all(name in r["phases_s"] for r in group)]
    return {name: round(statistics.median(r["phases_s"][name] for r in group), 3) for name in common}


def _add_ratios(row: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    if row["contender"] != "ours":
        return
    for other in rows:
        if (other["cluster"], other["engines"]) == (row["cluster"], row["engines"]) and other is not row:
            name = other["contender"]
            row[f"answer_to_{name}"] = round(row["answer_s"] / other["answer_s"], 3)
            row[f"cpu_to_{name}"] = round(row["cpu_s"] / other["cpu_s"], 3)
            row[f"memory_to_{name}"] = round(row["control_pss_mib"] / other["control_pss_mib"], 3)


def table(rows: list[dict[str, Any]]) -> str:
    """For people."""
    head = ["cluster", "engines", "program", "answer s", "(min-max)", "CPU s", "PSS MiB", "procs", "shutdown s", "left"]
    others = sorted({r["contender"] for r in rows} - {"ours"})
    head += [f"time/{name}" for name in others]
    lines = [head]
    for r in rows:
        span = f"{r['answer_s_min']:.1f}-{r['answer_s_max']:.1f}"
        numbers = [f"{r['answer_s']:.2f}", span, f"{r['cpu_s']:.1f}", f"{r['control_pss_mib']:.0f}"]
        numbers += [f"{r['processes']:.0f}", f"{r['shutdown_s']:.2f}", str(r["leftovers"])]
        ratios = [f"{r[f'answer_to_{name}']:.2f}" if f"answer_to_{name}" in r else "" for name in others]
        lines.append([r["cluster"], str(r["engines"]), r["contender"], *numbers, *ratios])
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    shown = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths)) for line in lines]
    for r in rows:
        phases = ", ".join(f"{name} {seconds:.2f}" for name, seconds in r["phases_s"].items())
        shown.append(f"phases of {r['contender']} ({r['cluster']}, {r['engines']}), in s: {phases}")
    return "\n".join(shown)
