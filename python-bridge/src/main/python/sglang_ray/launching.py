# SPDX-License-Identifier: Apache-2.0
"""Launches a fleet from Python: runs the Java launcher ``sglang-ray up --detach`` and attaches to what it launched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sglang_ray import command, errors
from sglang_ray.fleet import DEFAULT_NAMESPACE, FleetGroup, attach

#: Names the start script where it is neither in this wheel, on PATH, nor in a checkout around this package.
PROGRAM_VARIABLE = "SGLANG_RAY_PROGRAM"
_ROLLBACK_S = 60


class LaunchedFleet(FleetGroup):
    """A :class:`FleetGroup` that this driver launched. It runs until :meth:`down`, also when this driver ends."""

    _command: tuple[str, ...] = ()
    _environment: Mapping[str, str] | None = None

    def down(self) -> None:
        """Ends the fleet: engines, router, their actors and its placement group. Harmless when it has ended.

        Raises:
            LaunchError: it could not be ended.
        """
        facts = self._facts
        groups = [
            word
            for option, key in (("--group", "serverGroup"), ("--router-group", "routerGroup"))
            if facts.get(key)
            for word in (option, facts[key])
        ]
        program, *cluster = self._command
        done = subprocess.run(
            [program, "down", *cluster, *groups], env=self._environment, capture_output=True, text=True, check=False
        )
        self.detach()
        if done.returncode != 0 and "there is no fleet" not in done.stderr + done.stdout:
            raise errors.LaunchError("the fleet could not be ended:\n" + done.stderr, done.returncode, done.stderr)


def launch(
    config: str | os.PathLike[str] | Mapping[str, Any],
    overrides: Sequence[str] = (),
    namespace: str = DEFAULT_NAMESPACE,
    *,
    options: Sequence[str] = (),
    python: str | None = None,
    program: str | os.PathLike[str] | None = None,
    timeout: float | None = None,
) -> LaunchedFleet:
    """Launches engines and router on the Ray cluster that this driver is connected to, and attaches to them.

    Blocks until every engine is healthy in the router. What fails, or is interrupted, is taken back.

    Args:
        config: a YAML file as the launcher reads it, or its content as a mapping.
        overrides: Hydra overrides, such as ``router_server_args.server.mem_fraction_static=0.5``.
        namespace: the Ray namespace for the fleet's actors; it need not be this driver's.
        options: further words for ``sglang-ray up``, such as ``["--health-timeout", "600"]``.
        python: the Python of engines and router on the nodes; None is this one.
        program: the start script ``sglang-ray``; None takes ``SGLANG_RAY_PROGRAM``, this wheel's, or PATH's.
        timeout: seconds for all of it; None leaves it to the launcher's own deadlines.

    Raises:
        LaunchError: with the launcher's exit code and words.
        FleetTimeoutError: ``timeout`` passed; the launch is taken back.
        FleetError: this driver is not connected to Ray, or there is no start script.
    """
    import ray

    if not ray.is_initialized():
        raise errors.FleetError("this program is not connected to Ray: call ray.init(...) first")
    cluster = ("--address", ray.get_runtime_context().gcs_address, "--namespace", namespace)
    script = find_program(program)
    environment = {**os.environ, "SGLANG_RAY_PYTHON": python or os.environ.get("SGLANG_RAY_PYTHON") or sys.executable}
    with tempfile.TemporaryDirectory(prefix="sglang-ray-") as folder:
        file = _file(config, Path(folder))
        words = [script, "up", "--detach", "--json", *cluster, "-c", str(file), *options, *overrides]
        report = _run(words, environment, timeout)
    workers = report["workers"]
    name = next((w["group"] for w in workers if w["kind"] == "server"), workers[0]["group"])
    found = attach(name, namespace, timeout=60)
    fleet = LaunchedFleet(found._gateway, namespace, found._facts, name)
    fleet._command = (script, *cluster)
    fleet._environment = environment
    return fleet


def find_program(given: str | os.PathLike[str] | None = None) -> str:
    """The start script: as given, named by ``SGLANG_RAY_PROGRAM``, of this wheel, on PATH, or of the checkout."""
    named = os.fspath(given) if given else os.environ.get(PROGRAM_VARIABLE)
    if named:
        if not os.access(named, os.X_OK):
            raise errors.FleetError(f"there is no program {named}")
        return named
    if command.SCRIPT.is_file():
        return str(command.SCRIPT)
    on_path = shutil.which("sglang-ray")
    if on_path:
        return on_path
    for folder in Path(__file__).resolve().parents:
        script = folder / "ray-app" / "bin" / "sglang-ray"
        if script.is_file():
            return str(script)
    raise errors.FleetError(
        f"the start script sglang-ray is not on PATH: name it with `program` or the variable {PROGRAM_VARIABLE}"
    )


def _file(config: str | os.PathLike[str] | Mapping[str, Any], folder: Path) -> Path:
    if not isinstance(config, Mapping):
        return Path(config)
    # JSON is YAML.
    file = folder / "launched_from_python.yaml"
    file.write_text(json.dumps(config), encoding="utf-8")
    return file


def _run(words: list[str], environment: Mapping[str, str], timeout: float | None) -> dict[str, Any]:
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=said, text=True)
        try:
            out, _ = child.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise errors.FleetTimeoutError(
                f"the fleet was not up within {timeout} s; its launch is taken back"
            ) from None
        finally:
            # A timeout or an interrupt: the launcher takes back what it has started.
            if child.poll() is None:
                child.terminate()
                try:
                    child.wait(_ROLLBACK_S)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
        said.seek(0)
        text = said.read()
    if child.returncode != 0:
        raise errors.LaunchError(
            f"sglang-ray up failed (exit code {child.returncode}):\n{text.strip()}", child.returncode, text
        )
    lines = [line for line in out.splitlines() if line.startswith("{")]
    if not lines:
        raise errors.LaunchError("sglang-ray up printed no report", child.returncode, text)
    report: dict[str, Any] = json.loads(lines[-1])
    return report
