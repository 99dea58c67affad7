# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

import sglang_ray
from fake_ray import ActorUnavailableError, FakeRay, Method, RayError, Ref, install
from sglang_ray import errors, fleet, future

FACTS = {
    "serverGroup": "SGLangServerGroup",
    "routerGroup": "SGLangRouterGroup",
    "placementGroup": {"id": "ab", "name": "sglang-ray/SGLangServerGroup"},
    "engines": [{"rank": 0, "bundle": 1, "nodeIp": "10.0.0.1"}, {"rank": 1, "bundle": 0, "nodeIp": "10.0.0.2"}],
}


class Box:
    """A gateway whose owner answers as the test says."""

    def __init__(self, facts: dict[str, Any] = FACTS) -> None:
        self.requests: list[dict[str, Any]] = []
        self.answers: list[Any] = []
        self.known = facts
        self.facts = Method(lambda: json.dumps(self.known))
        self.call = Method(self._call)

    def _call(self, request: str) -> Any:
        self.requests.append(json.loads(request))
        answer = self.answers.pop(0)
        return answer if isinstance(answer, Ref) else json.dumps(answer)


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    return install(monkeypatch)


@pytest.fixture
def box(ray: FakeRay) -> Box:
    made = Box()
    ray.actors[("sglang-ray", "SGLangServerGroup:gateway")] = made
    return made


def test_attaches_from_another_namespace_and_answers_in_rank_order(box: Box) -> None:
    group = sglang_ray.attach("SGLangServerGroup")
    assert (group.kind, group.namespace, group.engines) == ("server", "sglang-ray", 2)
    box.answers = [{"result": ["http://a:1", "http://b:2"], "seconds": 0.25}]
    future = group.get_server_url()
    assert future.wait() == ["http://a:1", "http://b:2"]
    assert future.done()
    assert future.consume_duration() == 0.25
    assert box.requests == [{"group": "server", "method": "get_server_url", "ranks": [], "arguments": {}}]


def test_the_router_s_group_is_found_too(box: Box) -> None:
    router = sglang_ray.attach("SGLangRouterGroup")
    assert router.kind == "router"
    box.answers = [{"result": [True], "seconds": 0}, {"result": ["http://r:3"], "seconds": 0}]
    assert router.is_healthy().wait() == [True]
    assert router.get_router_url().wait()[0] == "http://r:3"
    assert [request["group"] for request in box.requests] == ["router", "router"]


def test_asynchronous_waits(box: Box) -> None:
    box.answers = [{"result": [True, False], "seconds": 0}]
    assert asyncio.run(sglang_ray.attach().is_healthy().async_wait()) == [True, False]


def test_arguments_ranks_and_types_of_answers(box: Box) -> None:
    group = sglang_ray.attach()
    server = {"id": "7", "url": "http://x:1", "workerType": "prefill", "modelId": None, "healthy": True}
    box.answers = [
        {"result": [server], "seconds": 0},
        {"result": [[server]], "seconds": 0},
        {"result": ["log"], "seconds": 0},
    ]
    assert group.register_server("http://x:1", "prefill", 8998).wait()[0].worker_type == "prefill"
    assert [one.id for one in group.servers().wait()] == ["7"]
    assert group.on(1).log_tail(5).wait() == ["log"]
    assert box.requests[0]["arguments"] == {
        "url": "http://x:1",
        "worker_type": "prefill",
        "bootstrap_port": 8998,
        "api_key": None,
        "timeout": 300,
        "poll_interval": 0.25,
    }
    assert box.requests[2] == {"group": "server", "method": "log_tail", "ranks": [1], "arguments": {"lines": 5}}
    with pytest.raises(errors.FleetRequestError, match=r"has ranks 0, 1, not \[2\]"):
        group.on(2)


def test_a_request_to_the_router(box: Box) -> None:
    router = sglang_ray.attach("SGLangRouterGroup")
    box.answers = [{"result": [{"text": "Paris", "meta_info": {}}], "seconds": 0}] * 2
    assert router.generate("The capital", sampling_params={"max_new_tokens": 4}).wait()[0]["text"] == "Paris"
    assert sglang_ray.attach().generate(input_ids=[1, 2], timeout=5).wait()[0]["text"] == "Paris"
    assert [(one["group"], one["method"], one["arguments"]) for one in box.requests] == [
        (
            "router",
            "generate",
            {"request": {"text": "The capital", "sampling_params": {"max_new_tokens": 4}}, "timeout": 600},
        ),
        ("router", "generate", {"request": {"input_ids": [1, 2]}, "timeout": 5}),
    ]


def test_ranks_are_those_that_there_are(box: Box) -> None:
    engine = FACTS["engines"][0]  # type: ignore[index]
    box.known = {**FACTS, "engines": [engine, {**engine, "rank": 2}]}
    group = sglang_ray.attach()
    assert "ranks [2]" in repr(group.on(2))
    with pytest.raises(errors.FleetRequestError, match=r"has ranks 0, 2, not \[1\]"):
        group.on(0, 1)


