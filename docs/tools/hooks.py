# SPDX-License-Identifier: Apache-2.0
"""What MkDocs does besides for this site: pages from outside ``docs/``, links to them, the two APIs, and ``llms.txt``.

A link in a page names a file of the repository, as GitHub shows it. Here a link to a page or a published file is turned
into one to its copy in the site. Any other link is an error, so a renamed file is noticed.
"""

from __future__ import annotations

import posixpath
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation, Section
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
#: Files outside ``docs/`` that are part of the site, by their path in the repository.
PUBLISHED = (
    "CODE_OF_CONDUCT.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "bench/README.md",
    "deploy/helm/sglang-ray/values.yaml",
    "ray-app/conf/demo.yaml",
    "ray-app/conf/sglang-ray.schema.json",
    "ray-app/conf/prometheus/alerts.yml",
    "ray-app/conf/prometheus/grafana.json",
    "ray-app/examples/TrainingLoop.java",
    "ray-app/examples/rl_loop/rl_loop.py",
)
REPOSITORY = "repository/"
#: Pages whose tables need the room of the contents beside them.
WIDE = ("reference/yaml.md",)
JAVADOC = ROOT / "target" / "reports" / "apidocs"
NOT_BUILT = (
    "<!doctype html><title>Java API</title><p>This copy of the site was built without Javadoc: run `make site`.</p>"
)
#: A Markdown link to a file: no scheme, not only an anchor.
LINK = re.compile(r"(\]\()(?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?(?=\))")
FENCE = re.compile(r"^\s*```")
#: What ends the first sentence of a page, and what belongs to Markdown in it.
SENTENCE = re.compile(r"(?<=[.?!])\s.*", re.DOTALL)
MARKUP = re.compile(r"\[([^]]*)\]\([^)]*\)|[`*]")
#: What the present build has seen: the order of the pages, and their text.
_nav: Navigation
_texts: dict[str, str] = {}


def on_files(files: Files, config: Any, **_: Any) -> Files:
    for path in PUBLISHED:
        content = (ROOT / path).read_bytes()
        files.append(File.generated(config, REPOSITORY + path, content=content))
    for page in ("java/index.html", "python/index.html", "python/sglang_ray/fleet.html"):
        files.append(File.generated(config, f"api/{page}", content=NOT_BUILT))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    source = page.file.src_uri
    if source in WIDE:
        page.meta["hide"] = ["toc"]
    here = source.removeprefix(REPOSITORY) if source.startswith(REPOSITORY) else "docs/" + source

    def link(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(here), match[2]))
        if target.startswith("docs/"):
            inside = target.removeprefix("docs/")
        elif target in PUBLISHED:
            inside = REPOSITORY + target
        else:
            raise PluginError(
                f"{here}: the link to {match[2]} leads to no page and no published file (docs/tools/hooks.py)"
            )
        return match[1] + posixpath.relpath(inside, posixpath.dirname(source) or ".") + (match[3] or "")

    lines, fenced = [], False
    for line in markdown.split("\n"):
        if FENCE.match(line):
            fenced = not fenced
        lines.append(line if fenced else LINK.sub(link, line))
    _texts[source] = "\n".join(lines)
    return _texts[source]


def on_nav(nav: Navigation, **_: Any) -> Navigation:
    global _nav
    _nav = nav
    _texts.clear()
    return nav


def first_sentence(markdown: str) -> str:
    """What a page says that it is: the first sentence that is neither heading, table, comment, list nor code."""
    fenced = False
    for paragraph in markdown.split("\n\n"):
        text = " ".join(paragraph.split())
        if not fenced and text and text[0] not in "#|<!-" and not FENCE.match(text):
            return SENTENCE.sub("", MARKUP.sub(lambda match: match[1] or "", text)).removesuffix(":")
        fenced ^= sum(bool(FENCE.match(line)) for line in paragraph.split("\n")) % 2 == 1
    return ""


def write_llms(site: Path, config: Any) -> None:
    """The site for programs that read text: https://llmstxt.org."""
    summary = [f"# {config.site_name}", "", f"> {config.site_description}", ""]
    summary += ["The text of all pages: [llms-full.txt](llms-full.txt)."]
    full = [*summary[:3]]

    def add(item: Any) -> None:
        if isinstance(item, Section):
            summary.extend(["", f"## {item.title}", ""])
            for child in item.children:
                add(child)
        elif isinstance(item, Page):
            text = _texts[item.file.src_uri]
            summary.append(f"- [{item.title}]({item.file.url}): {first_sentence(text)}")
            full.extend(["", f"<!-- {item.file.url} -->", "", text.strip()])

    summary.extend(["", "## Start here", ""])
    for item in _nav.items:
        add(item)
    (site / "llms.txt").write_text("\n".join(summary) + "\n", encoding="utf-8")
    (site / "llms-full.txt").write_text("\n".join(full) + "\n", encoding="utf-8")


def on_post_build(config: Any, **_: Any) -> None:
    write_llms(Path(config.site_dir), config)
    api = Path(config.site_dir) / "api"
    if JAVADOC.is_dir():
        shutil.copytree(JAVADOC, api / "java", dirs_exist_ok=True)
    sources = ROOT / "python-bridge" / "src" / "main" / "python"
    # Only what a program calls: the other modules are run by the workers.
    modules = [f"sglang_ray.{name}" for name in ("fleet", "launching", "future", "bundles", "errors")]
    command = [sys.executable, "-m", "pdoc", "--output-directory", str(api / "python"), *modules]
    environment = {"PYTHONPATH": str(sources), "PYTHONDONTWRITEBYTECODE": "1", "PATH": "/usr/bin:/bin"}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
