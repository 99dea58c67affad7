# SPDX-License-Identifier: Apache-2.0
"""A running fleet, called from an ordinary Python driver: :func:`attach` and the :class:`FleetGroup` it returns."""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from sglang_ray import errors
from sglang_ray.future import GroupFuture
from sglang_ray.gateway import MAX_REQUEST_BYTES, too_large
from sglang_ray.shelf import Shelf

#: Where the command line and the launcher put fleets by default.
DEFAULT_NAMESPACE = "sglang-ray"
_SUFFIX = ":gateway"
_PAUSE_S = 0.2


@dataclass(frozen=True)
class WorkerStatus:
    """What a worker says of itself. Fields that a newer fleet adds are left out.

    ``state`` is ``NEW``, ``STARTING``, ``READY``, ``DRAINED``, ``RESTARTING``, ``FAILED`` or ``STOPPED``;
    ``devices`` are the accelerators that its engine sees; ``update_weights`` is whether the engine gets the weights of
    updates; ``conditions`` say in words what holds the engine back, and why it starts slowly if it cannot be forked.
    """

    kind: str
    group: str
    rank: int
    state: str
    url: str | None = None
    group_size: int = 1
    node_id: str = ""
    node_ip: str = ""
    pid: int | None = None
    worker_pid: int | None = None
    devices: tuple[str, ...] = ()
    log: str | None = None
    seconds_to_ready: float | None = None
    pool: str = ""
    worker_type: str = ""
    model: str = ""
    update_weights: bool = True
    failure: str | None = None
    since: str | None = None
    restarts: int = 0
    last_error: str | None = None
    weight_version: str | None = None
    conditions: tuple[str, ...] = ()

    @staticmethod
    def of(values: dict[str, Any]) -> WorkerStatus:
        """Of a worker's JSON."""
        known = {field.name for field in fields(WorkerStatus)}
        chosen: dict[str, Any] = {}
        for key, value in values.items():
            name = re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), key)
            if name in known:
                chosen[name] = tuple(value) if isinstance(value, list) else value
        return WorkerStatus(**chosen)


@dataclass(frozen=True)
class RegisteredServer:
    """A server as the router lists it; ``healthy`` is whether it is sent requests."""

    id: str
    url: str
    worker_type: str
    model_id: str | None
    healthy: bool

    @staticmethod
    def of(values: dict[str, Any]) -> RegisteredServer:
        """Of the router worker's JSON."""
        return RegisteredServer(
            values["id"], values["url"], values["workerType"], values.get("modelId"), bool(values["healthy"])
        )


@dataclass(frozen=True)
class UpdateReport:
    """What came of an update of weights.

    ``engines`` has a word for each rank (``UPDATED``, ``FROZEN`` in a pool of frozen weights, or what else)
    and ``details`` says more; ``missing`` are the ranks that have not the new weights yet and get no requests before
    they do. The three times are seconds: until no engine had requests, from then until all had loaded, from then until
    requests came again.
    """

    version: str
    engines: dict[int, str]
    details: dict[int, str]
    missing: tuple[int, ...]
    seconds_to_quiet: float
    seconds_to_load: float
    seconds_to_return: float

    @staticmethod
    def of(values: dict[str, Any]) -> UpdateReport:
        """Of the owner's JSON."""
        engines = {int(rank): outcome for rank, outcome in values["engines"].items()}
        results = {rank: str(outcome["result"]) for rank, outcome in engines.items()}
        return UpdateReport(
            values["version"],
            results,
            {rank: str(outcome["detail"]) for rank, outcome in engines.items() if outcome["detail"]},
            tuple(rank for rank, result in results.items() if result not in ("UPDATED", "FROZEN")),
            values["secondsToQuiet"],
            values["secondsToLoad"],
            values["secondsToReturn"],
        )


@dataclass(frozen=True)
class ScaleReport:
    """What came of a change of a fleet's size.

    ``added`` and ``removed`` are ranks; ``requests_ended`` had not ended in time and went with their engines.
    """

    before: int
    after: int
    added: tuple[int, ...]
    removed: tuple[int, ...]
    requests_ended: int

    @staticmethod
    def of(values: dict[str, Any]) -> ScaleReport:
        """Of the owner's JSON."""
        return ScaleReport(
            values["before"],
            values["after"],
            tuple(values["added"]),
            tuple(values["removed"]),
            values["requestsEnded"],
        )


