# SPDX-License-Identifier: Apache-2.0
"""What GitHub runs: it is well formed and safe, it calls our commands instead of repeating them, and it tests the
versions that the documentation says are tested. The shell scripts and the Dockerfile are checked here too."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[4]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
TOOLS = Path(sys.executable).parent
#: Programs that build or test: a workflow calls them by `make` or a script of ours, so that a person can do the same.
OURS = re.compile(
    r"(?<![\w/.-])(?:\./)?(mvnw?|pip|uv|python3?|pytest|mkdocs|mike|ruff|mypy|javac?|go|hatch)(?![\w/.-])"
)
SCRIPT = re.compile(r"(?<![\w/-])((?:\.ci|python-bridge|ray-app/bin)/[\w-]+)")


def name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def load(file: Path) -> dict[str, Any]:
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def jobs(file: Path) -> dict[str, dict[str, Any]]:
    return dict(load(file)["jobs"])


def commands(file: Path) -> Iterator[str]:
    for job in jobs(file).values():
        for step in job.get("steps", ()):
            if "run" in step:
                yield step["run"]


def program(name: str) -> str:
    """A program that a machine may lack: the test is skipped there, and fails where `.ci/run` has put it."""
    found = shutil.which(name, path=f"{TOOLS}{os.pathsep}{os.environ.get('PATH', '')}")
    if not found and os.environ.get("SGLANG_RAY_REQUIRE_TOOLS") is None:
        pytest.skip(f"{name} is not installed")
    assert found, f"{name} is not installed"
    return found


def run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)


def scripts() -> list[Path]:
    """Every shell script but Maven's own mvnw, by its first line."""
    found = []
    for folder in (".ci", "python-bridge", "ray-app/bin", "ray-app/conf", "deploy", "bench"):
        for file in sorted((ROOT / folder).rglob("*")):
            if file.is_file() and "target" not in file.parts and os.access(file, os.X_OK):
                with file.open("rb") as stream:
                    if re.match(rb"#!.*\b(ba)?sh\b", stream.readline()):
                        found.append(file)
    return found


def test_actionlint_finds_nothing() -> None:
    shellcheck = program("shellcheck")
    done = run(program("actionlint"), "-no-color", "-shellcheck", shellcheck, *map(str, WORKFLOWS))
    assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_finds_nothing() -> None:
    """Injection from event fields, rights that are too wide, actions that are not pinned, kept credentials, …"""
    done = run(program("zizmor"), "--offline", "--no-progress", "--color", "never", str(GITHUB))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("script", scripts(), ids=name)
def test_shellcheck_finds_nothing(script: Path) -> None:
    done = run(program("shellcheck"), "--external-sources", name(script))
    assert done.returncode == 0, done.stdout


def test_hadolint_finds_nothing() -> None:
    done = run(program("hadolint"), "--no-color", "deploy/docker/Dockerfile")
    assert done.returncode == 0, done.stdout


def test_the_image_has_the_tested_versions() -> None:
    """What the image adds to its base is what an environment of `prepare run` has."""
    text = (ROOT / "deploy" / "docker" / "Dockerfile").read_text(encoding="utf-8")
    pins = (ROOT / "python-bridge" / "env" / "run.in").read_text(encoding="utf-8").splitlines()
    added = re.findall(r"^ARG (?:RAY|ROUTER)=(.+)$", text, re.MULTILINE)
    assert len(added) == 2
    assert set(added) <= set(pins)


def test_the_scripts_are_all_of_them() -> None:
    expected = {".ci/go-tools", ".ci/image", ".ci/run", ".ci/version", "python-bridge/check", "python-bridge/prepare"}
    assert {*expected, "ray-app/bin/sglang-ray"} <= {name(script) for script in scripts()}


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=name)
def test_a_workflow_calls_our_commands(workflow: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for command in commands(workflow):
        assert not OURS.search(command), (
            f"{name(workflow)}: a target of the Makefile, or a script, in place of: {command}"
        )
        for target in re.findall(r"\bmake (?:-\w+ )*([a-z]+)", command):
            assert target in targets, f"{name(workflow)}: make {target}"
        for script in SCRIPT.findall(command):
            assert os.access(ROOT / script, os.X_OK), f"{name(workflow)}: {script}"


def test_pull_requests_and_nights_run_what_the_documentation_names() -> None:
    checked = "\n".join(commands(GITHUB / "workflows" / "ci.yml"))
    assert {"make test", "make check", "make site"} <= set(checked.splitlines())
    assert any(".ci/run" in command for command in commands(GITHUB / "workflows" / "nightly.yml"))
    assert ".ci/reproducible" in list(commands(GITHUB / "workflows" / "release.yml"))


def versions(row: str) -> list[str]:
    """What the table of supported versions says is tested."""
    text = (ROOT / "docs" / "reference" / "support.md").read_text(encoding="utf-8")
    found = re.search(rf"^\| {re.escape(row)} \|[^|]*\|([^|]*)\|", text, re.MULTILINE)
    assert found, row
    return re.findall(r"\d+(?:\.\d+)?", found[1])


@pytest.mark.parametrize("workflow", ["ci.yml", "nightly.yml"])
def test_the_versions_are_those_that_the_documentation_says_are_tested(workflow: str) -> None:
    matrix: dict[str, list[str]] = {}
    for job in jobs(GITHUB / "workflows" / workflow).values():
        matrix.update(job.get("strategy", {}).get("matrix", {}))
    assert matrix == {"java": versions("Java"), "python": versions("Python of engines and router")}
    lowest = re.search(r"<maven.compiler.release>(\d+)<", (ROOT / "pom.xml").read_text(encoding="utf-8"))
    assert lowest
    assert lowest[1] == matrix["java"][0]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=name)
