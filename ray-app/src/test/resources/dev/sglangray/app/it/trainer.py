# SPDX-License-Identifier: Apache-2.0
"""A trainer's driver, as a Python program of a user in a Ray namespace of its own.

Usage: trainer.py ADDRESS use SHARE           every handle, trainers in the fleet's bundles, typed errors, 100 attaches
       trainer.py ADDRESS wait                a call that waits until the fleet ends
       trainer.py ADDRESS lose                a call that waits while the fleet's gateway is killed, then others
       trainer.py ADDRESS launch CONFIG OVERRIDE...   launches the fleet, then trains until it is killed
       trainer.py ADDRESS order GROUP GPUS    makes a placement group of that name and says where its bundles are
       trainer.py ADDRESS meet ROLLOUT GPUS CONFIG OVERRIDE...   trainers and a fleet in a group of the trainer's own
"""

import asyncio
import json
import os
import sys
import time
import urllib.request

import ray
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

import sglang_ray
from sglang_ray import errors


@ray.remote
class Trainer:
    """An ordinary actor of the driver's own program."""

    def devices(self) -> str:
        """The devices that Ray shows this process."""
        return os.environ.get("CUDA_VISIBLE_DEVICES", "none")

    def place(self) -> tuple[str, str]:
        """The node and the devices of this process."""
        return ray.util.get_node_ip_address(), self.devices()


def say(text: str) -> None:
    """One line, at once."""
    print(text, flush=True)


def use(share: str) -> None:
    """What a training loop does with a fleet that somebody else launched."""
    group = sglang_ray.attach("SGLangServerGroup")
    router = sglang_ray.attach("SGLangRouterGroup")
    urls = group.get_server_url().wait()
    say(f"engines {len(urls)}, router {router.get_router_url().wait()[0]}")
    say(f"healthy {group.is_healthy().wait()} {asyncio.run(router.is_healthy().async_wait())}")
    states = [one.state for one in group.status().wait()]
    say(f"states {states}, first {group.on(0).get_server_url().wait() == urls[:1]}")
    gone = router.unregister_server(urls[0]).wait()
    say(f"unregistered {gone}, listed {len(router.servers().wait())}")
    back = group.register_server(urls[0]).wait()[0]
    say(f"registered {back.url == urls[0] and back.healthy}, listed {len(group.servers().wait())}")
    share_devices(group, float(share))
    push(group)
    fail(group)
    attach_often()


def share_devices(group: sglang_ray.FleetGroup, share: float) -> None:
    """A trainer in each engine's bundle."""
    for engine in group.bundles():
        strategy = PlacementGroupSchedulingStrategy(
            placement_group=group.placement_group(), placement_group_bundle_index=engine.bundle_index
        )
        trainer = Trainer.options(num_gpus=share, num_cpus=1, scheduling_strategy=strategy).remote()
        seen = ray.get(trainer.devices.remote(), timeout=120)
        say(f"engine {engine.rank} on {','.join(engine.devices)}, its trainer on {seen}")


def push(group: sglang_ray.FleetGroup) -> None:
    """Weights as tensors, which the fleet takes from this process and not from a request."""
    buckets = [{"serialized_named_tensors": [letter * 6_000_000]} for letter in "ab"]
    report = group.update_weights(None, "as tensors", source="tensors", buckets=buckets).wait()[0]
    url = group.get_server_url().wait()[0]
    with urllib.request.urlopen(f"{url}/standin", timeout=60) as answer:
        size = json.load(answer)["weight_bytes"]
    say(f"pushed, missing {report.missing}, {size > 12_000_000}, {set(group.weight_version().wait())}")


def fail(group: sglang_ray.FleetGroup) -> None:
    """Every failure is of its own type."""
    try:
        sglang_ray.attach("NoSuchGroup")
    except errors.FleetNotFoundError as error:
        say(f"not found, but there is: {'SGLangServerGroup' in str(error)}")
    try:
        group.log_tail("many").wait()
    except errors.FleetRequestError as error:
        say(f"refused: {error}")
    try:
        group.on(0).release_memory().wait()
    except errors.WorkerError as error:
        say(f"failed: {error.group} {error.rank} {error.method}, {error.java_cause is not None}")
    try:
        sleeping = group.register_server("http://10.9.0.1:9")
        sleeping.wait(0.5)
    except errors.FleetTimeoutError:
        say(f"too late, done {sleeping.done()}, others go on: {group.is_healthy().wait(60)[0]}")