@dataclass(frozen=True)
class EngineBundle:
    """Where an engine lies: its bundle, its node, the devices that it uses.

    ``placement_group_id`` is the bundle's group in hexadecimal: the fleet's, or another one for an engine that came by
    ``scale``.
    """

    rank: int
    bundle_index: int
    node_ip: str
    devices: tuple[str, ...]
    placement_group_id: str = ""


class FleetGroup:
    """The workers of one kind of a fleet, with RLinf's method names. Safe for use by several threads.

    A group of engines (``kind`` is ``server``) or of the one router (``router``). Methods about URLs and registration
    work on either; ``is_healthy``, ``status``, ``shutdown`` and so on mean the workers of the group itself. Calls begin
    at once and return a :class:`GroupFuture`; ``group.is_healthy().wait()`` is a list in rank order.
    """

    def __init__(
        self,
        gateway: Any,
        namespace: str,
        facts: dict[str, Any],
        name: str,
        ranks: tuple[int, ...] = (),
    ) -> None:
        """Use :func:`attach`. ``gateway`` is the actor's handle, ``facts`` what it says of the fleet."""
        self._gateway = gateway
        self._facts = facts
        self._ranks = ranks
        self._shelf = Shelf(namespace)
        #: The group's name.
        self.name = name
        #: The fleet's Ray namespace.
        self.namespace = namespace
        #: ``server`` or ``router``.
        self.kind = "server" if name == facts.get("serverGroup") else "router"

    # -- the original's methods

    def get_server_url(self) -> GroupFuture[str]:
        """The engines' base URLs, in rank order."""
        return self._call("server", "get_server_url", str)

    def get_router_url(self) -> GroupFuture[str]:
        """The router's base URL, a list of one: ``get_router_url().wait()[0]``."""
        return self._call("router", "get_router_url", str)

    def register_server(
        self,
        url: str,
        worker_type: str = "regular",
        bootstrap_port: int | None = None,
        api_key: str | None = None,
        timeout: float = 300,
        poll_interval: float = 0.25,
    ) -> GroupFuture[RegisteredServer]:
        """Adds a server to the router; answered once the router sends requests to it.

        Args:
            url: the server's base URL.
            worker_type: ``regular``, ``prefill`` or ``decode``.
            bootstrap_port: a prefill server's bootstrap port.
            api_key: the key that guards the server, if one does.
            timeout: seconds; a server that the router does not send to by then is not registered afterwards.
            poll_interval: the longest time between two looks at the router, in seconds; the first are closer together.
        """
        return self._call(
            "router",
            "register_server",
            RegisteredServer.of,
            url=url,
            worker_type=worker_type,
            bootstrap_port=bootstrap_port,
            api_key=api_key,
            timeout=timeout,
            poll_interval=poll_interval,
        )

    def generate(
        self,
        prompt: str | None = None,
        input_ids: list[int] | None = None,
        sampling_params: dict[str, Any] | None = None,
        timeout: float = 600,
    ) -> GroupFuture[dict[str, Any]]:
        """One request to the router's ``/generate``, a list of one answer.

        It goes by the router's worker, so it needs no key and no way to the router's port. For many requests at once
        take an HTTP client and :meth:`get_router_url`.

        Args:
            prompt: the text to continue.
            input_ids: its tokens instead.
            sampling_params: SGLang's, such as ``{"max_new_tokens": 16}``.
            timeout: seconds.
        """
        given = {"text": prompt, "input_ids": input_ids, "sampling_params": sampling_params}
        request = {key: value for key, value in given.items() if value is not None}
        return self._call("router", "generate", dict, request=request, timeout=timeout)

    def unregister_server(self, url: str) -> GroupFuture[bool]:
        """Takes a server away from the router; false when the router does not have it."""
        return self._call("router", "unregister_server", bool, url=url)

    def is_healthy(self) -> GroupFuture[bool]:
        """Whether each worker's process runs and answers ``/health``."""
        return self._call(self.kind, "is_healthy", bool)

    def shutdown(self) -> GroupFuture[bool]:
        """Ends each worker's process; the workers themselves stay until the fleet ends. Harmless when repeated."""
        return self._call(self.kind, "shutdown", bool)

    # -- looking at it

    def status(self) -> GroupFuture[WorkerStatus]:
        """What each worker says about itself."""
        return self._call(self.kind, "status", WorkerStatus.of)

    def servers(self) -> GroupFuture[RegisteredServer]:
        """The servers that the router lists."""
        return self._call("router", "servers", RegisteredServer.of, flatten=True)

    def log_tail(self, lines: int = 40) -> GroupFuture[str]:
        """The last lines of each process's log, one text each."""
        return self._call(self.kind, "log_tail", str, lines=lines)

    def events(self, since: int = 0) -> GroupFuture[list[dict[str, Any]]]:
        """Each worker's log of deaths, restarts and the like, oldest first, from a number on."""
        return self._call(self.kind, "events", list, since=since)

    # -- steering it

    def restart(self, why: str = "asked for from Python", timeout: float = 1200) -> GroupFuture[str]:
        """Replaces each worker's process by a new one at the same URL, all at once; answered when they serve."""
        return self._call(self.kind, "restart", str, why=why, timeout=timeout)

    def drain(self, timeout: float = 300) -> GroupFuture[int]:
        """Keeps new requests away from the engines and waits for those they have.

        The answer is how many each still has when the time (seconds) is over; -1 where the engine cannot tell.
        """
        return self._call("server", "drain", int, timeout=timeout)

    def undrain(self, timeout: float = 300) -> GroupFuture[bool]:
        """Lets new requests come to drained engines."""
        return self._call("server", "undrain", bool, timeout=timeout)

    def abort(self, request_id: str = "") -> GroupFuture[bool]:
        """Ends requests that the engines work on: those of one id, or all for an empty id."""
        return self._call("server", "abort", bool, request_id=request_id)

    # -- between rollouts

    def release_memory(self, tags: Iterable[str] = (), timeout: float = 300) -> GroupFuture[bool]:
        """Lends the engines' accelerator memory to the trainer, all engines at once.

        They get no new requests until :meth:`resume_memory`, and those they have are waited for. Needs
        ``enable_memory_saver``. After a failure, :meth:`status` tells of each engine what it has released, and the call
        may be repeated.

        Args:
            tags: SGLang's words ``kv_cache``, ``weights``, ``cuda_graph``; none for all.
            timeout: seconds for all engines together.
        """
        return self._call("server", "release_memory", bool, tags=list(tags), timeout=timeout)

    def resume_memory(self, tags: Iterable[str] = (), timeout: float = 300) -> GroupFuture[bool]:
        """Takes lent memory back; an engine that has all of it gets requests again. Arguments as above."""
        return self._call("server", "resume_memory", bool, tags=list(tags), timeout=timeout)

    def pause_generation(self, mode: str = "abort", timeout: float = 300) -> GroupFuture[bool]:
        """Stops the generation of all engines; requests that come wait inside them.

        Args:
            mode: what becomes of the requests under way: ``abort`` ends them with what they have, ``retract`` computes
                them again afterwards, ``in_place`` lets them continue afterwards as they are.
            timeout: seconds for all engines together.
        """
        return self._call("server", "pause_generation", bool, mode=mode, timeout=timeout)

    def continue_generation(self, timeout: float = 300) -> GroupFuture[bool]:
        """Lets the generation of all engines continue."""
        return self._call("server", "continue_generation", bool, timeout=timeout)

    def flush_cache(self, timeout: float = 300) -> GroupFuture[bool]:
        """Empties the engines' caches of prefixes; an engine that has requests refuses."""
        return self._call("server", "flush_cache", bool, timeout=timeout)

    def update_weights(
        self,
        path: str | os.PathLike[str] | None,
        version: str,
        *,
        in_flight: str = "drain",
        rolling: bool = False,
        load_format: str | None = None,
        source: str = "disk",
        buckets: Iterable[dict[str, Any]] = (),
        timeout: float = 600,
    ) -> GroupFuture[UpdateReport]:
        """Gives all engines other weights: no request is answered by the old ones once one is by the new.

        The answer is a list of one :class:`UpdateReport`. When no engine took them, ``WeightUpdateError`` is raised and
        the fleet serves with the weights that it had.

        Args:
            path: a checkpoint folder that every engine's node sees; None for other sources than ``disk``.
            version: the trainer's name for the weights; answers tell it in ``meta_info.weight_version``.
            in_flight: what becomes of requests under way: ``drain``, ``abort``, ``retract`` or ``in_place``.
            rolling: one engine after the other: the fleet never stops answering, and its answers mix for a while.
            load_format: SGLang's word; None for the engine's own.
            source: ``disk``, ``tensors`` or ``distributed``.
            buckets: for ``tensors`` and ``distributed``: the bodies of SGLang's requests, in order. A Ray actor of
                this process keeps them until the answer; the fleet takes them from there.
            timeout: seconds for the whole of it.

        Raises:
            FleetRequestError: a bucket is no JSON object.
        """
        if self._gateway is None:
            raise errors.FleetRequestError(f"{self!r} was detached")
        bodies = list(buckets)
        shelf = self._shelf
        laid = shelf.lay(bodies) if bodies else None
        future = self._call(
            "fleet",
            "update_weights",
            UpdateReport.of,
            path=None if path is None else os.fspath(path),
            version=version,
            in_flight=in_flight,
            rolling=rolling,
            load_format=load_format,
            source=source,
            buckets=laid,
            timeout=timeout,
        )
        if laid:
            shelf.keep(laid["update"], future.ref)
            future.then(shelf.tidy)
        return future

    def weight_version(self) -> GroupFuture[str | None]:
        """The version of each engine's weights; None while it is not known."""
        return self._call("server", "status", lambda values: values.get("weightVersion"))

    def init_weights_group(
        self,
        master_address: str,
        master_port: int,
        world_size: int,
        *,
        first_rank: int = 1,
        group_name: str = "weights",
        backend: str = "nccl",
        timeout: float = 300,
    ) -> GroupFuture[bool]:
        """Lets every engine join a process group with the trainer, for ``update_weights(source="distributed")``.

        Answered once all have joined, the trainer included: begin the trainer's own part before waiting.

        Args:
            master_address: where the trainer's first process listens.
            master_port: its port.
            world_size: the trainer's processes and all engines' accelerators.
            first_rank: the rank of the first engine's first accelerator.
            group_name: a name for the group.
            backend: such as ``nccl`` or ``gloo``.
            timeout: seconds.
        """
        return self._call(
            "fleet",
            "init_weights_group",
            bool,
            master_address=master_address,
            master_port=master_port,
            first_rank=first_rank,
            world_size=world_size,
            group_name=group_name,
            backend=backend,
            timeout=timeout,
        )

    def destroy_weights_group(self, group_name: str = "weights", timeout: float = 300) -> GroupFuture[bool]:
        """Lets every engine leave the group again."""
        return self._call("fleet", "destroy_weights_group", bool, group_name=group_name, timeout=timeout)

    def report(self, step: int, values: Mapping[str, float]) -> GroupFuture[bool]:
        """Shows numbers of a step of the trainer on the fleet's page, such as its mean reward.

        The last 1,000 steps are kept; a further report of a step adds to it. A fleet without a page keeps none.
        It is not necessary to wait for the answer.

        Args:
            step: the step's number, 0 or more.
            values: 1 to 16 finite numbers by name, of 1 to 64 characters; a fleet has 16 names at most.

        Raises:
            FleetRequestError: a value is no finite number, or (on waiting) there are too many or too long names.
        """
        numbers = {}
        for name, value in values.items():
            number = float(value)
            if not math.isfinite(number):
                raise errors.FleetRequestError(
                    f"the value of '{name}' of step {step} is {number}; reported values must be finite numbers"
                )
            numbers[str(name)] = number
        return self._call("fleet", "report", bool, step=step, values=numbers)

    # -- how many engines

    def scale(self, engines: int, drain_timeout: float = 300, pool: str = "") -> GroupFuture[ScaleReport]:
        """Gives the fleet, or one of its pools, so many engines, 1 or more. Answered with one :class:`ScaleReport`.

        Further engines get the fleet's current weights before the router sends to them. Those of the highest ranks go
        first, and end their requests before. Call :meth:`refresh` afterwards, on this and every other handle.

        Args:
            engines: how many.
            drain_timeout: seconds that requests of engines that go may take to end.
            pool: the pool's name; needed where the fleet has several.

        Raises:
            FleetRequestError: there is no room for them, or no such pool; the fleet is as it was. (On waiting.)
            WorkerError: an engine does not start; the fleet is as it was. (On waiting.)
        """
        return self._call("fleet", "scale", ScaleReport.of, engines=engines, drain_timeout=drain_timeout, pool=pool)

    def refresh(self, timeout: float = 30) -> None:
        """Learns how many engines the fleet has by now, and where they are.

        Raises:
            FleetEndedError: the fleet's gateway is gone.
        """
        import ray

        gateway = self._gateway
        if gateway is None:
            raise errors.FleetRequestError(f"{self!r} was detached")
        try:
            self._facts.update(json.loads(ray.get(gateway.facts.remote(), timeout=timeout)))
        except ray.exceptions.RayActorError as e:
            raise errors.FleetEndedError(f"the gateway of {self.name} is gone: the fleet has ended") from e
        except ray.exceptions.GetTimeoutError as e:
            raise errors.FleetTimeoutError(f"the gateway of {self.name} did not answer within {timeout} s") from e

    # -- where it is

    @property
    def engines(self) -> int:
        """How many engines the fleet has, as of the attachment or the last :meth:`refresh`."""
        return len(self._facts["engines"])

    def on(self, *ranks: int) -> FleetGroup:
        """The same group of engines, fewer of them."""
        if self.kind != "server":
            raise errors.FleetRequestError(f"{self.name} is a router, which has no ranks to choose from")
        there = sorted(engine["rank"] for engine in self._facts["engines"])
        missing = sorted(set(ranks) - set(there))
        if missing or not ranks:
            known = ", ".join(map(str, there))
            raise errors.FleetRequestError(f"{self.name} has ranks {known}, not {missing or 'none'}; see refresh()")
        return FleetGroup(self._gateway, self.namespace, self._facts, self.name, tuple(ranks))

    @property
    def metrics_url(self) -> str | None:
        """Where the fleet's owner serves metrics, without a slash at the end; None where it does not.

        As of :func:`attach` or the last :meth:`refresh`.
        """
        return self._url("metrics")

    @property
    def dashboard_url(self) -> str | None:
        """Where the fleet's owner serves its page, as :attr:`metrics_url`."""
        return self._url("dashboard")

    def _url(self, name: str) -> str | None:
        url = self._facts.get("urls", {}).get(name)
        return None if url is None else str(url)

    def placement_group(self) -> Any:
        """The fleet's Ray placement group, to put actors of one's own into its bundles; from any namespace.

        Engines that came by :meth:`scale` have bundles in other groups; see :attr:`EngineBundle.placement_group_id`.

        Raises:
            FleetRequestError: the fleet has none.
        """
        from ray._raylet import PlacementGroupID
        from ray.util.placement_group import PlacementGroup

        group = self._facts.get("placementGroup")
        if group is None:
            raise errors.FleetRequestError(f"the fleet of {self.name} reserves nothing in Ray")
        # ray.util.get_placement_group finds groups of the driver's own namespace only.
        return PlacementGroup(PlacementGroupID(bytes.fromhex(group["id"])))

    def bundles(self, timeout: float | None = 60) -> list[EngineBundle]:
        """Where each engine lies, by rank: a trainer in bundle ``bundles()[i].bundle_index`` meets engine ``i``."""
        statuses = self._call("server", "status", WorkerStatus.of).wait(timeout)
        by_rank = {engine["rank"]: engine for engine in self._facts["engines"]}
        return [
            EngineBundle(
                one.rank,
                by_rank[one.rank]["bundle"],
                one.node_ip or by_rank[one.rank]["nodeIp"],
                one.devices,
                by_rank[one.rank].get("group", ""),
            )
            for one in statuses
            if one.rank in by_rank
        ]

    def device_ids(self, timeout: float | None = 60) -> list[tuple[str, ...]]:
        """The devices that each engine uses, in rank order, as in ``CUDA_VISIBLE_DEVICES``."""
        return [bundle.devices for bundle in self.bundles(timeout)]

    # -- letting go

    def detach(self) -> None:
        """Lets go of the fleet, which continues to run without anything of this driver. Harmless when repeated."""
        self._gateway = None
        # Ray ends the actor of the other with its last reference, which updates under way have.
        self._shelf = Shelf(self.namespace)

    def __enter__(self) -> FleetGroup:
        return self

    def __exit__(self, *_: object) -> None:
        self.detach()

    def __repr__(self) -> str:
        ranks = f", ranks {list(self._ranks)}" if self._ranks else ""
        return f"FleetGroup({self.name!r}, namespace {self.namespace!r}, {self.kind}{ranks})"

    def _call(self, kind: str, method: str, convert: Any, flatten: bool = False, **arguments: Any) -> GroupFuture[Any]:
        gateway = self._gateway
        if gateway is None:
            raise errors.FleetRequestError(f"{self!r} was detached")
        ranks = list(self._ranks) if kind == self.kind else []
        request = json.dumps({"group": kind, "method": method, "ranks": ranks, "arguments": arguments})
        if len(request) > MAX_REQUEST_BYTES:  # it is ASCII
            raise errors.FleetRequestError(too_large(len(request)))
        return GroupFuture(
            gateway.call.remote(request),
            f"{self.name}.{method}",
            convert,
            flatten,
            gateway.facts.remote,
        )


