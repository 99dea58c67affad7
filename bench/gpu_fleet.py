#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What becomes of an engine and its weights on real GPUs: released, taken back, updated, killed, replaced.

Launches engines that share one GPU, or have one each, and a router on a running Ray cluster, and asks a question
through the router all the time, as fast as answers come. Every answer must be the one that the engines gave, when asked
directly, with weights of the version that the answer names; an engine without weights answers nothing but token 0.
Prints every step with its seconds and with what the workers and the router say. Exit code 1: a wrong answer, or a step
did not end as it should.

By hand, on a machine with a GPU, in a Python with ray, sglang, sglang-router and torch::

    ray start --head
    bench/gpu_fleet.py --model /models/A --other /models/B          # two engines that keep no copy of their weights
    bench/gpu_fleet.py --model /models/A --engines 1 --copy         # one that does (enable_weights_cpu_backup)
    bench/gpu_fleet.py --model /models/A --gpus 2 --parts kill,rolling                    # each on a GPU of its own
    bench/gpu_fleet.py --model /models/A --gpus 2 --engines 1 --parts kill router_server_args.tensor_parallel_size=2

A and B are checkpoints of one architecture. What follows the options is an override of the launcher's configuration.
"""

from __future__ import annotations

import argparse
import glob
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any, Callable

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, os.environ.get("SGLANG_RAY_SOURCE", str(REPOSITORY / "python-bridge" / "src" / "main" / "python")))

import ray  # noqa: E402
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy  # noqa: E402

import sglang_ray  # noqa: E402

#: Few tokens: SGLang rounds a prompt from its cache differently from one that it computes, so later tokens may differ.
QUESTION = {
    "input_ids": [7, 8, 9, 10, 11, 12, 300, 301],
    "sampling_params": {"temperature": 0, "max_new_tokens": 8, "ignore_eos": True},
}
#: How much of each engine's part of the accelerator is the trainer's.
TRAINER_SHARE = 0.1
CLOCK = time.monotonic()
PROBLEMS: list[str] = []


def say(text: str) -> None:
    """Prints with the seconds since the start."""
    print(f"{time.monotonic() - CLOCK:7.2f}  {text}", flush=True)


def expect(right: bool, text: str) -> None:
    """Prints what should be, and notes when it is not."""
    say(("ok: " if right else "WRONG: ") + text)
    if not right:
        PROBLEMS.append(text)


def timed(what: str, call: Callable[[], Any]) -> Any:
    """Does it and prints the seconds."""
    begin = time.monotonic()
    try:
        result = call()
    except Exception as error:
        expect(False, f"{what}: {time.monotonic() - begin:.2f} s, {type(error).__name__}: {str(error)[:800]}")
        return None
    say(f"{what}: {time.monotonic() - begin:.2f} s -> {result}")
    return result


def ask(url: str, path: str, body: Any = None, seconds: float = 60) -> Any:
    """One request; its JSON."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=seconds) as answer:
        return json.load(answer)


def answer_of(url: str) -> tuple[str | None, tuple[int, ...]]:
    """The version that an engine, or the router, answers with, and the tokens."""
    said = ask(url, "/generate", QUESTION)
    return said["meta_info"].get("weight_version"), tuple(said["output_ids"])


