# SPDX-License-Identifier: Apache-2.0
"""The documentation: it builds, all of it is found, its links lead somewhere, its tables are what the code says."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

import sglang_ray.fleet
import sglang_ray.future
import sglang_ray.launching

ROOT = Path(__file__).resolve().parents[4]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
OTHERS = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "AGENTS.md", "SECURITY.md")]
OTHERS += [ROOT / "CODE_OF_CONDUCT.md", ROOT / "bench" / "README.md", ROOT / ".github" / "SUPPORT.md"]
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


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_site_builds_and_no_link_is_broken(site: Path) -> None:
    assert (site / "start" / "demo.html").is_file()
    assert "update_weights" in (site / "api" / "python" / "sglang_ray" / "fleet.html").read_text(encoding="utf-8")
    assert "update_weights" in (site / "api" / "python" / "search.js").read_text(encoding="utf-8")


def pages_of_the_nav() -> dict[str, str]:
    """The address of each page in the site, with its title."""
    text = re.sub(r"!!python/\S+", "", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))

    def walk(entries: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
        for entry in entries:
            for title, target in entry.items():
                if isinstance(target, str):
                    place = re.sub(r"README\.md$", "index.md", target)
                    yield place.removesuffix(".md") + ".html", title
                else:
                    yield from walk(target)

    return dict(walk(yaml.safe_load(text)["nav"]))


def test_search_finds_every_page(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    assert {entry["location"] for entry in index["docs"] if "#" not in entry["location"]} == set(pages_of_the_nav())
    found = [entry["location"] for entry in index["docs"] if "router_type" in entry["text"]]
    assert any(location.startswith("guides/router.html") for location in found)


def test_llms_txt_has_every_page_and_says_what_it_is(site: Path) -> None:
    """The format of https://llmstxt.org: a title, a quote, sections with lists of links."""
    lines = (site / "llms.txt").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# sglang-ray"
    assert lines[2].startswith("> SGLang engines")
    links = [re.fullmatch(r"- \[(.+)\]\((\S+)\): (.+)", line) for line in lines if line.startswith("- ")]
    assert {link[2]: link[1] for link in links if link} == pages_of_the_nav()
    assert len(links) == len(pages_of_the_nav())
    for link in filter(None, links):
        assert (site / link[2]).is_file()
        assert len(link[3]) > 25, f"{link[2]} begins with a sentence that says too little: {link[3]}"
        assert not re.search(r"[|<>\[]", link[3]), link[0]
    full = (site / "llms-full.txt").read_text(encoding="utf-8")
    assert re.findall(r"^<!-- (\S+\.html) -->$", full, re.MULTILINE) == list(pages_of_the_nav())
    assert "`update_weights(path, version" in full


def test_a_version_is_published_beside_the_others(tmp_path: Path) -> None:
    for tool in ("git", "make"):
        if not shutil.which(tool) and os.environ.get("SGLANG_RAY_REQUIRE_TOOLS") is None:
            pytest.skip(f"{tool} is not installed")
    hooks = load(DOCS / "tools" / "hooks.py")
    for path in ["mkdocs.yml", "Makefile", "docs", "python-bridge/prepare", "python-bridge/env", *hooks.PUBLISHED]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / path).is_dir() else shutil.copy)(ROOT / path, tmp_path / path)
    package = Path("python-bridge", "src", "main", "python")
    shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))

    def run(*command: str) -> str:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("git", "init", "--quiet", "--initial-branch=main")
    run("git", "config", "user.name", "test")
    run("git", "config", "user.email", "test@localhost")
    run("git", "commit", "--quiet", "--allow-empty", "--message=empty")
    # Javadoc, which needs Maven, is left out.
    pages = ("make", "--old-file=api", "pages")
    run(*pages, "VERSION=1.2.3", "ALIAS=latest")
    run(*pages)
    versions = json.loads(run("git", "show", "gh-pages:versions.json"))
    assert {entry["version"]: entry["aliases"] for entry in versions} == {"1.2.3": ["latest"], "dev": []}
    files = run("git", "ls-tree", "-r", "--name-only", "gh-pages").splitlines()
    assert {"index.html", "latest", "1.2.3/llms.txt", "dev/start/demo.html", "dev/search/search_index.json"} <= set(
        files
    )
    assert "latest/" in run("git", "show", "gh-pages:index.html")
    assert '"provider": "mike"' in run("git", "show", "gh-pages:dev/index.html")


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