def test_knows_where_the_owner_serves_what_it_sees(box: Box) -> None:
    assert (sglang_ray.attach().metrics_url, sglang_ray.attach().dashboard_url) == (None, None)
    box.known = {**FACTS, "urls": {"metrics": "http://10.0.0.1:9400", "dashboard": None}}
    group = sglang_ray.attach()
    assert (group.metrics_url, group.dashboard_url) == ("http://10.0.0.1:9400", None)


def test_reports_numbers_of_a_step(box: Box) -> None:
    box.answers = [{"result": [True], "seconds": 0}]
    group = sglang_ray.attach()
    assert group.report(3, {"reward": 1, "loss": 0.5}).wait() == [True]
    assert box.requests[0]["group"] == "fleet"
    assert box.requests[0]["arguments"] == {"step": 3, "values": {"reward": 1.0, "loss": 0.5}}
    with pytest.raises(errors.FleetRequestError, match="the value of 'reward' of step 4 is nan; reported values"):
        group.report(4, {"reward": float("nan")})
    assert len(box.requests) == 1


def test_a_request_that_is_too_large_is_not_sent(box: Box) -> None:
    with pytest.raises(errors.FleetRequestError, match="the gateway takes 1048576 at most"):
        sglang_ray.attach().restart("x" * 1_100_000)
    assert box.requests == []


def test_buckets_do_not_pass_through_the_gateway(ray: FakeRay, box: Box) -> None:
    group = sglang_ray.attach()
    report = {"version": "7", "engines": {}, "secondsToQuiet": 0, "secondsToLoad": 0, "secondsToReturn": 0}
    box.answers = [{"result": [report], "seconds": 0}]
    buckets = [{"serialized_named_tensors": ["x" * 5_000_000]}]
    future = group.update_weights(None, "7", source="tensors", buckets=buckets)
    laid = box.requests[0]["arguments"]["buckets"]
    assert laid["sizes"] == [5_000_000 + len('{"serialized_named_tensors":[""]}')]
    shelf = ray.actors[(laid["namespace"], laid["actor"])].object
    assert shelf.piece(laid["update"], 0, 0, 10) == b'{"serializ'
    future.wait()
    with pytest.raises(LookupError):
        shelf.piece(laid["update"], 0, 0, 10)


def test_a_silent_owner_is_no_end(box: Box) -> None:
    silent = {"type": "silent", "message": "silent for 60 s"}
    box.answers = [{"error": {**silent, "begun": begun}} for begun in (True, False)]
    group = sglang_ray.attach()
    for begun in (True, False):
        with pytest.raises(errors.FleetOwnerSilentError, match="silent for") as caught:
            group.status().wait()
        assert caught.value.begun == begun
        assert not isinstance(caught.value, errors.FleetEndedError)


def test_where_the_engines_are(box: Box) -> None:
    status = {"kind": "server", "group": "SGLangServerGroup", "state": "READY", "newer_field": 1}
    box.answers = [
        {
            "result": [
                {**status, "rank": 0, "nodeIp": "10.0.0.1", "devices": ["3"]},
                {**status, "rank": 1, "nodeIp": "10.0.0.2", "devices": ["0", "1"]},
            ],
            "seconds": 0,
        }
    ]
    assert sglang_ray.attach().bundles() == [
        fleet.EngineBundle(0, 1, "10.0.0.1", ("3",)),
        fleet.EngineBundle(1, 0, "10.0.0.2", ("0", "1")),
    ]


def test_a_fleet_that_grows(box: Box) -> None:
    group = sglang_ray.attach()
    box.answers = [
        {"result": [{"before": 2, "after": 3, "added": [2], "removed": [], "requestsEnded": 0}], "seconds": 9},
        {"error": {"type": "request", "message": "there is no place", "others": []}},
    ]
    report = group.scale(3, drain_timeout=5, pool="decode").wait()[0]
    assert report == fleet.ScaleReport(before=2, after=3, added=(2,), removed=(), requests_ended=0)
    assert box.requests[0] == {
        "group": "fleet",
        "method": "scale",
        "ranks": [],
        "arguments": {"engines": 3, "drain_timeout": 5, "pool": "decode"},
    }
    box.known = {**FACTS, "engines": [*FACTS["engines"], {"rank": 2, "bundle": 0, "nodeIp": "10.0.0.2", "group": "cd"}]}
    assert group.engines == 2
    group.refresh()
    assert group.engines == 3
    assert "ranks [2]" in repr(group.on(2))
    with pytest.raises(errors.FleetRequestError, match="there is no place"):
        group.scale(9).wait()


def test_failures_are_typed(box: Box) -> None:
    group = sglang_ray.attach()
    failure = {
        "type": "worker",
        "message": "SGLangServerGroup rank 1 on node 10.0.0.2: status failed: gone",
        "group": "SGLangServerGroup",
        "rank": 1,
        "node": "10.0.0.2",
        "method": "status",
        "cause": "io.ray.api.exception.RayActorException: died",
        "others": ["rank 0 too"],
    }
    box.answers = [{"error": failure}, {"error": {"type": "request", "message": "no such method"}}]
    with pytest.raises(errors.WorkerError, match="rank 1 on node") as caught:
        group.status().wait()
    assert (caught.value.group, caught.value.rank, caught.value.node) == ("SGLangServerGroup", 1, "10.0.0.2")
    assert caught.value.java_cause == "io.ray.api.exception.RayActorException: died"
    assert caught.value.others == ("rank 0 too",)
    with pytest.raises(ValueError, match="no such method"):
        group.status().wait()