def memory() -> str:
    """What is used of the GPU."""
    try:
        return subprocess.run(
            ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()
    except OSError:
        return "no nvidia-smi"


class Watch:
    """Asks the router for an answer and for its list, all the time, and remembers both."""

    def __init__(self, router: str) -> None:
        self._router = router
        self._ended = False
        #: (when asked, when answered, HTTP code or error, version, tokens)
        self.answers: list[tuple[float, float, Any, str | None, tuple[int, ...]]] = []
        self.lists: list[tuple[float, tuple[str, ...]]] = []
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._ask, self._list)]
        for thread in self._threads:
            thread.start()

    def _ask(self) -> None:
        while not self._ended:
            begin = time.monotonic()
            code: Any
            version, tokens = None, ()
            try:
                version, tokens = answer_of(self._router)
                code = 200
            except urllib.error.HTTPError as error:
                code = error.code
            except Exception as error:
                code = type(error).__name__
            self.answers.append((begin, time.monotonic(), code, version, tokens))
            time.sleep(0.02)

    def _list(self) -> None:
        while not self._ended:
            try:
                workers = ask(self._router, "/workers", seconds=5)["workers"]
                now = tuple(sorted(worker["url"] for worker in workers if worker.get("is_healthy")))
                if not self.lists or self.lists[-1][1] != now:
                    self.lists.append((time.monotonic(), now))
            except Exception as error:
                say(f"the router's list: {error!r}")
            time.sleep(0.02)

    def listed(self) -> tuple[str, ...]:
        """Which servers the router sends to."""
        return self.lists[-1][1] if self.lists else ()

    def seconds_until(self, since: float, condition: Callable[[tuple[str, ...]], bool], longest: float) -> float | None:
        """From a moment until the list first fulfilled a condition afterwards; None when it did not in time."""
        while True:
            for when, now in self.lists:
                if when >= since and condition(now):
                    return round(when - since, 2)
            if condition(self.listed()) and self.lists[-1][0] < since:
                return 0.0
            if time.monotonic() > since + longest:
                return None
            time.sleep(0.02)

    def since(self, when: float) -> str:
        """What became of the requests that were asked after a moment."""
        mine = [one for one in list(self.answers) if one[0] >= when]
        kinds = Counter(f"{code} {version}" if code == 200 else str(code) for _, _, code, version, _ in mine)
        slowest = max((end - begin for begin, end, *_ in mine), default=0.0)
        return f"{len(mine)} requests, {dict(kinds)}, slowest {slowest:.2f} s"

    def end(self) -> None:
        """Asks no more."""
        self._ended = True
        for thread in self._threads:
            thread.join(90)


class Trainer:
    """Holds a checkpoint in the GPU's memory, and packs it for SGLang's ``/update_weights_from_tensor``."""

    def __init__(self, model: str, device: str) -> None:
        from safetensors.torch import load_file

        self._tensors: dict[str, Any] = {}
        for file in sorted(glob.glob(model + "/*.safetensors")):
            self._tensors.update(load_file(file, device=device))
        self._device = device

    def buckets(self, size: int, by_value: int) -> list[dict[str, Any]]:
        """All tensors in buckets of handles; then some of them again by value, of so many bytes at least."""
        # As SGLang's own serializer does it, without importing SGLang.
        import torch.multiprocessing  # noqa: F401

        buckets: list[dict[str, Any]] = []
        if self._device != "cpu":
            bucket: list[tuple[str, Any]] = []
            bytes_in = 0
            for name, tensor in self._tensors.items():
                bucket.append((name, tensor))
                bytes_in += tensor.numel() * tensor.element_size()
                if bytes_in >= size:
                    buckets.append(bucket_of(handles(bucket)))
                    bucket, bytes_in = [], 0
            if bucket:
                buckets.append(bucket_of(handles(bucket)))
        chosen: list[tuple[str, Any]] = []
        bytes_in = 0
        for name, tensor in self._tensors.items():
            if bytes_in < by_value and (".layers." in name or self._device == "cpu"):
                chosen.append((name, tensor.cpu()))
                bytes_in += tensor.numel() * tensor.element_size()
        if chosen:
            # Plain pickle puts the numbers themselves in, where SGLang's own serializer puts handles.
            buckets.append(bucket_of(pickle.dumps(chosen)))
        return buckets


def handles(tensors: list[tuple[str, Any]]) -> bytes:
    """Pickled, with handles in place of the numbers."""
    from multiprocessing.reduction import ForkingPickler

    return bytes(ForkingPickler.dumps(tensors))


def bucket_of(pickled: bytes) -> dict[str, Any]:
    """The body of SGLang's request, for engines of one accelerator."""
    import base64

    return {"serialized_named_tensors": [base64.b64encode(pickled).decode()]}


