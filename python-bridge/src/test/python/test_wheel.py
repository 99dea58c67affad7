# SPDX-License-Identifier: Apache-2.0
"""The wheel: what is in it, and what its command starts."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import sglang_ray

PROJECT = Path(__file__).resolve().parents[3]
DIST = {"sglang-ray.jar": "a jar", "conf/demo.yaml": "a: 1\n"}
SCRIPT = '#!/usr/bin/env bash\necho "in ${SGLANG_RAY_INSTALLED_IN}: $*"\nexit 7\n'


def _wheel(folder: Path, dist: Path | None) -> Path:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000", "SGLANG_RAY_DIST": str(dist or "")}
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=PROJECT, env=environment, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    folder = tmp_path / "a distribution"
    for name, text in DIST.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    script = folder / "sglang-ray"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    return folder


def _install(wheel: Path, target: Path) -> None:
    """As pip does, in what matters here: files and their right to be executed."""
    with zipfile.ZipFile(wheel) as archive:
        for item in archive.infolist():
            path = Path(archive.extract(item, target))
            path.chmod(item.external_attr >> 16 & 0o777)


def _command(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    start = "from sglang_ray.command import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(site)}
    environment.pop("SGLANG_RAY_INSTALLED_IN", None)
    return subprocess.run(
        [sys.executable, "-c", start, *words], env=environment, capture_output=True, text=True, check=False
    )


def test_carries_the_distribution_and_starts_its_script(dist: Path, tmp_path: Path) -> None:
    wheel = _wheel(tmp_path / "wheels", dist)
    assert wheel.name == f"sglang_ray-{sglang_ray.__version__}-py3-none-any.whl"
    _install(wheel, tmp_path / "site")
    for name, text in DIST.items():
        assert (tmp_path / "site/sglang_ray/dist" / name).read_text() == text
    done = _command(tmp_path / "site", "plan", "two words", "--json")
    assert (done.returncode, done.stdout) == (7, f"in {sys.executable}: plan two words --json\n")


def test_holds_what_the_sources_keep_elsewhere(tmp_path: Path) -> None:
    with zipfile.ZipFile(_wheel(tmp_path, None)) as archive:
        names = set(archive.namelist())
        points = archive.read(f"sglang_ray-{sglang_ray.__version__}.dist-info/entry_points.txt").decode()
    assert {"sglang_ray/secrets.json", "sglang_ray/py.typed", "sglang_ray/fleet.py"} <= names
    assert any(name.startswith("sglang_ray/schemas/") for name in names)
    assert any(name.startswith("sglang_ray/cpu_site/") for name in names)
    assert not any(name.startswith("sglang_ray/dist/") or name.endswith(".pyc") for name in names)
    assert points == "[console_scripts]\nsglang-ray = sglang_ray.command:main\n"


def test_the_python_side_alone_says_what_is_missing(tmp_path: Path) -> None:
    _install(_wheel(tmp_path / "wheels", None), tmp_path / "site")
    done = _command(tmp_path / "site", "demo")
    assert done.returncode == 3
    assert "holds the Python side only" in done.stderr


def test_two_builds_are_equal(dist: Path, tmp_path: Path) -> None:
    first = _wheel(tmp_path / "one", dist).read_bytes()
    (dist / "sglang-ray").chmod(0o700)  # another umask
    for file in dist.rglob("*"):
        os.utime(file, (1, 1))
    assert _wheel(tmp_path / "two", dist).read_bytes() == first


def test_a_folder_without_a_jar_is_no_distribution(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        _wheel(tmp_path / "wheels", tmp_path)
    assert b"holds no sglang-ray.jar" in caught.value.stderr
