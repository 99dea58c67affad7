# SPDX-License-Identifier: Apache-2.0
"""What MkDocs does besides for this site: pages from outside ``docs/``, links to them, and the two APIs.

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

ROOT = Path(__file__).resolve().parents[2]
#: Files outside ``docs/`` that are part of the site, by their path in the repository.
PUBLISHED = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "bench/README.md",
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
    return "\n".join(lines)


def on_post_build(config: Any, **_: Any) -> None:
    api = Path(config.site_dir) / "api"
    if JAVADOC.is_dir():
        shutil.copytree(JAVADOC, api / "java", dirs_exist_ok=True)
    sources = ROOT / "python-bridge" / "src" / "main" / "python"
    # Only what a program calls: the other modules are run by the workers.
    modules = [f"sglang_ray.{name}" for name in ("fleet", "launching", "future", "bundles", "errors")]
    command = [sys.executable, "-m", "pdoc", "--no-search", "--output-directory", str(api / "python"), *modules]
    environment = {"PYTHONPATH": str(sources), "PYTHONDONTWRITEBYTECODE": "1", "PATH": "/usr/bin:/bin"}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
