# SPDX-License-Identifier: Apache-2.0
"""No Python that we start imports anything from the folder in which it is started."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sglang_ray
from supervised import Supervised

PACKAGE = Path(sglang_ray.__file__).parent
PREPARE = Path(__file__).resolve().parents[3] / "prepare"
NAMES = ("contextlib", "types", "json", "ray", "grp", "signal", "runpy", "multiprocessing", "sglang", "sglang_ray")
TRAP = "raise SystemExit(f'{__name__} was imported from the working directory')\n"
SPAWNS = """
import multiprocessing, sys

def child():
    print(*sys.path, sep="\\n", flush=True)

if __name__ == "__main__":
    process = multiprocessing.get_context("spawn").Process(target=child)
    process.start()
    process.join()
    sys.exit(process.exitcode)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory that holds a file of the name of much that is imported."""
    made = tmp_path / "working"
    made.mkdir()
    for name in NAMES[:-2]:
        (made / f"{name}.py").write_text(TRAP)
    for name in NAMES[-2:]:
        (made / name).mkdir()
        (made / name / "__init__.py").write_text(TRAP)
    return made


def pythons() -> list[str]:
    """This one, and an older one without the option -P where there is one."""
    older = shutil.which("python3.10")
    works = older and subprocess.run([older, "-c", ""], capture_output=True, check=False).returncode == 0
    return [sys.executable, older] if older and works else [sys.executable]


def run(
    folder: Path, module: str, *arguments: str, python: str = sys.executable, stdin: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    command = [python, str(PACKAGE / "run_module.py"), "-m", module, *arguments]
    # As on the Java side, except PYTHONSAFEPATH, which most tests do without.
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), **env}
    return subprocess.run(
        command, cwd=folder, env=environment, input=stdin, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize("python", pythons())
@pytest.mark.parametrize(
    ("module", "arguments", "code"),
    [
        ("sglang_ray.probe", [], 0),
        ("sglang_ray.serve", [], 2),
        ("sglang_ray.schema", ["--help"], 0),
        ("sglang_ray.tiny_model", ["--help"], 0),
        ("sglang_ray.cluster", [], 2),
    ],
)
def test_a_program_of_ours(folder: Path, module: str, arguments: list[str], code: int, python: str) -> None:
    done = run(folder, module, *arguments, python=python)
    assert done.returncode == code, done.stderr
    assert "working directory" not in done.stdout + done.stderr


@pytest.mark.sglang
def test_programs_that_import_ray(folder: Path) -> None:
    done = run(folder, "sglang_ray.local_head", "--help")
    assert (done.returncode, "Usage: ray start" in done.stdout) == (0, True), done.stderr
    done = run(folder, "sglang_ray.cluster", "127.0.0.1:1")
    assert done.returncode == 4
    assert "working directory" not in done.stderr


@pytest.mark.sglang
def test_an_engine_imports_the_installed_sglang(folder: Path) -> None:
    request = {"kind": "srt", "server_args": {"model_path": "m", "tp_siz": 1}, "dist_port": 1}
    done = run(folder, "sglang_ray.serve", stdin=json.dumps(request), SGLANG_RAY_DEVICE="cpu")
    assert done.returncode == 2
    assert "did you mean tp_size" in done.stderr


@pytest.mark.skipif(sys.version_info < (3, 11), reason="PYTHONSAFEPATH is new in 3.11")
def test_processes_that_a_server_spawns(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "spawns.py").write_text(SPAWNS)
    done = run(folder, "spawns", PYTHONPATH=f"{PACKAGE.parent}:{tmp_path}", PYTHONSAFEPATH="1")
    assert done.returncode == 0, done.stderr
    assert str(folder) not in done.stdout.splitlines()
    assert "" not in done.stdout.splitlines()


@pytest.mark.parametrize("python", pythons())
def test_it_runs_a_module_as_python_does(folder: Path, tmp_path: Path, python: str) -> None:
    (tmp_path / "asks.py").write_text("import sys\nprint(__name__, __spec__.name, sys.argv, sys.path[0], sep='|')\n")
    done = run(folder, "asks", "a", "-m", python=python, PYTHONPATH=str(tmp_path))
    assert done.stdout.strip() == f"__main__|asks|['{tmp_path}/asks.py', 'a', '-m']|{PACKAGE.parent}", done.stderr


def test_the_supervisor(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    supervised = Supervised(tmp_path)
    supervised.start(["true"])
    assert supervised.last_event()["code"] == 0
    supervised.clean_up()


def test_prepare(folder: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(PREPARE), "path", "tools"],
        cwd=folder,
        env={**os.environ, "SGLANG_RAY_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
