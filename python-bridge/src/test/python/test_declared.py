# SPDX-License-Identifier: Apache-2.0
"""Fields read from source text."""

from __future__ import annotations

from pathlib import Path

from sglang_ray.declared import declared_fields
from sglang_ray.fields import Field

SOURCE = '''
import not_installed

class Base:
    port: int | None = 30000
    shadowed: str = "a"

class Other:
    ignored: int = 1

class Record(Base, not_installed.Mixin):
    """Text."""

    model: str
    LIMITS: ClassVar[dict] = {}
    shadowed: bool = True
    loose: str = None
    ratio: Optional[float] = None
    sizes: list[int] = field(default_factory=list)
    table: dict[str, str] | str | None = None
    level: Literal["low", "high"] = "low"
    config: not_installed.Config = field(default_factory=not_installed.Config)
    union: Union[int, None, str] = 1
    CONSTANT = 3

    def method(self) -> int:
        inner: int = 1
        return inner
'''


def fields(folder: Path) -> dict[str, Field]:
    file = folder / "record.py"
    file.write_text(SOURCE)
    return {field.name: field for field in declared_fields([file], "Record")}


def test_names_come_in_order_and_bases_first(tmp_path: Path) -> None:
    assert list(fields(tmp_path)) == [
        "port", "shadowed", "model", "loose", "ratio", "sizes", "table", "level", "config", "union",
    ]  # fmt: skip


def test_types_defaults_and_choices(tmp_path: Path) -> None:
    found = fields(tmp_path)
    assert {name: field.type for name, field in found.items()} == {
        "port": "int",
        "shadowed": "bool",
        "model": "str",
        "loose": "str",
        "ratio": "float",
        "sizes": "list",
        "table": "any",
        "level": "str",
        "config": "any",
        "union": "any",
    }
    assert [name for name, field in found.items() if field.required] == ["model"]
    assert {name for name, field in found.items() if not field.nullable} == {"shadowed", "model", "sizes", "level"}
    assert (found["table"].types, found["union"].types, found["config"].types) == (
        ["dict", "str"],
        ["int", "str"],
        None,
    )
    assert (found["sizes"].items, found["level"].choices, found["port"].default) == ("int", ["low", "high"], 30000)


def test_a_record_that_is_not_there_has_no_fields(tmp_path: Path) -> None:
    file = tmp_path / "other.py"
    file.write_text("x = 1\n")
    assert declared_fields([file], "Record") == []
