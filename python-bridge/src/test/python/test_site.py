# SPDX-License-Identifier: Apache-2.0
"""The documentation: it builds, its links lead somewhere, and its tables are what the code says."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import sglang_ray.fleet
import sglang_ray.future
import sglang_ray.launching

ROOT = Path(__file__).resolve().parents[4]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
OTHERS = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "AGENTS.md", "SECURITY.md")]
OTHERS += [ROOT / "bench" / "README.md"]
FENCE = re.compile(r"^ *```(\w*)")
#: What the site generates; on GitHub such a link leads nowhere.
GENERATED = "docs/api/"


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(page: Path) -> Iterator[tuple[int, str]]:
    """The lines outside of fences, with their numbers."""
    fenced = False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            yield number, line


def blocks(page: Path, language: str) -> Iterator[tuple[int, str]]:
    """The fenced blocks of a language, with the number of the line before them."""
    lines = page.read_text(encoding="utf-8").splitlines()
    start: int | None = None
    for number, line in enumerate(lines):
        found = FENCE.match(line)
        if found and start is None:
            start = number
        elif found and start is not None:
            opened = FENCE.match(lines[start])
            if opened and opened[1] == language:
                yield start + 1, "\n".join(lines[start + 1 : number])
            start = None


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site make them."""
    found = set()
    for _, line in prose(page):
        heading = re.match(r"#+ (.*)", line)
        if heading:
            text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading[1]).lower()
            found.add(re.sub(r"[^\w\- ]", "", text).replace(" ", "-"))
    return found


def test_the_site_builds_and_no_link_is_broken(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "start" / "demo.html").is_file()
    assert "update_weights" in (tmp_path / "api" / "python" / "sglang_ray" / "fleet.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES + OTHERS, ids=name)
def test_links_lead_to_files_and_headings_of_the_repository(page: Path) -> None:
    for number, line in prose(page):
        for target, anchor in re.findall(r"\]\((?![a-z]+:)([^)\s#]*)(#[^)\s]*)?\)", line):
            place = (page.parent / target).resolve() if target else page
            if name(place).startswith(GENERATED):
                continue
            assert place.exists(), f"{name(page)}:{number}: {target}"
            if anchor and place.suffix == ".md":
                assert anchor[1:] in anchors(place), f"{name(page)}:{number}: {target}{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_list_has_an_empty_line_before_it(page: Path) -> None:
    """Without it GitHub shows a list and the site does not."""
    before = ""
    for number, line in prose(page):
        item = re.match(r"(?:[-*]|\d+\.) ", line)
        if item and before.strip() and not re.match(r"(?:[-*]|\d+\.) |  ", before):
            pytest.fail(f"{name(page)}:{number}: an empty line is missing before this list")
        before = line


def test_the_table_of_keys_is_what_the_schema_says() -> None:
    keys = load(DOCS / "tools" / "keys.py")
    assert keys.page() == keys.PAGE.read_text(encoding="utf-8"), "run python docs/tools/keys.py"


def load(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=name)
def test_python_calls_what_there_is(page: Path) -> None:
    for number, text in blocks(page, "python"):
        tree = compile(text, f"{page}:{number}", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                owner = {
                    "fleet": sglang_ray.launching.LaunchedFleet,
                    "group": sglang_ray.launching.LaunchedFleet,
                    "report": sglang_ray.fleet.UpdateReport,
                    "sglang_ray": sglang_ray,
                }.get(node.value.id)
                known = [] if owner is None else [*dir(owner), *getattr(owner, "__annotations__", ())]
                known += getattr(owner, "__all__", ())
                assert owner is None or node.attr in known, f"{name(page)}:{number + node.lineno}: {node.attr}"
