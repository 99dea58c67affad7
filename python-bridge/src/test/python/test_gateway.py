# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from sglang_ray import gateway
from sglang_ray.gateway import Gateway

TOKEN = "s3cret"


@pytest.fixture(autouse=True)
def _no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "publish", lambda _: None)


async def _carry_out(box: Gateway, answer: str) -> list[str]:
    """An owner that answers the next requests."""
    requests: list[dict[str, Any]] = json.loads(await box.next(TOKEN, 5))
    numbers = [request["id"] for request in requests]
    assert json.loads(await box.claim(TOKEN, json.dumps(numbers))) == numbers
    for request in requests:
        await box.answer(TOKEN, request["id"], answer)
    return [request["request"] for request in requests]


def _kind(answer: str) -> str:
    return str(json.loads(answer)["error"]["type"])


def test_a_call_is_answered_by_the_owner() -> None:
    async def story() -> None:
        box = Gateway("{}", TOKEN)
        call = asyncio.create_task(box.call("one"))
        assert await _carry_out(box, "1") == ["one"]
        assert await call == "1"
        assert await box.facts() == "{}"

    asyncio.run(story())


def test_a_question_that_waits_is_answered_at_once_by_a_call() -> None:
    async def story() -> None:
        box = Gateway("{}", TOKEN)
        question = asyncio.create_task(box.next(TOKEN, 60))
        await asyncio.sleep(0)
        calls = [asyncio.create_task(box.call(text)) for text in ("a", "b", "c")]
        requests = json.loads(await asyncio.wait_for(question, 5))
        assert json.loads(await box.claim(TOKEN, json.dumps([one["id"] for one in requests])))
        rest = json.loads(await box.next(TOKEN, 0)) if len(requests) < 3 else []
        assert [one["request"] for one in requests + rest] == ["a", "b", "c"]
        # Answers need not come in the order of the calls.
        for one in reversed(requests + rest):
            assert await box.answer(TOKEN, one["id"], one["request"].upper())
        assert await asyncio.gather(*calls) == ["A", "B", "C"]

    asyncio.run(story())


def test_without_a_call_a_question_ends_with_nothing() -> None:
    assert asyncio.run(Gateway("{}", TOKEN).next(TOKEN, 0.01)) == "[]"


def test_a_caller_that_gave_up_is_not_missed() -> None:
    async def story() -> None:
        box = Gateway("{}", TOKEN)
        call = asyncio.create_task(box.call("long"))
        [request] = json.loads(await box.next(TOKEN, 5))
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert not await box.answer(TOKEN, request["id"], "too late")
        again = asyncio.create_task(box.call("short"))
        assert await _carry_out(box, "2") == ["short"]
        assert await again == "2"

    asyncio.run(story())


def test_the_end_fails_those_who_wait_and_those_who_come() -> None:
    async def story() -> None:
        box = Gateway("{}", TOKEN)
        call = asyncio.create_task(box.call("one"))
        await asyncio.sleep(0)
        assert await box.end(TOKEN)
        assert call.done()
        assert _kind(await call) == "ended"
        assert _kind(await box.call("two")) == "ended"

    asyncio.run(story())


def test_too_many_calls_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        monkeypatch.setattr(gateway, "MOST_WAITING", 2)
        box = Gateway("{}", TOKEN)
        calls = [asyncio.create_task(box.call("x")) for _ in range(2)]
        await asyncio.sleep(0)
        assert _kind(await box.call("one more")) == "busy"
        assert len(await _carry_out(box, "ok")) == 2
        assert await asyncio.gather(*calls) == ["ok", "ok"]

    asyncio.run(story())


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "_SILENCE_S", 0.0)
    monkeypatch.setattr(gateway, "_LOOK_S", 0.01)


def _error(answer: str) -> dict[str, Any]:
    error: dict[str, Any] = json.loads(answer)["error"]
    return error