def test_a_job_has_a_limit_of_time_and_only_the_rights_that_it_names(workflow: Path) -> None:
    content = load(workflow)
    assert content["permissions"] == {}
    assert "group" in content["concurrency"]
    for key, job in content["jobs"].items():
        assert job.get("permissions"), key
        assert "uses" in job or 0 < job["timeout-minutes"] <= 240, key


def test_each_action_is_pinned_by_its_commit_to_one_version() -> None:
    pins: dict[str, set[str]] = {}
    for workflow in WORKFLOWS:
        for uses in re.findall(r"uses: (.*)", workflow.read_text(encoding="utf-8")):
            if not uses.startswith("./"):
                pinned = re.fullmatch(r"([\w./-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)", uses)
                assert pinned, f"{name(workflow)}: {uses}"
                pins.setdefault(pinned[1], set()).add(pinned[2])
    assert len(pins) > 8
    assert {action: pin for action, pin in pins.items() if len(pin) > 1} == {}


def test_what_publishes_waits_for_a_person_and_does_nothing_in_a_fork() -> None:
    release = jobs(GITHUB / "workflows" / "release.yml")
    docs = jobs(GITHUB / "workflows" / "docs.yml")
    guard = "github.repository == 'sglang-ray/sglang-ray'"

    def guarded(key: str) -> bool:
        needs = release[key].get("needs", [])
        return release[key].get("if") == guard or any(map(guarded, [needs] if isinstance(needs, str) else needs))

    assert [key for key in release if not guarded(key)] == []
    assert docs["publish"]["if"] == guard
    for key, job in {**release, **docs}.items():
        rights = {right for right, kind in job["permissions"].items() if kind == "write"}
        publishes = rights & {"contents", "packages", "id-token"} or "secrets." in str(job)
        # `attest` signs and publishes nothing; `docs` calls a workflow whose job has the environment.
        if publishes and key not in ("attest", "docs"):
            assert job.get("environment"), key


def test_the_page_about_releases_has_every_job_and_environment() -> None:
    page = (ROOT / "docs" / "development" / "release.md").read_text(encoding="utf-8")
    for key, job in jobs(GITHUB / "workflows" / "release.yml").items():
        row = re.search(rf"^\| `{key}` \|.*", page, re.MULTILINE)
        assert row, key
        if "environment" in job:
            assert f"`{job['environment']}`" in row[0], key


@pytest.mark.parametrize("form", sorted((GITHUB / "ISSUE_TEMPLATE").glob("[!c]*.yml")), ids=name)
def test_an_issue_form_is_one(form: Path) -> None:
    content = load(form)
    assert {"name", "description", "body"} <= set(content)
    fields = [field for field in content["body"] if field["type"] != "markdown"]
    assert all(field["attributes"]["label"] for field in fields)
    assert len({field["id"] for field in fields}) == len(fields) > 0


