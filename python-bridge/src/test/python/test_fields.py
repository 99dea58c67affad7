# SPDX-License-Identifier: Apache-2.0
"""Field descriptions from both ways in which SGLang versions declare their arguments."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Annotated, Any, Callable, Literal, Optional, Union

import msgspec
import pytest

from sglang_ray.fields import HELP_LENGTH, Field, describe, plain, record_names


class Meta(msgspec.Struct, frozen=True):
    """Shaped like SGLang's own ``Arg``."""

    help: str = ""
    choices: Optional[list[str]] = None


class Struct(msgspec.Struct):
    model_path: Annotated[str, Meta(help="Where the  model\n is.")]
    tp_size: Annotated[int, "How many."] = 1
    fraction: Optional[float] = None
    backend: Annotated[Optional[str], Meta(choices=["a", "b"])] = None
    verify: Union[bool, str] = True
    mode: Literal["fast", "slow"] = "fast"
    level: Optional[Literal[1, 2]] = None
    names: list[str] = msgspec.field(default_factory=lambda: ["x"])
    weights: Optional[list[dict[str, Any]]] = None
    table: Optional[dict[str, str]] = None
    hook: Optional[Callable[[], None]] = None


@dataclasses.dataclass
class Data:
    model_path: str
    tp_size: int = 1
    fraction: Optional[float] = None
    names: list[str] = dataclasses.field(default_factory=lambda: ["x"])
    backend: Optional[str] = None


def by_name(record: type, parser: argparse.ArgumentParser | None = None) -> dict[str, Field]:
    return {field.name: field for field in describe(record, parser)}


def test_a_struct() -> None:
    fields = by_name(Struct)
    assert list(fields) == record_names(Struct)
    path = fields["model_path"]
    assert (path.type, path.required, path.nullable, path.help) == ("str", True, False, "Where the model is.")
    assert (fields["tp_size"].type, fields["tp_size"].default, fields["tp_size"].help) == ("int", 1, "How many.")
    assert (fields["fraction"].type, fields["fraction"].nullable, fields["fraction"].required) == ("float", True, False)
    assert fields["backend"].choices == ["a", "b"]
    assert (fields["verify"].type, fields["verify"].types) == ("any", ["bool", "str"])
    assert (fields["mode"].type, fields["mode"].choices) == ("str", ["fast", "slow"])
    assert (fields["level"].type, fields["level"].choices, fields["level"].nullable) == ("int", [1, 2], True)
    assert (fields["names"].type, fields["names"].items, fields["names"].default) == ("list", "str", ["x"])
    assert (fields["weights"].type, fields["weights"].items) == ("list", "dict")
    assert fields["table"].type == "dict"
    assert fields["hook"].type == "any"


def test_a_dataclass_completed_by_its_command_line() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model-path", "--model", help="The model.", required=True)
    parser.add_argument("--tensor-parallel-size", "--tp-size", dest="tp_size", type=int)
    parser.add_argument("--backend", choices=["a", "b"], help=argparse.SUPPRESS)
    fields = by_name(Data, parser)
    assert (fields["model_path"].cli, fields["model_path"].aliases) == ("--model-path", ["model"])
    assert fields["model_path"].required
    assert fields["model_path"].help == "The model."
    assert fields["tp_size"].aliases == ["tensor_parallel_size"]
    assert (fields["backend"].choices, fields["backend"].help) == (["a", "b"], "")
    assert (fields["names"].default, fields["names"].required) == (["x"], False)
    assert fields["fraction"].cli is None


def test_a_very_long_help_is_cut() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fraction", help="word " * 500)
    text = by_name(Data, parser)["fraction"].help
    assert len(text) <= HELP_LENGTH
    assert text.endswith("…")


@pytest.mark.parametrize(
    ("value", "expected"),
    [((1, "a"), [1, "a"]), ({"b", "a"}, ["a", "b"]), ({1: None}, {"1": None}), (Meta, str(Meta))],
)
def test_plain_values(value: Any, expected: Any) -> None:
    assert plain(value) == expected