class Proof:
    """The steps, on one fleet."""

    def __init__(self, fleet: sglang_ray.FleetGroup, arguments: argparse.Namespace) -> None:
        self.fleet = fleet
        self.arguments = arguments
        self.urls: list[str] = fleet.get_server_url().wait()
        self.router: str = fleet.get_router_url().wait()[0]
        self.right: dict[str | None, tuple[int, ...]] = {}
        self.noted: dict[int, int] = {}
        self.trainer: Any = None
        self.watch = Watch(self.router)

    def all_listed(self, now: tuple[str, ...]) -> bool:
        """Whether the router sends to every engine; one that was started again may have another URL."""
        return len(now) >= len(self.urls)

    def status(self) -> None:
        """Prints what each engine's worker says."""
        for one in self.fleet.status().wait():
            error = (one.last_error or "")[:160]
            say(f"   status {one.rank}: {one.state} {one.weight_version} {list(one.conditions)} {error!r}")
        say(f"   the router's list: {list(self.watch.listed())}; memory {memory()}")

    def events(self) -> None:
        """Prints what the engines' workers noted since the last look."""
        for rank, events in enumerate(self.fleet.events().wait()):
            for event in events:
                if event["number"] > self.noted.get(rank, -1):
                    self.noted[rank] = event["number"]
                    say(f"   event {rank}: {event['time']} {event['kind']}: {event['text']}")

    def learn(self, what: str) -> None:
        """Asks each engine and the router; all must agree, and with what was answered for this version before."""
        self.urls = self.fleet.get_server_url().wait()
        answers = [answer_of(url) for url in [*self.urls, self.router]]
        version, tokens = answers[0]
        expect(len(set(answers)) == 1, f"{what}: all answer alike, version {version}, tokens {list(tokens)}")
        expect(len(set(tokens)) > 1, f"{what}: the answer is not one token again and again")
        known = self.right.setdefault(version, tokens)
        expect(known == tokens, f"{what}: version {version} answers as it did before")

    def memory_of(self, ranks: list[int], tags: list[str], serves_after: bool = True) -> None:
        """Releases, looks for two seconds, resumes."""
        group = self.fleet.on(*ranks)
        what = f"{tags or 'everything'} of {ranks}"
        before = time.monotonic()
        say(f"memory before: {memory()}")
        timed(f"release {what}", lambda: group.release_memory(tags).wait())
        released = time.monotonic()
        time.sleep(2)
        self.status()
        gone = {self.urls[rank] for rank in ranks}
        expect(not gone & set(self.watch.listed()), f"the router does not list {sorted(gone)}")
        say(f"requests while released: {self.watch.since(released)}")
        begin = time.monotonic()
        timed(f"resume {what}", lambda: group.resume_memory().wait())
        self.status()
        if serves_after:
            back = self.watch.seconds_until(begin, self.all_listed, 120)
            expect(back is not None, f"all engines in the router again {back} s after the resume was asked for")
        else:
            time.sleep(8)
            self.status()
            expect(not gone & set(self.watch.listed()), "without weights none of these engines is in the router")
        say(f"requests since the release: {self.watch.since(before)}")
        self.events()

    def update(self, what: str, call: Callable[[], Any], like: str) -> None:
        """An update, and what each engine answers afterwards: what it answered with a version of the same weights."""
        begin = time.monotonic()
        timed(what, lambda: call().wait())
        back = self.watch.seconds_until(begin, self.all_listed, 180)
        say(f"all engines in the router {back} s after the update was asked for; {self.watch.since(begin)}; {memory()}")
        self.learn(what)
        expect(like not in self.right or like in self.same_as(answer_of(self.router)[1]), f"{what}: as with {like}")

    def same_as(self, tokens: tuple[int, ...]) -> set[str | None]:
        """The versions that answer so."""
        return {version for version, known in self.right.items() if known == tokens}

    def push(self, version: str, by_value: int = 0) -> None:
        """Gives all engines the trainer's weights, from memory."""
        if self.trainer is None:
            self.trainer = self.start_trainer()
        if self.arguments.device == "cpu":
            by_value = 1 << 40
        buckets = timed_quietly(
            "the trainer packs", lambda: ray.get(self.trainer.buckets.remote(self.arguments.bucket << 20, by_value))
        )
        sizes = [len(json.dumps(bucket)) for bucket in buckets]
        say(f"{len(buckets)} bucket(s), of {sizes} bytes as JSON")
        self.update(
            f"update to {version} from memory",
            lambda: self.fleet.update_weights(None, version, source="tensors", buckets=buckets),
            "default",
        )

    def start_trainer(self) -> Any:
        """In the bundle of engine 0, so on its device."""
        device = self.arguments.device
        options: dict[str, Any] = {"num_cpus": 0}
        if device != "cpu":
            bundle = self.fleet.bundles()[0].bundle_index
            options["num_gpus"] = TRAINER_SHARE
            options["scheduling_strategy"] = PlacementGroupSchedulingStrategy(
                placement_group=self.fleet.placement_group(), placement_group_bundle_index=bundle
            )
        return ray.remote(Trainer).options(**options).remote(self.arguments.model, device)

    def scheduler(self, rank: int) -> int:
        """The process of an engine that generates, on its first accelerator."""
        pid = self.fleet.status().wait()[rank].pid
        schedulers = [one for one in descendants(pid) if re.match(r"sglang::scheduler", command(one))]
        expect(bool(schedulers), f"engine {rank} (pid {pid}) has a scheduler: {schedulers}")
        return schedulers[0] if schedulers else pid

    def first_process(self, rank: int) -> int:
        """The process of an engine that answers HTTP."""
        return int(self.fleet.status().wait()[rank].pid)

    def kill(self, pids: dict[int, int], serves_after: bool = True) -> None:
        """``kill -9`` of a process of each of these engines; their workers are to notice, and to start them again."""
        what = f"engine(s) {sorted(pids)}"
        begin = time.monotonic()
        for pid in pids.values():
            os.kill(pid, signal.SIGKILL)
        gone = {self.urls[rank] for rank in pids}
        out = self.watch.seconds_until(begin, lambda now: not gone & set(now), 90)
        expect(out is not None and out <= 1, f"{what} killed, out of the router after {out} s")
        self.status()
        if serves_after:
            down = begin + (out or 0)
            for count in range(len(self.urls) - len(pids) + 1, len(self.urls) + 1):
                back = self.watch.seconds_until(down, lambda now, least=count: len(now) >= least, 240)  # type: ignore[misc]
                after = None if back is None else round(back + (out or 0), 1)
                expect(back is not None, f"{count} of {len(self.urls)} serve again {after} s after it")
        else:
            rank = min(pids)
            while time.monotonic() < begin + 240:
                one = self.fleet.status().wait()[rank]
                if one.restarts > 0 and one.state not in ("RESTARTING", "STARTING"):
                    break
                time.sleep(0.5)
            say(f"runs again {time.monotonic() - begin:.1f} s after it")
            time.sleep(5)
            self.status()
            expect(self.urls[rank] not in self.watch.listed(), "without the fleet's weights it is not in the router")
        self.events()
        say(f"requests since the kill: {self.watch.since(begin)}")

    def rolling(self) -> None:
        """All engines replaced, one after the other; no request may fail."""
        begin = time.monotonic()
        program = os.environ.get("SGLANG_RAY_PROGRAM", str(REPOSITORY / "ray-app/bin/sglang-ray"))
        restart = [program, "restart", "--rolling", "--address", ray.get_runtime_context().gcs_address]
        timed("restart --rolling", lambda: subprocess.run(restart, check=True).returncode)
        codes = {code for when, _, code, *_ in list(self.watch.answers) if when >= begin}
        expect(codes == {200}, f"requests during the rolling restart: {self.watch.since(begin)}")

    def verdict(self) -> None:
        """Every answer through the router was one of its version."""
        self.watch.end()
        seen = Counter((version, tokens) for _, _, code, version, tokens in self.watch.answers if code == 200)
        for (version, tokens), count in seen.items():
            right = self.right.get(version) == tokens
            expect(right, f"{count} answers through the router of version {version} are {list(tokens)}")


