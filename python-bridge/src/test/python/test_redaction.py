# SPDX-License-Identifier: Apache-2.0
"""Secret arguments do not reach a log."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from sglang_ray import redaction

ARGUMENTS = {"api_key": "open-sesame", "hf_token": "hf_abcdef", "tokenizer_path": "/models/x", "max_total_tokens": 4096}


@pytest.fixture(autouse=True)
def _factory() -> Iterator[None]:
    factory = logging.getLogRecordFactory()
    yield
    logging.setLogRecordFactory(factory)


def test_finds_secret_texts_only() -> None:
    assert redaction.values(ARGUMENTS) == ["open-sesame", "hf_abcdef"]
    assert redaction.values({"api_keys": ["first-key", {"deep": "second-key"}], "password": "abc"}) == [
        "second-key",
        "first-key",
    ]


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
