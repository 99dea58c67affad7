# SPDX-License-Identifier: Apache-2.0
"""Reading the arguments of a release from its wheel, without what it imports."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import release_schemas

SERVER_ARGS = """
import argparse
import dataclasses
from typing import List, Literal, Optional

import torch
from sglang.srt.parsers import PARSERS
from sglang.srt.utils import is_cuda, number

BACKENDS = ["triton", "fa3"]

@dataclasses.dataclass
class ServerArgs:
    model_path: str
    tp_size: int = 1
    backend: Optional[str] = None
    parser: Optional[str] = None
    device: str = torch.device("cuda")
    mode: Literal["a", "b"] = "a"
    sizes: Optional[List[int]] = None

    @staticmethod
    def add_cli_args(parser):
        if is_cuda():
            BACKENDS.append("never")
        parser.add_argument("--tp-size", "--tensor-parallel-size", type=number, default=ServerArgs.tp_size)
        parser.add_argument("--backend", choices=BACKENDS)
        parser.add_argument("--parser", choices=["auto"] + list(PARSERS))
"""


def wheel(folder: Path, version: str, server_args: str) -> Path:
    path = folder / f"sglang-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("sglang/__init__.py", "raise RuntimeError('the package itself must not be imported')")
        archive.writestr("sglang/srt/server_args.py", server_args)
        metadata = f"Metadata-Version: 2.1\nName: sglang\nVersion: {version}\n"
        archive.writestr(f"sglang-{version}.dist-info/METADATA", metadata)
    return path


def read(path: Path) -> dict[str, Any]:
    reader = [sys.executable, "-I", "-B", str(release_schemas.__file__), str(path), "server"]
    done = subprocess.run(reader, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_wheel_is_read_without_its_imports(tmp_path: Path) -> None:
    found = read(wheel(tmp_path, "1.2", SERVER_ARGS))
    assert (found["package"], found["version"]) == ("sglang", "1.2")
    rows = {field["name"]: release_schemas.row(field, "server") for field in found["fields"]}
    assert rows == {
        "model_path": {"type": "str", "nullable": False, "required": True},
        "tp_size": {"type": "int", "nullable": False, "default": 1, "aliases": ["tensor_parallel_size"]},
        "backend": {"type": "str", "nullable": True, "choices": ["triton", "fa3"]},
        "parser": {"type": "str", "nullable": True},
        "device": {"type": "str", "nullable": False},
        "mode": {"type": "str", "nullable": False, "default": "a", "choices": ["a", "b"]},
        "sizes": {"type": "list", "nullable": True, "items": "int"},
    }


def test_a_row_lasts_as_long_as_the_field_stays_alike() -> None:
    def release(version: str, **fields: dict[str, Any]) -> dict[str, Any]:
        return {"version": version, "fields": [{"name": name, **facts} for name, facts in fields.items()]}

    schemas = [
        release("0.5.9", a={"type": "int"}, b={"type": "str"}),
        release("0.5.10", a={"type": "int"}, b={"type": "int"}, c={"type": "str"}),
        release("0.5.10.post1", a={"type": "int"}, c={"type": "str"}),
    ]
    assert release_schemas.spans(schemas, "server") == [
        {"name": "a", "from": "0.5.9", "type": "int"},
        {"name": "b", "from": "0.5.9", "type": "str", "to": "0.5.9"},
        {"name": "b", "from": "0.5.10", "type": "int", "to": "0.5.10"},
        {"name": "c", "from": "0.5.10", "type": "str"},
    ]


def test_a_release_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    wheel(tmp_path, "1.2", "import nothing\nraise RuntimeError\n")
    with pytest.raises(SystemExit, match=r"sglang-1.2-py3-none-any.whl: cannot read the server arguments"):
        release_schemas.write(tmp_path, tmp_path)