@pytest.mark.usefixtures("impatient")
def test_what_a_silent_owner_had_not_read_is_never_begun() -> None:
    async def story() -> None:
        box = Gateway("{}", TOKEN)
        error = _error(await box.call("scale"))
        assert (error["type"], error["begun"]) == ("silent", False)
        assert await box.next(TOKEN, 0) == "[]"

    asyncio.run(story())


@pytest.mark.usefixtures("impatient")
def test_what_a_silent_owner_had_read_and_not_claimed_is_never_begun() -> None:
    async def story() -> None:
        box = Gateway("{}", TOKEN)
        call = asyncio.create_task(box.call("scale"))
        [request] = json.loads(await box.next(TOKEN, 5))
        error = _error(await call)
        assert (error["type"], error["begun"]) == ("silent", False)
        assert "is not carried out" in error["message"]
        assert await box.claim(TOKEN, json.dumps([request["id"]])) == "[]"

    asyncio.run(story())


@pytest.mark.usefixtures("impatient")
def test_of_what_a_silent_owner_had_claimed_nobody_says_that_it_is_not_done() -> None:
    async def story() -> None:
        box = Gateway("{}", TOKEN)
        call = asyncio.create_task(box.call("scale"))
        [request] = json.loads(await box.next(TOKEN, 5))
        assert await box.claim(TOKEN, json.dumps([request["id"]])) == json.dumps([request["id"]])
        error = _error(await call)
        assert (error["type"], error["begun"]) == ("silent", True)
        assert "is not known" in error["message"]

    asyncio.run(story())


def test_a_caller_that_gave_up_before_the_owner_asked_is_forgotten() -> None:
    async def story() -> None:
        box = Gateway("{}", TOKEN)
        call = asyncio.create_task(box.call("scale"))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert await box.next(TOKEN, 0) == "[]"

    asyncio.run(story())


def test_a_request_that_the_owner_cannot_read_is_answered() -> None:
    async def story() -> None:
        box = Gateway("{}", TOKEN)
        call = asyncio.create_task(box.call("odd"))
        assert len(json.loads(await box.next(TOKEN, 5))) == 1
        assert await box.next(TOKEN, 0) == "[]"
        assert _kind(await call) == "request"

    asyncio.run(story())


def test_a_request_that_is_too_large_is_refused_with_words() -> None:
    async def story() -> None:
        box = Gateway("{}", TOKEN)
        error = _error(await box.call("é" * (gateway.MAX_REQUEST_BYTES // 2 + 1)))
        assert error["type"] == "request"
        assert f"{gateway.MAX_REQUEST_BYTES + 2} bytes" in error["message"]
        assert await box.next(TOKEN, 0) == "[]"

    asyncio.run(story())


def test_the_owner_is_not_given_more_than_it_can_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        monkeypatch.setattr(gateway, "_MAX_BATCH_BYTES", 10)
        box = Gateway("{}", TOKEN)
        calls = [asyncio.create_task(box.call(text)) for text in ("a" * 11, "b" * 5, "c" * 5, "d")]
        await asyncio.sleep(0)
        batches = [await _carry_out(box, "ok") for _ in range(3)]
        assert [[text[0] for text in batch] for batch in batches] == [["a"], ["b", "c"], ["d"]]
        await asyncio.gather(*calls)

    asyncio.run(story())


@pytest.mark.parametrize("method", ["next", "claim", "answer", "tell", "end"])
def test_what_is_for_the_owner_is_for_the_owner_only(method: str) -> None:
    async def story() -> None:
        box = Gateway("{}", TOKEN)
        arguments = {"next": (0,), "claim": ("[]",), "answer": (1, "x"), "tell": ("{}",), "end": ()}[method]
        for token in ("", "s3cre", "é"):
            with pytest.raises(PermissionError):
                await getattr(box, method)(token, *arguments)
        assert TOKEN not in await box.facts()
        call = asyncio.create_task(box.call("one"))
        assert await _carry_out(box, "1") == ["one"]
        assert await call == "1"

    asyncio.run(story())
