# SPDX-License-Identifier: Apache-2.0
"""The gateway: a small Ray actor between Python drivers and the Java owner of a fleet.

A mailbox. A driver's ``call`` waits while the owner, who keeps ``next`` pending, takes the request, claims it, carries
it out and hands the ``answer`` in. Only text crosses. The owner creates the actor from Java, so it ends with the owner.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import sys
import time
from dataclasses import dataclass
from typing import Any

#: So many calls may wait at once; the actor takes some more at a time, so the owner's own always come through.
MOST_WAITING = 900
#: The longest request, in bytes. All requests pass through the memory of the owner, which is small.
MAX_REQUEST_BYTES = 1 << 20
#: So much the owner is given at once, in bytes.
_MAX_BATCH_BYTES = 4 << 20
#: An owner whose question has been missing for so long does not work any more, in seconds.
_SILENCE_S = 60.0
_LOOK_S = 5.0


@dataclass
class _Call:
    """A request, and the future that its caller waits for."""

    request: str
    answer: asyncio.Future[str]
    given: bool = False  # the owner has read it
    begun: bool = False  # the owner has claimed it


class Gateway:
    """The actor. All methods run on one event loop, so nothing is locked.

    ``call`` and ``facts`` are for everybody, the others for the owner, which alone knows the token.
    """

    def __init__(self, facts: str, token: str) -> None:
        """``facts``: what there is to know about the fleet, a JSON object that the owner wrote."""
        self._facts = facts
        self._token = token.encode()
        #: By number, in the order in which they came. A call that is not in here any more is never begun.
        self._calls: dict[int, _Call] = {}
        self._bell: asyncio.Event | None = None
        # Not from 0: the owner may still have answers to the calls of a predecessor that died.
        self._count = time.time_ns() // 1000
        self._questions = 0
        self._asked = time.monotonic()
        self._ended = False
        # Not type(self): Ray makes a class of its own of this one.
        publish(Gateway)

    async def facts(self) -> str:
        """What the owner said about the fleet."""
        return self._facts

    async def call(self, request: str) -> str:
        """Has the owner carry a request out and returns its answer, both JSON. Never fails: errors are answers."""
        if self._ended:
            return _error("ended", "the fleet has ended")
        size = len(request.encode())
        if size > MAX_REQUEST_BYTES:
            return _error("request", too_large(size))
        if len(self._calls) >= MOST_WAITING:
            return _error("busy", f"{len(self._calls)} calls wait for this fleet's owner already")
        self._count += 1
        number = self._count
        call = self._calls[number] = _Call(request, asyncio.get_running_loop().create_future())
        self._ring()
        try:
            while not call.answer.done():
                await asyncio.wait({call.answer}, timeout=_LOOK_S)
                if not call.answer.done() and self._is_silent():
                    return _error("silent", _silence(call.begun), begun=call.begun)
            return call.answer.result()
        finally:
            del self._calls[number]

    async def next(self, token: str, wait_s: float) -> str:
        """For the owner: the requests since the last time, waited for if there are none, as a JSON list."""
        self._require_owner(token)
        for call in self._calls.values():
            if call.given and not call.begun and not call.answer.done():
                # It claims what it has read before it asks again.
                call.answer.set_result(_error("request", "the fleet's owner could not read the request"))
        self._questions += 1
        try:
            if not self._new() and not self._ended:
                bell = self._bell = asyncio.Event()
                try:
                    await asyncio.wait_for(bell.wait(), wait_s)
                except asyncio.TimeoutError:
                    pass
            given: list[dict[str, Any]] = []
            size = 0
            for number, call in self._new().items():
                size += len(call.request)
                if given and size > _MAX_BATCH_BYTES:
                    break
                call.given = True
                given.append({"id": number, "request": call.request})
            return json.dumps(given)
        finally:
            self._questions -= 1
            self._asked = time.monotonic()

    async def claim(self, token: str, numbers: str) -> str:
        """For the owner: those of these requests (JSON lists of numbers) that it may begin.

        The others' callers have learned that nothing is done. A claimed one's never are.
        """
        self._require_owner(token)
        self._asked = time.monotonic()
        claimed = [number for number in json.loads(numbers) if number in self._calls]
        for number in claimed:
            self._calls[number].begun = True
        return json.dumps(claimed)

    async def answer(self, token: str, number: int, answer: str) -> bool:
        """For the owner: hands an answer in; false when no caller waits for it any more."""
        self._require_owner(token)
        call = self._calls.get(number)
        if call is None or call.answer.done():
            return False
        call.answer.set_result(answer)
        return True

    async def tell(self, token: str, facts: str) -> bool:
        """For the owner: the fleet has changed."""
        self._require_owner(token)
        self._facts = facts
        return True

    async def end(self, token: str) -> bool:
        """For the owner: fails the calls that wait, and all that come."""
        self._require_owner(token)
        self._ended = True
        for call in self._calls.values():
            if not call.answer.done():
                call.answer.set_result(_error("ended", "the fleet has ended"))
        self._ring()
        # Their answers leave before this one does, and with it this process.
        while self._calls:
            await asyncio.sleep(0)
        return True

    def _new(self) -> dict[int, _Call]:
        return {number: call for number, call in self._calls.items() if not call.given and not call.answer.done()}

    def _ring(self) -> None:
        if self._bell is not None:
            self._bell.set()

    def _is_silent(self) -> bool:
        return self._questions == 0 and time.monotonic() - self._asked > _SILENCE_S

    def _require_owner(self, token: str) -> None:
        if not hmac.compare_digest(token.encode(), self._token):
            raise PermissionError("only the fleet's owner may do this")


def too_large(size: int) -> str:
    """What is said of a request of so many bytes."""
    return f"the request has {size} bytes; the gateway takes {MAX_REQUEST_BYTES} at most"


def _silence(begun: bool) -> str:
    silence = f"the fleet's owner has been silent for {_SILENCE_S:.0f} s"
    if begun:
        return f"{silence}; it had begun the call, so whether the call is carried out is not known"
    return f"{silence}; it had not begun the call, which is dropped and is not carried out"


def _error(kind: str, message: str, **more: Any) -> str:
    return json.dumps({"error": {"type": kind, "message": message, "others": [], **more}})


def publish(gateway: type) -> None:
    """Puts the class where drivers of other jobs look for it when they find the actor by its name.

    Ray's Python does so for every actor class that Python creates an actor of, and its Java does not. Without it
    ``ray.get_actor`` fails. None of this is a public API; it is the same in all supported versions of Ray, and
    tests run the lowest and the newest.
    """
    import ray
    import ray.cloudpickle as pickle
    from ray._private import ray_constants
    from ray._private.function_manager import make_function_table_key
    from ray._private.worker import global_worker
    from ray._raylet import PythonFunctionDescriptor

    descriptor = PythonFunctionDescriptor(gateway.__module__, "__init__", gateway.__qualname__)
    job = ray.get_runtime_context().get_job_id()
    key = make_function_table_key(b"ActorClass", ray.JobID.from_hex(job), descriptor.function_id.binary())
    module = sys.modules[gateway.__module__]
    # By value: a driver's own sglang_ray may be of another version, or not be there.
    pickle.register_pickle_by_value(module)
    try:
        pickled = pickle.dumps(gateway)
    finally:
        pickle.unregister_pickle_by_value(module)
    entry = {
        "class_name": gateway.__qualname__,
        "module": gateway.__module__,
        "class": pickled,
        "job_id": ray.JobID.from_hex(job).binary(),
        "collision_identifier": gateway.__qualname__,
        "actor_method_names": json.dumps([name for name in vars(gateway) if not name.startswith("_")]),
    }
    namespace = ray_constants.KV_NAMESPACE_FUNCTION_TABLE
    global_worker.gcs_client.internal_kv_put(key, pickle.dumps(entry), True, namespace)
