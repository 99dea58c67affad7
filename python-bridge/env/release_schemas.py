# SPDX-License-Identifier: Apache-2.0
"""The arguments of released versions, from their wheels: ``release_schemas.py WHEELS`` writes ``releases-KIND.json``.

``prepare schemas`` runs this, in an environment that has msgspec. Nothing of a wheel is installed, and of its code only
what declares arguments is run. All that this imports (torch, the rest of SGLang) is replaced by a stand-in. What is
made from a stand-in, such as the choices that a native library lists, is left out: it is not known.
"""

from __future__ import annotations

import hashlib
import importlib.abc
import importlib.machinery
import json
import re
import subprocess
import sys
import tempfile
import types
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "src" / "main" / "python"))

from sglang_ray import schema
from sglang_ray.errors import EXIT_MISSING_PACKAGE, run

FORMAT = 1
#: What a value made from a stand-in reads as.
UNKNOWN = "<unknown>"
#: The package of each kind of arguments.
PACKAGES = {"server": "sglang", "embodied": "sglang", "router": "sglang-router", "smg": "smg"}
#: What declares the arguments. All other modules that are not of the standard library are replaced.
_DECLARING = (
    "sglang.srt.server_args",
    "sglang.srt.arg_groups",
    "sglang.srt.parser.reasoning_parser_names",
    "sglang.srt.function_call.parser_names",
    "sglang_router.router_args",
    "smg.router_args",
)
#: What is unpacked of a wheel: the files of those modules, and those that are read and not imported.
_MEMBERS = re.compile(
    r".*\.dist-info/.*|(sglang_router|smg)/router_args\.py"
    r"|sglang/srt/(server_args|arg_groups/.*|parser/reasoning_parser_names|function_call/parser_names)(\.py)?"
    r"|sglang/multimodal_gen/runtime/server_args(\.py|/.*)"
)
_REAL = {*sys.stdlib_module_names, "msgspec", "sglang_ray", "typing_extensions"}
#: Left out of a row where it says no more than this.
_PLAIN = {"settable": True, "filled": False, "required": False, "aliases": [], "default": None}


class _StandInType(type):
    """Whatever is done with a stand-in gives the stand-in, or what hurts least."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return StandIn

    def __call__(cls, *_: Any, **__: Any) -> Any:
        return StandIn

    def __iter__(cls) -> Iterator[Any]:
        yield StandIn  # what is made of its items can be told by this one

    def __getitem__(cls, _: Any) -> Any:
        return StandIn

    def __add__(cls, _: Any) -> Any:
        return [StandIn]

    __radd__ = __add__

    def __lt__(cls, _: Any) -> bool:
        return False

    __le__ = __gt__ = __ge__ = __lt__

    def __bool__(cls) -> bool:
        return False

    def __len__(cls) -> int:
        return 0

    def __repr__(cls) -> str:
        return UNKNOWN


class StandIn(metaclass=_StandInType):
    """Any class, function or value of a module that is not there."""


class _StandInModule(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return StandIn


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the declaring modules in the wheel, and stand-ins for all others; packages around them are empty."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:  # noqa: ARG002
        declaring = any(fullname == name or fullname.startswith(name + ".") for name in _DECLARING)
        if declaring or fullname.partition(".")[0] in _REAL:
            return None
        spec = importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        spec.submodule_search_locations = [str(self.folder.joinpath(*fullname.split(".")))]
        return spec

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _StandInModule(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass


def read_wheel(wheel: Path, kind: str) -> dict[str, Any]:
    """The schema of a kind as the wheel declares it. Changes how this process imports: call it once in a process."""
    with tempfile.TemporaryDirectory() as work:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(work, [name for name in archive.namelist() if _MEMBERS.fullmatch(name)])
        sys.path.insert(0, work)
        sys.meta_path.insert(0, _Finder(Path(work)))
        return schema.build(kind)


def row(field: dict[str, Any], kind: str) -> dict[str, Any]:
    """What is kept of a field: no help, of engines no command line, and nothing that says no more than its absence."""
    kept = {key: value for key, value in field.items() if key not in ("name", "help")}
    if kind not in schema.ROUTER_KINDS:
        kept.pop("cli", None)
    if UNKNOWN in map(str, kept.get("choices") or ()):
        del kept["choices"]
    if UNKNOWN in json.dumps(kept.get("default")):
        kept["default"] = None
    return {key: value for key, value in kept.items() if key not in _PLAIN or value != _PLAIN[key]}


def spans(schemas: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """A row for each field and each run of releases that have it alike; without ``to`` the newest has it too."""
    rows: list[dict[str, Any]] = []
    open_rows: dict[str, dict[str, Any]] = {}
    before = ""
    for release in schemas:
        fields = {field["name"]: row(field, kind) for field in release["fields"]}
        for name, current in list(open_rows.items()):
            facts = {key: value for key, value in current.items() if key not in ("name", "from")}
            if fields.get(name) != facts:
                current["to"] = before
                del open_rows[name]
        for name, facts in fields.items():
            if name not in open_rows:
                open_rows[name] = {"name": name, "from": release["version"], **facts}
                rows.append(open_rows[name])
        before = release["version"]
    return sorted(rows, key=lambda entry: (entry["name"], version_key(entry["from"])))


def version_key(version: str) -> tuple[int, ...]:
    """Releases in order: 0.5.9 before 0.5.10 before 0.5.10.post1."""
    return tuple(int(number) for number in re.findall(r"\d+", version))


def text(kind: str, schemas: list[dict[str, Any]], wheels: dict[str, Path]) -> str:
    """The file of a kind: one release and one row a line, so that a new release shows as a readable difference."""
    releases = [
        {
            "version": release["version"],
            "file": wheels[release["version"]].name,
            "sha256": hashlib.sha256(wheels[release["version"]].read_bytes()).hexdigest(),
            "source_sha256": release["source_sha256"],
        }
        for release in schemas
    ]
    return (
        f'{{\n  "format": {FORMAT},\n  "kind": "{kind}",\n  "package": "{PACKAGES[kind]}",\n  "releases": [\n    '
        + ",\n    ".join(json.dumps(release) for release in releases)
        + '\n  ],\n  "fields": [\n    '
        + ",\n    ".join(json.dumps(entry, ensure_ascii=False) for entry in spans(schemas, kind))
        + "\n  ]\n}\n"
    )


def write(wheel_folder: Path, target: Path) -> None:
    """Reads all wheels of a folder and writes a file for each kind."""
    for kind, package in PACKAGES.items():
        wheels = {wheel.name.split("-")[1]: wheel for wheel in wheel_folder.glob(f"{package.replace('-', '_')}-*.whl")}
        schemas = []
        for version in sorted(wheels, key=version_key):
            reader = [sys.executable, "-I", "-B", __file__, str(wheels[version]), kind]
            done = subprocess.run(reader, stdout=subprocess.PIPE, text=True, check=False)
            if done.returncode == 0:
                schemas.append(json.loads(done.stdout))
            elif done.returncode != EXIT_MISSING_PACKAGE or kind != "embodied":  # old releases have no such engines
                raise SystemExit(f"{wheels[version].name}: cannot read the {kind} arguments; the lines above say why")
        (target / f"releases-{kind}.json").write_text(text(kind, schemas, wheels), encoding="utf-8")


def main(arguments: list[str]) -> int:
    if len(arguments) == 1:
        write(Path(arguments[0]), schema.bundled_folders()[1])
        return 0
    wheel, kind = arguments

    def one() -> int:
        print(json.dumps(read_wheel(Path(wheel), kind)))
        return 0

    return run(one, "release_schemas")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