def timed_quietly(what: str, call: Callable[[], Any]) -> Any:
    """As :func:`timed`, without the result."""
    begin = time.monotonic()
    result = call()
    say(f"{what}: {time.monotonic() - begin:.2f} s")
    return result


def command(pid: int) -> str:
    """A process's title or command line; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def descendants(root: int) -> list[int]:
    """All processes below one."""
    children: dict[int, list[int]] = {}
    for folder in glob.glob("/proc/[0-9]*"):
        try:
            stat = Path(folder, "stat").read_text()
        except OSError:
            continue
        children.setdefault(int(stat.rsplit(")", 1)[1].split()[1]), []).append(int(folder[6:]))
    found, wanted = [], [root]
    while wanted:
        below = children.get(wanted.pop(), [])
        found += below
        wanted += below
    return found


def configuration(arguments: argparse.Namespace) -> dict[str, Any]:
    """The launcher's configuration: unless there are several GPUs, engines share one, with a part for the trainer."""
    sharing: dict[str, Any] = {}
    server: dict[str, Any] = {"model_path": arguments.model, "random_seed": 1, "log_level": "info"}
    if arguments.device == "cpu":
        place = f"0-{arguments.engines - 1}" if arguments.engines > 1 else "0"
    else:
        server.update({"enable_memory_saver": True, "mem_fraction_static": arguments.fraction})
        if arguments.copy:
            server["enable_weights_cpu_backup"] = True
        if arguments.gpus > 1:
            place = f"0-{arguments.gpus - 1}:0-{arguments.engines - 1}"
        else:
            place = f"0:0-{arguments.engines - 1}" if arguments.engines > 1 else "0"
            share = round(1 / arguments.engines - TRAINER_SHARE, 2)
            sharing = {"placement_group": {"accelerator_share": share, "rest": {"GPU": TRAINER_SHARE}}}
    return {
        "cluster": {"num_nodes": 1, "component_placement": {"rollout": place}},
        "router_server_args": {
            "model_path": arguments.model,
            "tensor_parallel_size": 1,
            "pipeline_parallel_size": 1,
            "server": server,
            "router": {"policy": "round_robin", "log_level": "warn"},
            **sharing,
        },
    }


