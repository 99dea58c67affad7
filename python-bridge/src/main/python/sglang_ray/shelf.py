# SPDX-License-Identifier: Apache-2.0
"""Where a trainer lays the buckets of an update of weights, and the engines' workers fetch them.

The buckets do not pass through the fleet's owner, whose memory is small. A shelf is a Ray actor on the trainer's node
that belongs to the trainer's process and ends with it. The workers, which are Java, call ``piece``; the protocol is in
docs/reference/python.md.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterable
from typing import Any

from sglang_ray import errors

#: The longest piece, in bytes: a worker has little memory.
MAX_PIECE = 4 << 20


class Shelf:
    """The trainer's side. Safe for use by several threads."""

    def __init__(self, namespace: str) -> None:
        """``namespace`` is the fleet's, where its workers look for actors. The first update starts the actor."""
        self.namespace = namespace
        self.name = f"sglang-ray:buckets:{uuid.uuid4().hex}"
        self._lock = threading.Lock()
        self._actor: Any = None
        self._answers: dict[str, Any] = {}  # by update

    def __reduce__(self) -> Any:
        """A copy in another process has an actor of its own."""
        return Shelf, (self.namespace,)

    def lay(self, buckets: Iterable[dict[str, Any]]) -> dict[str, Any]:
        """Takes the buckets of one update, one after the other, and returns what the fleet needs to find them.

        Raises:
            FleetRequestError: one is no JSON object.
            FleetError: the actor cannot hold them.
        """
        import ray

        self.tidy()
        actor = self._started()
        update = uuid.uuid4().hex
        sizes: list[int] = []
        try:
            for bucket in buckets:
                data = _bytes(bucket, len(sizes))
                # One at a time: each passes through Ray's shared memory.
                ray.get(actor.put.remote(update, data))
                sizes.append(len(data))
        except BaseException as error:
            actor.drop.remote(update)
            if isinstance(error, ray.exceptions.RayError):
                raise errors.FleetError(f"bucket {len(sizes)} cannot be kept for the engines: {error}") from error
            raise
        return {"actor": self.name, "namespace": self.namespace, "update": update, "sizes": sizes}

    def _started(self) -> Any:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        with self._lock:
            if self._actor is None:
                here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
                self._actor = (
                    ray.remote(_actor_class())
                    .options(name=self.name, namespace=self.namespace, num_cpus=0, scheduling_strategy=here)
                    .remote()
                )
            return self._actor

    def keep(self, update: str, answer: Any) -> None:
        """Until Ray has this answer, the update's buckets are needed."""
        with self._lock:
            self._answers[update] = answer

    def tidy(self) -> None:
        """Drops the buckets of all updates that have been answered."""
        import ray

        with self._lock:
            for update, answer in list(self._answers.items()):
                if ray.wait([answer], timeout=0)[0]:
                    del self._answers[update]
                    self._actor.drop.remote(update)


def _bytes(bucket: Any, number: int) -> bytes:
    if not isinstance(bucket, dict):
        raise errors.FleetRequestError(f"bucket {number} is a {type(bucket).__name__}; a bucket is a dict")
    try:
        return json.dumps(bucket, separators=(",", ":")).encode()
    except (TypeError, ValueError) as error:
        raise errors.FleetRequestError(f"bucket {number} cannot be written as JSON: {error}") from error


def _actor_class() -> type:
    """A class of a function travels to the actor as a whole: this package need not be installed there."""
    longest = MAX_PIECE

    class Buckets:
        """The actor."""

        def __init__(self) -> None:
            self._updates: dict[str, list[bytes]] = {}

        def put(self, update: str, data: bytes) -> None:
            """The next bucket of an update."""
            self._updates.setdefault(update, []).append(data)

        def piece(self, update: str, bucket: int, offset: int, length: int) -> bytes:
            """A part of a bucket; shorter at its end."""
            if update not in self._updates:
                raise LookupError("the buckets of this update are not there any more")
            data = self._updates[update][bucket]
            if not (0 <= offset <= len(data) and 0 < length <= longest):
                raise ValueError(f"a piece has 1 to {longest} bytes and begins inside of the bucket's {len(data)}")
            return data[offset : offset + length]

        def drop(self, update: str) -> None:
            """An update is over."""
            self._updates.pop(update, None)

    return Buckets
