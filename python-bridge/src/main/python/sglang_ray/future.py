# SPDX-License-Identifier: Apache-2.0
"""The answer to a call of a group, as RLinf's handles of the same methods."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any, Callable, Generic, TypeVar

from sglang_ray import errors

T = TypeVar("T")

#: Ray may take so long to start a gateway again, in seconds.
_BACK_S = 30.0
_PAUSE_S = 0.2


class GroupFuture(Generic[T]):
    """What the workers of a group answer to one call, in rank order, once they have.

    The call is under way already. ``wait()``, ``async_wait()`` and ``done()`` mean what they mean in RLinf, except that
    a failure is raised there, and does not end the process. Safe for use by several threads.
    """

    def __init__(
        self,
        ref: Any,
        what: str,
        convert: Callable[[Any], T],
        flatten: bool = False,
        look: Callable[[], Any] | None = None,
    ) -> None:
        """``ref``: Ray's reference to the gateway's answer; ``convert`` makes one answer of its JSON.

        ``flatten``: each worker answers with a list, and the lists are put one after the other. ``look``: a call that
        any gateway that lives answers.
        """
        self._look = look
        self._after: Callable[[], None] | None = None
        #: Ray's reference to the answer.
        self.ref = ref
        self._what = what
        self._convert = convert
        self._flatten = flatten

    def then(self, work: Callable[[], None]) -> None:
        """Does this, too, when an answer or a failure has been waited for."""
        self._after = work

    def wait(self, timeout: float | None = None) -> list[T]:
        """Waits for all and returns their answers in rank order.

        Args:
            timeout: seconds; None waits as long as it takes, which ends at the latest when the fleet does.

        Raises:
            FleetTimeoutError: the time is over; nothing was cancelled.
            FleetEndedError: the fleet ended meanwhile.
            FleetOwnerSilentError: the fleet's owner does not answer.
            FleetCallLostError: the fleet continues to run, but the process that carried the call to it died.
            WorkerError: a worker failed.
        """
        import ray
        from ray.exceptions import GetTimeoutError

        try:
            answer = ray.get(self.ref, timeout=timeout)
        except GetTimeoutError:
            raise self._late(timeout) from None
        except ray.exceptions.RayError as error:
            raise self._gone(error) from error
        return self._read(answer)

    async def async_wait(self, timeout: float | None = None) -> list[T]:
        """As :meth:`wait`, without blocking the event loop."""
        import ray

        async def answered() -> str:
            return str(await self.ref)

        try:
            # Shielded: a timeout here cancels nothing there.
            answer = await asyncio.wait_for(asyncio.shield(asyncio.ensure_future(answered())), timeout)
        except asyncio.TimeoutError:
            raise self._late(timeout) from None
        except ray.exceptions.RayError as error:
            raise await asyncio.to_thread(self._gone, error) from error
        return self._read(answer)

    def done(self) -> bool:
        """Whether there is an answer, or a failure."""
        import ray

        ready, _ = ray.wait([self.ref], timeout=0)
        return bool(ready)

    def consume_duration(self) -> float:
        """How many seconds the call took at the fleet's owner, without its way there and back; waits for it."""
        import ray

        self.wait()
        return float(json.loads(ray.get(self.ref))["seconds"])

    def _read(self, answer: str) -> list[T]:
        if self._after is not None:
            self._after()
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

    def _gone(self, error: Exception) -> errors.FleetError:
        """Ray starts a gateway that dies again, unless the fleet's owner is gone too."""
        import ray

        deadline = time.monotonic() + _BACK_S
        unavailable = isinstance(error, ray.exceptions.ActorUnavailableError)
        while unavailable and self._look is not None and time.monotonic() < deadline:
            try:
                ray.get(self._look(), timeout=max(0.1, deadline - time.monotonic()))
            except ray.exceptions.RayError as again:
                unavailable = isinstance(again, ray.exceptions.ActorUnavailableError)
                time.sleep(_PAUSE_S)
            else:
                return errors.FleetCallLostError(
                    f"{self._what} was under way when the process of the fleet's gateway died; that is back and the "
                    "fleet continues to run, but whether the call was carried out is not known: look, or call again"
                )
        return self._ended(error)

    def _ended(self, error: Exception) -> errors.FleetEndedError:
        return errors.FleetEndedError(f"{self._what} was not answered: the fleet, or who owned it, is gone ({error})")