def test_weights(box: Box, tmp_path: Path) -> None:
    group = sglang_ray.attach()
    outcomes = {"0": {"result": "UPDATED", "detail": ""}, "1": {"result": "ABSENT", "detail": "it restarts"}}
    times = {"secondsToQuiet": 0.1, "secondsToLoad": 2.0, "secondsToReturn": 0.2}
    box.answers = [
        {"result": [{"version": "7", "engines": outcomes, "complete": False, **times}], "seconds": 2.3},
        {"error": {"type": "update", "message": "no such folder", "group": "G", "method": "updateWeights"}},
        {"result": [{"weightVersion": "7"}, {"weightVersion": None}], "seconds": 0},
    ]
    report = group.update_weights(tmp_path, "7", in_flight="abort").wait()[0]
    assert (report.version, report.missing, report.seconds_to_load) == ("7", (1,), 2.0)
    assert (report.engines[0], report.details) == ("UPDATED", {1: "it restarts"})
    assert box.requests[0]["group"] == "fleet"
    assert box.requests[0]["arguments"]["path"] == str(tmp_path)
    assert box.requests[0]["arguments"]["in_flight"] == "abort"
    with pytest.raises(errors.WeightUpdateError, match="no such folder"):
        group.update_weights("nowhere", "8").wait()
    assert group.weight_version().wait() == ["7", None]


def test_a_wait_that_is_over_cancels_nothing(box: Box) -> None:
    late = Ref(ready=False)
    box.answers = [late]
    future = sglang_ray.attach().is_healthy()
    with pytest.raises(errors.FleetTimeoutError, match=r"is_healthy was not answered within 0\.1 s"):
        future.wait(0.1)
    assert not future.done()
    late.ready, late.value = True, json.dumps({"result": [True], "seconds": 0})
    assert future.wait() == [True]


def test_a_fleet_that_ends_meanwhile(box: Box) -> None:
    box.answers = [Ref(failure=RayError("the actor died")), {"error": {"type": "ended", "message": "over"}}]
    group = sglang_ray.attach()
    for _ in range(2):
        with pytest.raises(errors.FleetEndedError):
            group.is_healthy().wait()


def test_a_call_that_is_lost_with_the_gateway_s_process(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(future, "_PAUSE_S", 0.001)
    lost = Ref(failure=ActorUnavailableError("socket closed"))
    box.answers = [lost, lost, lost, {"result": [True], "seconds": 0}]
    group = sglang_ray.attach()
    back = Ref(json.dumps(FACTS))
    said = [Ref(failure=ActorUnavailableError("restarting")), back, back]
    box.facts = Method(lambda: said.pop(0))
    calling = group.is_healthy()
    with pytest.raises(errors.FleetCallLostError, match="that is back and the fleet continues to run"):
        calling.wait()
    with pytest.raises(errors.FleetCallLostError):
        asyncio.run(group.is_healthy().async_wait())
    said = [Ref(failure=ActorUnavailableError("restarting")), Ref(failure=RayError("the actor died"))]
    with pytest.raises(errors.FleetEndedError):
        group.is_healthy().wait()
    assert group.is_healthy().wait() == [True]


def test_what_is_not_there_is_told_with_what_is(ray: FakeRay, box: Box) -> None:
    del box
    with pytest.raises(errors.FleetNotFoundError, match="'SGLangServerGroup' in namespace 'sglang-ray'"):
        sglang_ray.attach("NoSuchGroup")
    with pytest.raises(errors.FleetNotFoundError, match="in namespace 'elsewhere'"):
        sglang_ray.attach("SGLangServerGroup", namespace="elsewhere")
    ray.connected = False
    with pytest.raises(errors.FleetError, match=r"ray\.init"):
        sglang_ray.attach()


def test_a_gateway_that_is_just_starting_is_waited_for(ray: FakeRay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "_PAUSE_S", 0.001)
    ray.actors[("sglang-ray", "SGLangServerGroup:gateway")] = [AssertionError("its class is not published"), Box()]
    assert sglang_ray.attach().engines == 2


def test_a_gateway_that_ray_starts_again_is_waited_for(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "_PAUSE_S", 0.001)
    said = [Ref(failure=RayError("restarting")), json.dumps(FACTS)]
    box.facts = Method(lambda: said.pop(0))
    assert sglang_ray.attach().engines == 2
    box.facts = Method(lambda: Ref(failure=RayError("restarting")))
    with pytest.raises(errors.FleetEndedError, match=r"not up after 0\.01 s"):
        sglang_ray.attach(timeout=0.01)


def test_a_detached_group_is_used_no_more(box: Box) -> None:
    del box
    with sglang_ray.attach() as group:
        pass
    group.detach()
    with pytest.raises(errors.FleetRequestError, match="was detached"):
        group.is_healthy()
