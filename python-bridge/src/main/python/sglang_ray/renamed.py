# SPDX-License-Identifier: Apache-2.0
"""Arguments by the names that they have in other versions of SGLang and of the router.

The version of this node decides: a driver cannot know it. ``schemas/renames.json`` says what took the place of an
argument, ``schemas/releases-KIND.json`` which releases have it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from typing import Any

from sglang_ray import packages, schema
from sglang_ray.errors import BridgeError, unknown_key

Say = Callable[[str], None]


def current(what: str, kind: str, given: dict[str, Any], fields: Collection[str], say: Say) -> dict[str, Any]:
    """The arguments by the names of the installed version; each that is renamed is said.

    Raises :class:`BridgeError` for a key that the installed version neither has nor has another name for.
    """
    arguments = {key: value for key, value in given.items() if key in fields}
    others = {key: value for key, value in given.items() if key not in fields}
    changes = _read("renames").get(kind, []) if others else []
    by_old = {change["old"]: change for change in changes}
    package = schema.package(kind)
    sources: dict[str, str] = {}
    for key, value in others.items():
        found = _successor(key, value, by_old, fields)
        if found is None:
            record = "RouterArgs" if kind in schema.ROUTER_KINDS else "ServerArgs"
            owner = f"{record} of {package} {packages.version(package)}"
            raise unknown_key(what, key, fields, owner, _why_absent(kind, key, by_old.get(key)))
        name, new_value, known, since = found
        place = f"since {package} {since} {name} is in the place of {key}"
        if value is not None and not known:
            raise BridgeError(f"{what}: {key}: {place}, which has nothing for the value given")
        if value is not None and new_value is None:
            say(f"{key} is left out: {place}")
        elif value is not None and arguments.get(name) is not None:
            raise BridgeError(f"{what}: {key}: {place}, which is given too, as {sources.get(name, name)}; remove one")
        elif value is not None or name not in arguments:
            say(f"{key} is passed on as {name}, which it is called since {package} {since}")
            arguments[name] = new_value
            sources[name] = key
    return arguments


def _successor(
    key: str, value: Any, by_old: dict[str, Any], fields: Collection[str]
) -> tuple[str, Any, bool, str] | None:
    """What an argument is here: name, value, whether there is one for the given, first release where it is so."""
    known = True
    seen = {key}
    change = by_old.get(key)
    while change is not None and "new" in change:
        if "values" in change and value is not None and known:
            word = str(value).lower() if isinstance(value, bool) else str(value)
            known = word in change["values"]
            value = change["values"].get(word)
        if change["new"] in fields:
            return change["new"], value, known, change["since"]
        if change["new"] in seen:
            break
        seen.add(change["new"])
        change = by_old.get(change["new"])
    return None


def _why_absent(kind: str, key: str, change: dict[str, Any] | None) -> str:
    """Why the installed version does not have an argument, and what to do; empty where no release has it either."""
    history = _read(f"releases-{kind}")
    versions = [release["version"] for release in history.get("releases", [])]
    rows = [row for row in history.get("fields", []) if row["name"] == key]
    installed = packages.version(schema.package(kind))
    if not rows or not installed:
        return ""
    advice = f"; {change['advice']}" if change and "advice" in change else ""
    first, last = rows[0]["from"], rows[-1].get("to", versions[-1])
    if order(installed) < order(first):
        return f"it comes with {first}{advice}"
    if last != versions[-1] and order(installed) > order(last):
        return f"it was dropped in {versions[versions.index(last) + 1]}{advice}"
    return f"releases {first} to {last} have it{advice}"


def order(version: str) -> tuple[int, ...]:
    """Releases by their numbers: 0.5.9 before 0.5.10 before 0.5.10.post1; a pre-release counts as what it leads to."""
    return tuple(int(number) for number in re.findall(r"\d+", re.sub(r"(a|b|rc|\.dev|\+).*", "", version)))


def _read(name: str) -> dict[str, Any]:
    for folder in schema.bundled_folders():
        path = folder / f"{name}.json"
        if path.is_file():
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return found
    return {}
