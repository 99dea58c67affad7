# SPDX-License-Identifier: Apache-2.0
"""The answer to a call of a group, as RLinf's handles of the same methods."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Callable, Generic, TypeVar

from sglang_ray import errors

T = TypeVar("T")


class GroupFuture(Generic[T]):
    """What the workers of a group answer to one call, in rank order, once they have.

    The call is under way already. ``wait()``, ``async_wait()`` and ``done()`` mean what they mean in RLinf, except that
    a failure is raised there, and does not end the process. Safe for use by several threads.
    """

    def __init__(self, ref: Any, what: str, convert: Callable[[Any], T], flatten: bool = False) -> None:
        """``ref``: Ray's reference to the gateway's answer; ``convert`` makes one answer of its JSON.

        ``flatten``: each worker answers with a list, and the lists are put one after the other.
        """
        self._ref = ref
        self._what = what
        self._convert = convert
        self._flatten = flatten

    def wait(self, timeout: float | None = None) -> list[T]:
        """Waits for all and returns their answers in rank order.

        Args:
            timeout: seconds; None waits as long as it takes, which ends at the latest when the fleet does.

        Raises:
            FleetTimeoutError: the time is over; nothing was cancelled.
            FleetEndedError: the fleet ended meanwhile.
            WorkerError: a worker failed.
        """
        import ray
        from ray.exceptions import GetTimeoutError

        try:
            answer = ray.get(self._ref, timeout=timeout)
        except GetTimeoutError:
            raise self._late(timeout) from None
        except ray.exceptions.RayError as error:
            raise self._ended(error) from error
        return self._read(answer)

    async def async_wait(self, timeout: float | None = None) -> list[T]:
        """As :meth:`wait`, without blocking the event loop."""
        import ray

        async def answered() -> str:
            return str(await self._ref)

        try:
            # Shielded: a timeout here cancels nothing there.
            answer = await asyncio.wait_for(asyncio.shield(asyncio.ensure_future(answered())), timeout)
        except asyncio.TimeoutError:
            raise self._late(timeout) from None
        except ray.exceptions.RayError as error:
            raise self._ended(error) from error
        return self._read(answer)

    def done(self) -> bool:
        """Whether there is an answer, or a failure."""
        import ray

        ready, _ = ray.wait([self._ref], timeout=0)
        return bool(ready)

    def consume_duration(self) -> float:
        """How many seconds the call took at the fleet's owner, without its way there and back; waits for it."""
        import ray

        self.wait()
        return float(json.loads(ray.get(self._ref))["seconds"])

    def _read(self, answer: str) -> list[T]:
        content = json.loads(answer)
        if "error" in content:
            raise errors.of_answer(content["error"])
        result = content["result"]
        if not isinstance(result, list):
            result = [result]
        if self._flatten:
            result = [one for many in result for one in many]
        return [self._convert(one) for one in result]

    def _late(self, timeout: float | None) -> errors.FleetTimeoutError:
        return errors.FleetTimeoutError(f"{self._what} was not answered within {timeout} s")

    def _ended(self, error: Exception) -> errors.FleetEndedError:
        return errors.FleetEndedError(f"{self._what} was not answered: the fleet, or who owned it, is gone ({error})")
