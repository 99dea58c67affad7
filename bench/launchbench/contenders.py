# SPDX-License-Identifier: Apache-2.0
"""The programs that are measured: how each is started, and what its output means."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent


SCRIPT = BENCH.parent / "ray-app" / "bin" / "sglang-ray"

_CONFIGURATION = """\
cluster:
  num_nodes: 1
  component_placement:
    rollout: all
router_server_args:
  model_path: stand-in
  tensor_parallel_size: 1
  pipeline_parallel_size: 1
  group_name: SGLangServerGroup
  launch_server: true
  server:
    model_path: ${..model_path}
    tp_size: ${..tensor_parallel_size}
    pp_size: ${..pipeline_parallel_size}
    log_level: warning
  router_group_name: SGLangRouterGroup
  launch_router: true
  router:
    log_level: warn
"""


@dataclass(frozen=True)
class Event:
    """Something that a program said: the end of a phase, how long phases took, or the router's URL."""

    phase: str | None = None
    took: dict[str, float] = field(default_factory=dict)
    router_url: str | None = None


@dataclass(frozen=True)
class Contender:
    """One program. ``command`` takes the number of engines, an address or None, and a folder for files of its own."""

    name: str
    command: Callable[[int, str | None, Path], list[str]]
    parse: Callable[[str], Event | None]
    environment: dict[str, str] = field(default_factory=dict)


def json_event(line: str) -> Event | None:
    """As ``bare_ray.py`` and ``original.py`` say it."""
    try:
        said = json.loads(line)
    except ValueError:
        return None
    if not isinstance(said, dict):
        return None
    if said.get("event") == "ready":
        return Event(router_url=said["router_url"])
    return Event(phase=said["name"]) if said.get("event") == "phase" else None


def ours(python: str) -> Contender:
    """The start script of this repository, as a person types it."""

    def command(engines: int, address: str | None, folder: Path) -> list[str]:
        file = write_configuration(folder)
        where = ["--local", "--accelerators", str(engines)] if address is None else ["--address", address]
        return [str(SCRIPT), "up", *where, "-c", str(file), "--json"]

    return Contender("ours", command, _report, {"SGLANG_RAY_PYTHON": python})


def write_configuration(folder: Path) -> Path:
    """The YAML that ours and RLinf's launcher read."""
    file = folder / "serve.yaml"
    file.write_text(_CONFIGURATION, encoding="utf-8")
    return file


def _report(line: str) -> Event | None:
    if not line.startswith("{"):
        return None
    report = json.loads(line)
    return Event(took=report.get("phases_s", {}), router_url=report["api_url"])


def bare(python: str) -> Contender:
    """The bare Ray script."""

    def command(engines: int, address: str | None, _: Path) -> list[str]:
        words = [python, str(BENCH / "bare_ray.py"), "--engines", str(engines)]
        return words if address is None else [*words, "--address", address]

    return Contender("bare", command, json_event)


def original(python: str) -> Contender:
    """RLinf's launcher, by ``original.py``."""

    def command(engines: int, address: str | None, folder: Path) -> list[str]:
        file = write_configuration(folder)
        words = [python, str(BENCH / "original.py"), "--engines", str(engines), "--config", str(file)]
        return words if address is None else [*words, "--address", address]

    return Contender("original", command, json_event)


def base_environment() -> dict[str, str]:
    """This one's, with the stand-in before everything else that Python can import."""
    path = os.pathsep.join([str(BENCH), str(BENCH / "standin")])
    keep = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
    # Ray 2.60 otherwise writes a token into the home folder, and every cluster started later would demand it.
    ray = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}
    # The accelerators are Ray's word only: this vouches for them, where engines would be refused.
    return {**keep, **ray, "PYTHONPATH": path, "SGLANG_RAY_DEVICE": "stand-in"}
