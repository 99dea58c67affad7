# SPDX-License-Identifier: Apache-2.0
"""Keeps the values of secret arguments out of a server's log: SGLang writes all of its arguments there."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HIDDEN = "<hidden>"

_SHORTEST = 4


def _read() -> dict[str, Any]:
    """The rules that the Java side has too: beside the package, or in the source tree."""
    here = Path(__file__).resolve()
    file = here.with_name("secrets.json")
    if not file.exists():
        file = here.parents[5] / "config/src/main/resources/dev/sglangray/config/error/secrets.json"
    rules: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return rules


_RULES = _read()
_WORDS = re.compile(_RULES["words"])
_COUNTS = re.compile(_RULES["counts"])
_NUMBER = re.compile(_RULES["number"])
_HARMLESS = re.compile(_RULES["harmless"])
_ASSIGNMENT = re.compile(_RULES["assignment"])
_OPTION = re.compile(_RULES["option"])
_USER_INFO = re.compile(_RULES["user_info"])


def is_secret(key: str) -> bool:
    """Whether a key looks as if its value were secret; a tokenizer is no token. Of a path the last part counts."""
    name = key.rpartition(".")[2].lower().replace("-", "_")
    if name in _RULES["no_secrets"]:
        return False
    for other in _RULES["no_marks"]:
        name = name.replace(other, "")
    return any(mark in name for mark in _RULES["marks"]) or bool(_WORDS.fullmatch(name))


def values(arguments: dict[str, Any]) -> list[str]:
    """The secrets among arguments, longest first: values below secret names at any depth, and those inside JSON texts,
    URLs and the like. Those under four characters are no secret that could be kept."""
    found = list(dict.fromkeys(_secrets("", arguments, False)))
    return sorted((text for text in found if len(text) >= _SHORTEST), key=len, reverse=True)


def _secrets(key: str, value: Any, secret: bool) -> Iterator[str]:
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _secrets(str(name), child, secret or is_secret(str(name)))
    elif isinstance(value, list | tuple):
        for child in value:
            yield from _secrets(key, child, secret)
    elif isinstance(value, str):
        yield from [value] if secret else _inside(value)
    elif secret and isinstance(value, int | float) and not isinstance(value, bool) and not _is_count(key):
        yield str(value)


def _is_count(key: str) -> bool:
    return bool(_COUNTS.search(key.lower()))


def _inside(text: str) -> Iterator[str]:
    for match in _USER_INFO.finditer(text):
        user, colon, password = (match[1] or match[2]).partition(":")
        yield password if colon else user
    yield from _named(text, _ASSIGNMENT, 2, 3)
    yield from _named(text, _OPTION, 1, 2)


def _named(text: str, pattern: re.Pattern[str], name: int, value: int) -> Iterator[str]:
    start = 0
    while match := pattern.search(text, start):
        shown = match[value]
        count = _NUMBER.fullmatch(shown) and _is_count(match[name])
        secret = any(is_secret(part) for part in match[name].split("."))
        if secret and not count and not _HARMLESS.fullmatch(shown):
            quoted = len(shown) > 1 and shown[0] in "\"'"
            yield shown[1:-1] if quoted else shown
        start = match.start(value)  # the value may hold such pairs itself


def hide_in_logs(arguments: dict[str, Any]) -> None:
    """From here on, every record that this process logs shows ``<hidden>`` in place of the secret texts."""
    secrets = values(arguments)
    if not secrets:
        return
    make = logging.getLogRecordFactory()

    def hiding(*given: Any, **named: Any) -> logging.LogRecord:
        record = make(*given, **named)
        try:
            text = record.getMessage()
        except (TypeError, ValueError):  # a broken call of a logger, which logging reports itself
            return record
        shown = hide(text, secrets)
        if shown != text:
            record.msg, record.args = shown, ()
        return record

    logging.setLogRecordFactory(hiding)


def hide(text: str, secrets: list[str]) -> str:
    """The text with every secret replaced."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text
