# SPDX-License-Identifier: Apache-2.0
"""As much of Ray as an attached driver uses, without a cluster: actors are objects, references hold their value."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest


class RayError(Exception):
    """Ray's own base."""


class GetTimeoutError(RayError, TimeoutError):
    """``ray.get`` waited in vain."""


class ActorUnavailableError(RayError):
    """The actor's process is gone, and may come again."""


class Ref:
    """An answer, a failure, or nothing yet."""

    def __init__(self, value: Any = None, failure: Exception | None = None, ready: bool = True) -> None:
        self.value, self.failure, self.ready = value, failure, ready

    def get(self) -> Any:
        """What ``ray.get`` gives."""
        if not self.ready:
            raise GetTimeoutError
        if self.failure:
            raise self.failure
        return self.value

    def __await__(self) -> Any:
        yield from ()
        return self.get()


class Method:
    """A remote method around a function."""

    def __init__(self, function: Any) -> None:
        self._function = function

    def remote(self, *arguments: Any) -> Ref:
        """Calls it now."""
        value = self._function(*arguments)
        return value if isinstance(value, Ref) else Ref(value)


class FakeActor:
    """An actor of the driver's own, in this process."""

    def __init__(self, actor: Any) -> None:
        self.object = actor

    def __getattr__(self, name: str) -> Method:
        return Method(getattr(self.object, name))


class FakeActorClass:
    """What ``ray.remote`` makes of a class."""

    def __init__(self, ray: FakeRay, actor: type, options: dict[str, Any]) -> None:
        self._ray, self._actor, self._options = ray, actor, options

    def options(self, **options: Any) -> FakeActorClass:
        """As Ray's."""
        return FakeActorClass(self._ray, self._actor, options)

    def remote(self, *arguments: Any) -> FakeActor:
        """Makes it now."""
        made = FakeActor(self._actor(*arguments))
        self._ray.actors[(self._options["namespace"], self._options["name"])] = made
        return made


class FakeRay(types.ModuleType):
    """The module ``ray``: named actors, and a namespace of the driver's own."""

    def __init__(self) -> None:
        super().__init__("ray")
        self.actors: dict[tuple[str, str], Any] = {}
        self.connected = True
        self.exceptions = types.ModuleType("ray.exceptions")
        self.exceptions.RayError = RayError  # type: ignore[attr-defined]
        self.exceptions.GetTimeoutError = GetTimeoutError  # type: ignore[attr-defined]
        self.exceptions.ActorUnavailableError = ActorUnavailableError  # type: ignore[attr-defined]
        self.util = types.SimpleNamespace(list_named_actors=self._list)

    def _list(self, all_namespaces: bool = False) -> list[dict[str, str]]:
        assert all_namespaces
        return [{"namespace": namespace, "name": name} for namespace, name in self.actors]

    def is_initialized(self) -> bool:
        """As Ray's."""
        return self.connected

    def get_runtime_context(self) -> types.SimpleNamespace:
        """As Ray's."""
        return types.SimpleNamespace(
            namespace="trainer", gcs_address="10.0.0.1:6379", get_node_id=lambda: "the trainer's node"
        )

    def remote(self, actor: type) -> FakeActorClass:
        """As Ray's."""
        return FakeActorClass(self, actor, {})

    def get_actor(self, name: str, namespace: str) -> Any:
        """As Ray's; an exception in the table is raised once."""
        found = self.actors.get((namespace, name))
        if found is None:
            raise ValueError(f"no actor {name}")
        if isinstance(found, list):
            failure, self.actors[(namespace, name)] = found
            raise failure
        return found

    def get(self, ref: Any, timeout: float | None = None) -> Any:
        """As Ray's."""
        del timeout
        return [one.get() for one in ref] if isinstance(ref, list) else ref.get()

    def wait(self, refs: list[Ref], timeout: float) -> tuple[list[Ref], list[Ref]]:
        """As Ray's."""
        del timeout
        return [r for r in refs if r.ready], [r for r in refs if not r.ready]


def install(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    """Puts it where ``import ray`` finds it."""
    fake = FakeRay()
    monkeypatch.setitem(sys.modules, "ray", fake)
    monkeypatch.setitem(sys.modules, "ray.exceptions", fake.exceptions)
    strategies = types.ModuleType("ray.util.scheduling_strategies")
    strategies.NodeAffinitySchedulingStrategy = lambda node, soft: (node, soft)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ray.util", types.ModuleType("ray.util"))
    monkeypatch.setitem(sys.modules, "ray.util.scheduling_strategies", strategies)
    return fake