def attach(
    group: str = "SGLangServerGroup", namespace: str | None = None, timeout: float = 30, wait: float = 0
) -> FleetGroup:
    """Finds a running fleet by the name of one of its groups, wherever it was launched from.

    The driver must be connected (``ray.init(...)``) and stays as it is: it needs no code search path, and its namespace
    may be another one. The fleet is not changed by it.

    Args:
        group: the server group's name (``group_name``), or the router group's.
        namespace: the fleet's Ray namespace; None looks in the driver's own, then in ``sglang-ray``.
        timeout: seconds that the fleet's gateway may take to answer.
        wait: seconds to wait for a fleet that is not there yet.

    Raises:
        FleetNotFoundError: there is no such fleet.
        FleetEndedError: the fleet's gateway does not come up, or not again.
        FleetError: this driver is not connected to Ray, or the gateway does not answer.
    """
    import ray

    if not ray.is_initialized():
        raise errors.FleetError("this program is not connected to Ray: call ray.init(...) first")
    own = ray.get_runtime_context().namespace
    namespaces = [namespace] if namespace else list(dict.fromkeys([own, DEFAULT_NAMESPACE]))
    deadline = time.monotonic() + wait
    while True:
        for place in namespaces:
            found = _find(group, place, timeout)
            if found is not None:
                return found
        if time.monotonic() >= deadline:
            raise _not_found(group, namespaces)
        time.sleep(_PAUSE_S)