class TestVersion:
    """`.ci/version` in a copy of the files that it reads."""

    @pytest.fixture
    def copy(self, tmp_path: Path) -> Path:
        package = "python-bridge/src/main/python/sglang_ray/__init__.py"
        for file in [".ci/version", package, "pom.xml", *(name(pom) for pom in ROOT.glob("*/pom.xml"))]:
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, tmp_path / file)
        self.change(tmp_path / "pom.xml", r"(?<=outputTimestamp>)[0-9-]+", "2030-02-01")
        version = run(str(ROOT / ".ci" / "version")).stdout.strip()
        (tmp_path / "CHANGELOG.md").write_text(
            f"# Changelog\n\n## Unreleased\n\nlater\n\n## {version} (2030-02-01)\n\nall of it\n\n## 0.0.1\n\nold\n"
        )
        chart = tmp_path / "deploy" / "helm" / "sglang-ray" / "Chart.yaml"
        chart.parent.mkdir(parents=True)
        chart.write_text(f'name: sglang-ray\nversion: {version}\nappVersion: "{version}"\n')
        return tmp_path

    @staticmethod
    def change(file: Path, pattern: str, text: str) -> None:
        before = file.read_text(encoding="utf-8")
        after = re.sub(pattern, text, before, count=1)
        assert after != before
        file.write_text(after, encoding="utf-8")

    @staticmethod
    def version(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run(str(copy / ".ci" / "version"), *arguments, cwd=copy)

    def test_agrees_here(self) -> None:
        done = run(str(ROOT / ".ci" / "version"))
        assert done.returncode == 0, done.stderr
        assert re.fullmatch(r"\d+\.\d+\.\d+(-\w+)?\n", done.stdout)

    def test_a_tag_that_fits_and_one_that_does_not(self, copy: Path) -> None:
        version = self.version(copy).stdout.strip()
        assert self.version(copy, f"v{version}").stdout.strip() == version
        done = self.version(copy, "v9.9.9")
        assert done.returncode == 1
        assert f"the tag v9.9.9 says '9.9.9', pom.xml says '{version}'" in done.stderr

    @pytest.mark.parametrize(
        ("file", "pattern", "said"),
        [
            ("bom/pom.xml", r"(?<=<version>)[\d.]+", "bom/pom.xml says '9.9.9'"),
            ("client/pom.xml", r"(?<=<version>)[\d.]+", "client/pom.xml says '9.9.9'"),
            ("python-bridge/src/main/python/sglang_ray/__init__.py", r'(?<=__version__ = ")[\d.]+', "says '9.9.9'"),
            ("deploy/helm/sglang-ray/Chart.yaml", r"(?<=\nversion: )[\d.]+", "Chart.yaml, version, says '9.9.9'"),
            ("deploy/helm/sglang-ray/Chart.yaml", r'(?<=\nappVersion: ")[\d.]+', "appVersion, says '9.9.9'"),
        ],
    )
    def test_names_the_file_that_differs(self, copy: Path, file: str, pattern: str, said: str) -> None:
        self.change(copy / file, pattern, "9.9.9")
        done = self.version(copy)
        assert done.returncode == 1
        assert said in done.stderr

    @pytest.mark.parametrize("text", ["## Unreleased", "## 9.9.9 (2030-02-01)", "## {} (2030-02-02)"])
    def test_a_release_needs_its_heading_with_its_day(self, copy: Path, text: str) -> None:
        version = self.version(copy).stdout.strip()
        self.change(copy / "CHANGELOG.md", rf"## {re.escape(version)} \(2030-02-01\)", text.format(version))
        done = self.version(copy, f"v{version}")
        assert done.returncode == 1
        assert f"CHANGELOG.md has no heading '## {version} (2030-02-01)'" in done.stderr

    def test_the_notes_are_the_section_of_the_version(self, copy: Path) -> None:
        assert self.version(copy, "--notes").stdout.strip() == "all of it"
        self.change(copy / "CHANGELOG.md", "all of it", "")
        done = self.version(copy, "--notes")
        assert done.returncode == 1
        assert "CHANGELOG.md says nothing about" in done.stderr


class TestReproducible:
    """`.ci/reproducible` with a stand-in for the build."""

    @pytest.fixture
    def copy(self, tmp_path: Path) -> Path:
        program("make")
        (tmp_path / ".ci").mkdir()
        shutil.copy(ROOT / ".ci" / "reproducible", tmp_path / ".ci")
        recipe = "mkdir -p target/release/maven && echo same | tee target/release/a >target/release/maven/b"
        (tmp_path / "Makefile").write_text(f"release:\n\t@{recipe}\n")
        return tmp_path

    @staticmethod
    def compare(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run(str(copy / ".ci" / "reproducible"), *arguments, cwd=copy)

    def test_equal_builds(self, copy: Path) -> None:
        done = self.compare(copy)
        assert done.returncode == 0, done.stderr
        assert done.stdout == "reproducible: 2 files, equal in both builds\n"

    def test_a_file_that_differs_in_the_second_build(self, copy: Path) -> None:
        with (copy / "Makefile").open("a") as file:
            file.write("\t@echo x >>times && cp times target/release/maven/b\n")
        done = self.compare(copy)
        assert done.returncode == 1
        assert "./maven/b" in done.stderr
        assert "./a" not in done.stderr

    def test_an_earlier_build(self, copy: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
        earlier = tmp_path_factory.mktemp("earlier")
        assert self.compare(copy).returncode == 0
        shutil.copytree(copy / "target" / "release", earlier, dirs_exist_ok=True)
        assert self.compare(copy, str(earlier)).returncode == 0
        (earlier / "a").write_text("other\n")
        assert self.compare(copy, str(earlier)).returncode == 1
        (earlier / "a").unlink()
        assert self.compare(copy, str(earlier)).returncode == 1