def attach_often() -> None:
    """Attaching leaves nothing, neither there nor here."""
    before = (len(ray.util.list_named_actors(all_namespaces=True)), len(os.listdir("/proc/self/fd")))
    begin = time.monotonic()
    for _ in range(100):
        with sglang_ray.attach("SGLangServerGroup") as group:
            assert group.engines > 0
    seconds = time.monotonic() - begin
    after = (len(ray.util.list_named_actors(all_namespaces=True)), len(os.listdir("/proc/self/fd")))
    say(f"attached 100 times, the same after it: {before == after}")
    print(f"in {seconds:.2f} s; actors and files {before} {after}", file=sys.stderr)


def wait() -> None:
    """The router is never done with a server that is not there."""
    waiting = sglang_ray.attach("SGLangServerGroup").register_server("http://10.9.0.1:9")
    say("waiting")
    try:
        waiting.wait(200)
    except errors.FleetEndedError:
        say("told that the fleet ended")


def lose() -> None:
    """The process that carries the calls dies; the group that was attached before goes on."""
    group = sglang_ray.attach("SGLangServerGroup")
    waiting = group.register_server("http://10.9.0.1:9")
    say("waiting")
    try:
        waiting.wait(200)
    except errors.FleetCallLostError:
        say(f"the call was lost, others go on: {group.is_healthy().wait(100)[0]}")


def launch(config: str, *overrides: str) -> None:
    """A fleet of the trainer's own, which outlives it."""
    try:
        sglang_ray.launch(config, ["router_server_args.tensor_parallel_size=16"])
    except errors.LaunchError as error:
        say(f"refused with {error.exit_code}")
    group = sglang_ray.launch(config, overrides)
    trainer = Trainer.remote()
    ray.get(trainer.devices.remote())
    say(f"launched {group.is_healthy().wait()} in {group.namespace}, training")
    time.sleep(600)


def order(name: str, gpus: str) -> None:
    """Bundles of a placement group that a trainer made."""
    made = ray.util.placement_group([{"GPU": 1}] * 4, name=name)
    ray.get(made.ready(), timeout=120)
    bundles = sglang_ray.device_order(made, gpus=float(gpus))
    say(f"order {[(one.node_ip, *one.devices) for one in bundles]}")
    say(f"indices {sorted(one.index for one in bundles)}")


def meet(nodes: str, gpus: str, config: str, *overrides: str) -> None:
    """Trainers hold a group of whole GPUs, ranked as they like; a fleet joins it, and each engine is to meet its trainer."""
    made = ray.util.placement_group(
        [{"GPU": 1, "CPU": 1, f"node:{node}": 0.001} for node in nodes.split(",")], name="lab"
    )
    ray.get(made.ready(), timeout=120)
    order = sglang_ray.device_order(made, gpus=float(gpus))
    say(f"order {[(one.node_ip, *one.devices) for one in order]}")
    # Any order of a trainer's own will do; this one is neither Ray's nor that of the devices.
    ranked = [one.index for one in reversed(order)]
    joined = f"{{name: lab, namespace: trainers, accelerator_share: 0.2, bundles: {ranked}}}"
    group = sglang_ray.launch(config, [*overrides, f"+router_server_args.placement_group={joined}"])
    trainers = [
        Trainer.options(
            num_gpus=0.7,
            num_cpus=1,
            scheduling_strategy=PlacementGroupSchedulingStrategy(
                placement_group=made, placement_group_bundle_index=index
            ),
        ).remote()
        for index in ranked
    ]
    places = ray.get([trainer.place.remote() for trainer in trainers], timeout=120)
    for engine, (node, devices) in zip(group.bundles(), places, strict=True):
        met = (engine.node_ip, ",".join(engine.devices)) == (node, devices)
        say(f"engine {engine.rank} on {engine.node_ip} {','.join(engine.devices)}, meets its trainer: {met}")
    group.down()


def main() -> None:
    """Connect and do one of them."""
    address, command, *rest = sys.argv[1:]
    ray.init(address=address, namespace="trainers", log_to_driver=False)
    {"use": use, "wait": wait, "lose": lose, "launch": launch, "order": order, "meet": meet}[command](*rest)


if __name__ == "__main__":
    main()