def _find(group: str, namespace: str, timeout: float) -> FleetGroup | None:
    named = _ask(group + _SUFFIX, namespace, timeout)
    if named is not None:
        return FleetGroup(named[0], namespace, named[1], group)
    # A fleet with both groups goes by its server group's name.
    for name in _gateways(namespace):
        found = _ask(name, namespace, timeout)
        if found is not None and group in (found[1].get("serverGroup"), found[1].get("routerGroup")):
            return FleetGroup(found[0], namespace, found[1], group)
    return None


def _ask(name: str, namespace: str, timeout: float) -> tuple[Any, dict[str, Any]] | None:
    """A gateway and what it says of its fleet; None when there is none of that name."""
    import ray
    from ray.exceptions import GetTimeoutError

    deadline = time.monotonic() + timeout
    while True:
        try:
            gateway = ray.get_actor(name, namespace=namespace)
            return gateway, json.loads(ray.get(gateway.facts.remote(), timeout=timeout))
        except ValueError:
            return None
        except GetTimeoutError:
            raise errors.FleetTimeoutError(f"the gateway {name!r} did not answer within {timeout} s") from None
        except Exception as error:
            # It has its name before it has said what it is, so it is just starting; or Ray starts it again.
            if time.monotonic() > deadline:
                raise errors.FleetEndedError(
                    f"the gateway {name!r} in namespace {namespace!r} is not up after {timeout} s: {error!r}"
                ) from error
            time.sleep(_PAUSE_S)


def _gateways(namespace: str | None = None) -> list[str]:
    import ray

    return [
        str(actor["name"])
        for actor in ray.util.list_named_actors(all_namespaces=True)
        if actor["name"].endswith(_SUFFIX) and namespace in (None, actor["namespace"])
    ]


def _not_found(group: str, namespaces: Iterable[str]) -> errors.FleetNotFoundError:
    import ray

    there = [
        f"{actor['name'][: -len(_SUFFIX)]!r} in namespace {actor['namespace']!r}"
        for actor in ray.util.list_named_actors(all_namespaces=True)
        if actor["name"].endswith(_SUFFIX)
    ]
    return errors.FleetNotFoundError(
        f"there is no fleet with a group {group!r} in namespace {' or '.join(map(repr, namespaces))}; "
        + (f"there are {', '.join(there)}" if there else "there is none in this cluster at all")
    )
