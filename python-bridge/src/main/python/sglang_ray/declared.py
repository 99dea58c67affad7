# SPDX-License-Identifier: Apache-2.0
"""The fields of a dataclass as its source declares them, without importing it.

``sglang.multimodal_gen`` declares its arguments in a module that imports all of the extra ``diffusion``; who checks a
configuration rarely has that, but has the source.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sglang_ray.fields import Field

_SIMPLE = {"bool": "bool", "int": "int", "float": "float", "str": "str"}
_LISTS = {"list", "List", "tuple", "Tuple", "set", "Set", "Sequence"}
_DICTS = {"dict", "Dict", "Mapping"}


def declared_fields(files: Iterable[Path], record: str) -> list[Field]:
    """The fields of a class in declaration order, those of its bases (where the files declare them) first."""
    classes = {node.name: node for file in files for node in _classes(file)}
    found: dict[str, Field] = {}
    for node in _with_bases(classes, record):
        for statement in node.body:
            if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
                continue
            if not _is_class_variable(statement.annotation):
                found[statement.target.id] = _field(statement.target.id, statement)
    return list(found.values())


def _classes(file: Path) -> Iterator[ast.ClassDef]:
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            yield node


def _with_bases(classes: dict[str, ast.ClassDef], name: str) -> list[ast.ClassDef]:
    node = classes.get(name)
    if node is None:
        return []
    inherited = [found for base in node.bases if isinstance(base, ast.Name) for found in _with_bases(classes, base.id)]
    return [*inherited, node]


def _field(name: str, statement: ast.AnnAssign) -> Field:
    members = list(_members(statement.annotation))
    default = _literal(statement.value)
    kinds = sorted({kind for member in members for kind in _kinds(member)})
    literals = [value for member in members for value in _literals(member) if value is not None]
    kind = kinds[0] if len(kinds) == 1 else "any"
    unset = isinstance(statement.value, ast.Constant) and statement.value.value is None
    return Field(
        name=name,
        type=kind,
        nullable=unset or kind == "any" or any(_is_none(member) for member in members),
        items=_items(members, kind),
        types=kinds if len(kinds) > 1 and "any" not in kinds else None,
        required=statement.value is None,
        default=default,
        choices=literals or None,
        cli=None,
        aliases=[],
        help="",
    )


def _is_class_variable(annotation: ast.expr) -> bool:
    return _name(annotation.value if isinstance(annotation, ast.Subscript) else annotation) == "ClassVar"


def _members(annotation: ast.expr) -> Iterator[ast.expr]:
    """The alternatives of a union, however it is written."""
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        yield from _members(annotation.left)
        yield from _members(annotation.right)
    elif isinstance(annotation, ast.Subscript) and _name(annotation.value) == "Optional":
        yield from _members(annotation.slice)
        yield ast.Constant(value=None)
    elif isinstance(annotation, ast.Subscript) and _name(annotation.value) == "Union":
        for member in _arguments(annotation):
            yield from _members(member)
    else:
        yield annotation


def _kinds(member: ast.expr) -> set[str]:
    if _is_none(member):
        return set()
    literals = _literals(member)
    if literals:
        return {_SIMPLE.get(type(value).__name__, "any") for value in literals if value is not None}
    name = _name(member.value if isinstance(member, ast.Subscript) else member)
    if name in _LISTS:
        return {"list"}
    return {"dict"} if name in _DICTS else {_SIMPLE.get(name, "any")}


def _items(members: list[ast.expr], kind: str) -> str | None:
    if kind != "list":
        return None
    lists = [member for member in members if isinstance(member, ast.Subscript)]
    kinds = _kinds(_arguments(lists[0])[0]) if len(lists) == 1 else set()
    return kinds.pop() if len(kinds) == 1 else "any"


def _literals(member: ast.expr) -> list[Any]:
    if not isinstance(member, ast.Subscript) or _name(member.value) != "Literal":
        return []
    return [value.value for value in _arguments(member) if isinstance(value, ast.Constant)]


def _arguments(subscript: ast.Subscript) -> list[ast.expr]:
    return list(subscript.slice.elts) if isinstance(subscript.slice, ast.Tuple) else [subscript.slice]


def _is_none(member: ast.expr) -> bool:
    return isinstance(member, ast.Constant) and member.value is None


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr if _name(node.value) in ("typing", "builtins") else ""
    return node.id if isinstance(node, ast.Name) else ""


def _literal(value: ast.expr | None) -> Any:
    """A default that the source spells out; none where it has to be computed."""
    if value is None:
        return None
    try:
        found = ast.literal_eval(value)
    except ValueError:
        return None
    return sorted(found) if isinstance(found, set) else found
