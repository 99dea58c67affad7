# SPDX-License-Identifier: Apache-2.0
"""The gateway: a small Ray actor between Python drivers and the Java owner of a fleet.

A mailbox. A driver's ``call`` waits while the owner, who keeps ``next`` pending, takes the request, carries it out and
hands the ``answer`` in. Only text crosses. The owner creates the actor from Java, so it ends with the owner.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

#: So many calls may wait at once; the actor takes some more at a time, so the owner's own always come through.
MOST_WAITING = 900
#: An owner whose question has been missing for so long does not work any more, in seconds.
_SILENCE_S = 60.0
_LOOK_S = 5.0


class Gateway:
    """The actor. All methods run on one event loop, so nothing is locked."""

    def __init__(self, facts: str) -> None:
        """``facts``: what there is to know about the fleet, a JSON object that the owner wrote."""
        self._facts = facts
        self._waiting: dict[int, asyncio.Future[str]] = {}
        self._requests: list[dict[str, Any]] = []
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

    async def tell(self, facts: str) -> bool:
        """For the owner: the fleet has changed."""
        self._facts = facts
        return True

    async def call(self, request: str) -> str:
        """Has the owner carry a request out and returns its answer, both JSON. Never fails: errors are answers."""
        if self._ended:
            return _error("ended", "the fleet has ended")
        if len(self._waiting) >= MOST_WAITING:
            return _error("busy", f"{len(self._waiting)} calls wait for this fleet's owner already")
        self._count += 1
        number = self._count
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        self._requests.append({"id": number, "request": request})
        self._ring()
        try:
            while not future.done():
                await asyncio.wait({future}, timeout=_LOOK_S)
                if not future.done() and self._is_silent():
                    return _error("ended", f"the fleet's owner has taken no request for {_SILENCE_S:.0f} s")
            return future.result()
        finally:
            self._waiting.pop(number, None)

    async def next(self, wait_s: float) -> str:
        """For the owner: the requests since the last time, waited for if there are none, as a JSON list."""
        self._questions += 1
        try:
            if not self._requests and not self._ended:
                bell = self._bell = asyncio.Event()
                try:
                    await asyncio.wait_for(bell.wait(), wait_s)
                except asyncio.TimeoutError:
                    pass
            requests, self._requests = self._requests, []
            return json.dumps(requests)
        finally:
            self._questions -= 1
            self._asked = time.monotonic()

    async def answer(self, number: int, answer: str) -> bool:
        """For the owner: hands an answer in; false when nobody waits for it any more."""
        future = self._waiting.get(number)
        if future is None or future.done():
            return False
        future.set_result(answer)
        return True

    async def end(self) -> bool:
        """For the owner: fails the calls that wait, and all that come."""
        self._ended = True
        waiting = list(self._waiting.values())
        for future in waiting:
            if not future.done():
                future.set_result(_error("ended", "the fleet has ended"))
        self._ring()
        # Their answers leave before this one does, and with it this process.
        while self._waiting:
            await asyncio.sleep(0)
        return True

    def _ring(self) -> None:
        if self._bell is not None:
            self._bell.set()

    def _is_silent(self) -> bool:
        return self._questions == 0 and time.monotonic() - self._asked > _SILENCE_S


def _error(kind: str, message: str) -> str:
    return json.dumps({"error": {"type": kind, "message": message, "others": []}})


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
