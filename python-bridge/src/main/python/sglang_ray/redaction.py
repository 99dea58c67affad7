# SPDX-License-Identifier: Apache-2.0
"""Keeps the values of secret arguments out of a server's log: SGLang writes all of its arguments there."""

from __future__ import annotations

import logging
from typing import Any

HIDDEN = "<hidden>"

_MARKS = ("api_key", "apikey", "token", "secret", "passw", "passphrase", "credential")
_SHORTEST = 4


def is_secret(key: str) -> bool:
    """Whether a key looks as if its value were secret; a tokenizer is no token. The same names as on the Java side."""
    name = key.lower().replace("-", "_").replace("tokenizer", "")
    return any(mark in name for mark in _MARKS)


def values(arguments: dict[str, Any]) -> list[str]:
    """The secret texts among arguments, longest first; texts under four characters are no secret that could be kept."""
    found = {text for key, value in arguments.items() if is_secret(key) for text in _texts(value)}
    return sorted((text for text in found if len(text) >= _SHORTEST), key=len, reverse=True)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in _texts(item)]
    return []


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