def steps(proof: Proof, arguments: argparse.Namespace) -> None:
    """All of them, in an order in which each begins with a healthy fleet."""
    ranks = list(range(arguments.engines))
    fleet = proof.fleet
    proof.learn("as launched")
    if "memory" in arguments.parts:
        proof.memory_of(ranks, ["kv_cache"])
        proof.learn("after the cache")
        if arguments.engines > 1:
            proof.memory_of([0], [])
            proof.learn("after engine 0")
        proof.memory_of(ranks, [])
        proof.learn("after everything")
    if "disk" in arguments.parts:
        proof.update("update to B from disk", lambda: fleet.update_weights(arguments.other, "B"), "B")
        if "memory" in arguments.parts:
            proof.memory_of(ranks, [])
            proof.learn("after everything, with B")
    if "tensors" in arguments.parts:
        proof.push("T")
        if "memory" in arguments.parts:
            proof.memory_of(ranks, [], serves_after=arguments.copy)
            if arguments.copy:
                proof.learn("after everything, with T")
        proof.push("T-again", by_value=arguments.by_value << 20)
    if "order" in arguments.parts:
        # As a trainer does that pushes anyway: the old weights are not loaded in between.
        timed("release everything", lambda: fleet.release_memory().wait())
        timed("resume weights", lambda: fleet.resume_memory(["weights"]).wait())
        begin = time.monotonic()
        timed("update to C from disk", lambda: fleet.update_weights(arguments.other, "C").wait())
        timed("resume the rest", lambda: fleet.resume_memory().wait())
        back = proof.watch.seconds_until(begin, proof.all_listed, 60)
        expect(back is not None, f"all engines in the router {back} s after the update was asked for")
        proof.learn("weights, update, the rest")
    if "kill-memory" in arguments.parts:
        proof.push("T-before-the-kill")
        proof.kill({arguments.engines - 1: proof.scheduler(arguments.engines - 1)}, serves_after=False)
        proof.update("update to D from disk", lambda: fleet.update_weights(arguments.other, "D"), "B")
    if "kill" in arguments.parts:
        if "tensors" in arguments.parts:
            # Weights from memory could not be loaded again.
            proof.update("update to E from disk", lambda: fleet.update_weights(arguments.other, "E"), "B")
        proof.kill({arguments.engines - 1: proof.scheduler(arguments.engines - 1)})
        proof.learn("after the kill of a scheduler")
        proof.kill({0: proof.first_process(0)})
        proof.learn("after the kill of a first process")
    if "kill-all" in arguments.parts:
        proof.kill({rank: proof.first_process(rank) for rank in ranks})
        proof.learn("after the kill of all first processes")
    if "rolling" in arguments.parts:
        proof.rolling()
        proof.learn("after the rolling restart")


