# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from sglang_ray import gateway
from sglang_ray.gateway import Gateway


@pytest.fixture(autouse=True)
def _no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "publish", lambda _: None)


async def _carry_out(box: Gateway, answer: str) -> list[str]:
    """An owner that answers the next requests."""
    requests: list[dict[str, Any]] = json.loads(await box.next(5))
    for request in requests:
        await box.answer(request["id"], answer)
    return [request["request"] for request in requests]


def _kind(answer: str) -> str:
    return str(json.loads(answer)["error"]["type"])


def test_a_call_is_answered_by_the_owner() -> None:
    async def story() -> None:
        box = Gateway("{}")
        call = asyncio.create_task(box.call("one"))
        assert await _carry_out(box, "1") == ["one"]
        assert await call == "1"
        assert await box.facts() == "{}"

    asyncio.run(story())


def test_a_question_that_waits_is_answered_at_once_by_a_call() -> None:
    async def story() -> None:
        box = Gateway("{}")
        question = asyncio.create_task(box.next(60))
        await asyncio.sleep(0)
        calls = [asyncio.create_task(box.call(text)) for text in ("a", "b", "c")]
        requests = json.loads(await asyncio.wait_for(question, 5))
        rest = json.loads(await box.next(0)) if len(requests) < 3 else []
        assert [one["request"] for one in requests + rest] == ["a", "b", "c"]
        # Answers need not come in the order of the calls.
        for one in reversed(requests + rest):
            assert await box.answer(one["id"], one["request"].upper())
        assert await asyncio.gather(*calls) == ["A", "B", "C"]

    asyncio.run(story())


def test_without_a_call_a_question_ends_with_nothing() -> None:
    assert asyncio.run(Gateway("{}").next(0.01)) == "[]"


def test_a_caller_that_gave_up_is_not_missed() -> None:
    async def story() -> None:
        box = Gateway("{}")
        call = asyncio.create_task(box.call("long"))
        [request] = json.loads(await box.next(5))
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert not await box.answer(request["id"], "too late")
        again = asyncio.create_task(box.call("short"))
        assert await _carry_out(box, "2") == ["short"]
        assert await again == "2"

    asyncio.run(story())


def test_the_end_fails_those_who_wait_and_those_who_come() -> None:
    async def story() -> None:
        box = Gateway("{}")
        call = asyncio.create_task(box.call("one"))
        await asyncio.sleep(0)
        assert await box.end()
        assert call.done()
        assert _kind(await call) == "ended"
        assert _kind(await box.call("two")) == "ended"

    asyncio.run(story())


def test_too_many_calls_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        monkeypatch.setattr(gateway, "MOST_WAITING", 2)
        box = Gateway("{}")
        calls = [asyncio.create_task(box.call("x")) for _ in range(2)]
        await asyncio.sleep(0)
        assert _kind(await box.call("one more")) == "busy"
        assert len(await _carry_out(box, "ok")) == 2
        assert await asyncio.gather(*calls) == ["ok", "ok"]

    asyncio.run(story())


def test_an_owner_that_asks_no_more_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "_SILENCE_S", 0.0)
    monkeypatch.setattr(gateway, "_LOOK_S", 0.01)
    assert _kind(asyncio.run(Gateway("{}").call("anybody?"))) == "ended"
