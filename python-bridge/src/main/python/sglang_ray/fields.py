# SPDX-License-Identifier: Apache-2.0
"""The fields of SGLang's argument records, whichever way a version declares them (msgspec struct or dataclass)."""

from __future__ import annotations

import argparse
import dataclasses
import types
import typing
from dataclasses import dataclass
from typing import Any

#: Longer help texts are cut: some list hundreds of model names.
HELP_LENGTH = 400

_NONE = type(None)
_UNIONS: tuple[Any, ...] = (typing.Union, getattr(types, "UnionType", typing.Union))
_SIMPLE = {bool: "bool", int: "int", float: "float", str: "str"}


@dataclass(frozen=True)
class Field:
    """One field, as ``docs/python-bridge.md`` describes it."""

    name: str
    type: str
    nullable: bool
    items: str | None
    types: list[str] | None
    required: bool
    default: Any
    choices: list[Any] | None
    cli: str | None
    aliases: list[str]
    help: str


def record_names(record: type) -> list[str]:
    """Field names in declaration order."""
    struct = getattr(record, "__struct_fields__", None)
    if struct is not None:
        return list(struct)
    return [field.name for field in dataclasses.fields(record)]


def describe(record: Any, parser: argparse.ArgumentParser | None) -> list[Field]:
    """All fields of a record class, completed by the command line that its package builds from it, when given."""
    hints = typing.get_type_hints(record, include_extras=True)
    actions = _actions_by_field(parser)
    defaults = _defaults(record)
    return [_field(name, hints.get(name, Any), defaults, actions.get(name)) for name in record_names(record)]


def is_nullable(hint: Any) -> bool:
    """Whether None is a value of the type."""
    inner, _ = _unwrap_annotated(hint)
    return inner is Any or None in _literals(inner) or _NONE in _members(inner)


def _field(name: str, hint: Any, defaults: dict[str, Any], action: argparse.Action | None) -> Field:
    inner, meta = _unwrap_annotated(hint)
    members = [member for member in _members(inner) if member is not _NONE]
    kinds = sorted({kind for member in members for kind in _kinds(member)})
    literals = [value for member in members for value in _literals(member) if value is not None]
    only = members[0] if len(members) == 1 else None
    kind = kinds[0] if len(kinds) == 1 else "any"
    choices = getattr(meta, "choices", None) or literals or (action.choices if action is not None else None)
    options = [option for option in action.option_strings if option.startswith("--")] if action is not None else []
    has_default = name in defaults
    return Field(
        name=name,
        type=kind,
        nullable=is_nullable(hint),
        items=_items(only) if kind == "list" else None,
        types=kinds if len(kinds) > 1 else None,
        required=not has_default,
        default=plain(defaults[name]) if has_default else None,
        choices=_choices(choices),
        cli=options[0] if options else None,
        aliases=[alias for alias in (_as_name(option) for option in options) if alias != name],
        help=_help(meta, action),
    )


def plain(value: Any) -> Any:
    """A value as JSON can carry it; what it cannot carry is shown as text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(plain(item) for item in value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return str(value)


def _unwrap_annotated(hint: Any) -> tuple[Any, Any]:
    if typing.get_origin(hint) is not typing.Annotated:
        return hint, None
    inner, *extras = typing.get_args(hint)
    for extra in extras:
        if isinstance(extra, str) or hasattr(extra, "help"):
            return inner, extra
    return inner, None


def _members(hint: Any) -> tuple[Any, ...]:
    return typing.get_args(hint) if typing.get_origin(hint) in _UNIONS else (hint,)


def _literals(hint: Any) -> tuple[Any, ...]:
    return typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else ()


def _kinds(hint: Any) -> set[str]:
    literals = _literals(hint)
    if literals:
        return {_SIMPLE.get(type(value), "any") for value in literals if value is not None}
    if hint in _SIMPLE:
        return {_SIMPLE[hint]}
    origin = typing.get_origin(hint) or hint
    if origin in (list, tuple, set, frozenset):
        return {"list"}
    return {"dict"} if origin is dict else {"any"}


def _items(hint: Any) -> str | None:
    arguments = typing.get_args(hint)
    kinds = _kinds(arguments[0]) if arguments else set()
    return kinds.pop() if len(kinds) == 1 else "any"


def _choices(choices: Any) -> list[Any] | None:
    if not choices:
        return None
    values = [plain(choice) for choice in choices]
    return sorted(values) if isinstance(choices, (set, frozenset)) else values


def _help(meta: Any, action: argparse.Action | None) -> str:
    text = meta if isinstance(meta, str) else getattr(meta, "help", "")
    if not text and action is not None and action.help != argparse.SUPPRESS:
        text = action.help or ""
    text = " ".join(text.split())
    return text if len(text) <= HELP_LENGTH else text[: HELP_LENGTH - 1].rstrip() + "…"


def _as_name(option: str) -> str:
    return option.lstrip("-").replace("-", "_")


def _actions_by_field(parser: argparse.ArgumentParser | None) -> dict[str, argparse.Action]:
    found: dict[str, argparse.Action] = {}
    for action in parser._actions if parser is not None else ():
        if type(action).__name__.startswith("Deprecated"):
            continue
        found.setdefault(action.dest, action)
    return found


def _defaults(record: Any) -> dict[str, Any]:
    """Defaults by field; a field without one is absent."""
    if hasattr(record, "__struct_fields__"):
        import msgspec

        absent: tuple[Any, ...] = (msgspec.NODEFAULT,)
        fields: Any = msgspec.structs.fields(record)
    else:
        absent = (dataclasses.MISSING,)
        fields = dataclasses.fields(record)
    found: dict[str, Any] = {}
    for field in fields:
        if not any(field.default is missing for missing in absent):
            found[field.name] = field.default
        elif not any(field.default_factory is missing for missing in absent):
            found[field.name] = field.default_factory()
    return found