def main() -> int:
    """Runs it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a checkpoint")
    parser.add_argument("--other", help="another one of the same architecture, for the parts disk, order, kill-memory")
    parser.add_argument("--engines", type=int, default=2)
    parser.add_argument("--gpus", type=int, default=1, help="above 1: so many, not shared, without a trainer")
    parser.add_argument("--copy", action="store_true", help="engines with enable_weights_cpu_backup")
    parser.add_argument("--fraction", type=float, default=0.3, help="SGLang's mem_fraction_static (default 0.3)")
    parser.add_argument("--device", default="cuda", help="cuda; cpu tries the script itself")
    parser.add_argument("--bucket", type=int, default=2048, help="MiB of tensors in a bucket of handles (default 2048)")
    parser.add_argument("--by-value", type=int, default=150, help="MiB of tensors that are sent by value (default 150)")
    parser.add_argument("--parts", default="memory,disk,tensors,order,kill-memory,kill,kill-all,rolling")
    parser.add_argument("--address", default=os.environ.get("RAY_ADDRESS", "auto"))
    parser.add_argument("overrides", nargs="*")
    arguments = parser.parse_args()
    arguments.parts = arguments.parts.split(",")
    ray.init(address=arguments.address, namespace="gpu_fleet", log_to_driver=False)
    say(f"memory at first: {memory()}")
    begin = time.monotonic()
    fleet = sglang_ray.launch(
        configuration(arguments), arguments.overrides, options=["--health-timeout", "420", "--explicit-placement"]
    )
    try:
        say(f"launched in {time.monotonic() - begin:.1f} s; memory {memory()}")
        proof = Proof(fleet, arguments)
        try:
            steps(proof, arguments)
        finally:
            proof.verdict()
            if proof.trainer is not None:
                ray.kill(proof.trainer)
    finally:
        timed("down", fleet.down)
    time.sleep(1)
    say(f"memory at last: {memory()}")
    left = [
        f"{pid} {command(pid)[:80]}"
        for pid in map(int, (folder[6:] for folder in glob.glob("/proc/[0-9]*")))
        if re.search(r"sglang::|sglang_ray\.serve|sglang_ray/supervisor|launch_router", command(pid))
    ]
    expect(not left, f"no process is left: {left}")
    for problem in PROBLEMS:
        print(f"gpu_fleet: {problem}", file=sys.stderr)
    say("all as it should be" if not PROBLEMS else f"{len(PROBLEMS)} wrong")
    return 1 if PROBLEMS else 0


if __name__ == "__main__":
    sys.exit(main())
