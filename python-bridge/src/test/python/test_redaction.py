# SPDX-License-Identifier: Apache-2.0
"""Secret arguments do not reach a log."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sglang_ray import redaction

ARGUMENTS = {"api_key": "open-sesame", "hf_token": "hf_abcdef", "tokenizer_path": "/models/x", "max_total_tokens": 4096}


@pytest.fixture(autouse=True)
def _factory() -> Iterator[None]:
    factory = logging.getLogRecordFactory()
    yield
    logging.setLogRecordFactory(factory)


def cases() -> dict[str, Any]:
    """The table that the Java side is tested with too."""
    root = Path(__file__).resolve().parents[4]
    table = root / "config/src/test/resources/dev/sglangray/config/error/secret-cases.json"
    found: dict[str, Any] = json.loads(table.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", cases()["names"]["secret"])
def test_secret_names(name: str) -> None:
    assert redaction.is_secret(name)


@pytest.mark.parametrize("name", cases()["names"]["open"])
def test_other_names(name: str) -> None:
    assert not redaction.is_secret(name)


@pytest.mark.parametrize("case", cases()["values"])
def test_finds_secret_texts_only(case: dict[str, Any]) -> None:
    assert redaction.values(case["arguments"]) == case["secrets"]


@pytest.mark.parametrize("case", cases()["texts"])
def test_finds_them_inside_texts(case: list[str]) -> None:
    text, shown = case
    found = redaction.values({"argument": text})
    assert bool(found) == (shown != text)
    assert "s3cr3t" not in redaction.hide(text, found)


def test_a_record_shows_none(caplog: pytest.LogCaptureFixture) -> None:
    redaction.hide_in_logs(ARGUMENTS)
    with caplog.at_level(logging.INFO):
        logging.getLogger("x").info(f"server_args={ARGUMENTS}")
        logging.getLogger("x").info("key %s of %d", "open-sesame", 3)
        logging.getLogger("x").info("nothing to hide in %s", "/models/x")
    assert "sesame" not in caplog.text
    assert "hf_abcdef" not in caplog.text
    assert caplog.messages[0].startswith("server_args={'api_key': '<hidden>'")
    assert caplog.messages[1:] == ["key <hidden> of 3", "nothing to hide in /models/x"]


def test_a_broken_call_is_left_to_logging() -> None:
    redaction.hide_in_logs(ARGUMENTS)
    record = logging.getLogRecordFactory()("x", logging.INFO, "f", 1, "%d", ("no number",), None)
    assert record.args == ("no number",)
