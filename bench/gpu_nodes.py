#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An engine of two accelerators over two nodes, against the same one on one node: answers, and what a lost part costs.

On one machine with two GPUs, as root. Nodes are network namespaces with a /tmp, a /dev/shm and a Ray of their own.
First one node has both GPUs, then two nodes have one each; ``sglang-ray up`` launches the same configuration on both.
The engine over two nodes must give the same tokens, and serve again after ``kill -9`` of either part's process, forked
and not started as a program. With ``--device cpu`` all of it runs without GPUs; the engine on one node has one rank.

A table goes to standard output, what happens to standard error. Exit code 1: something is not as it should be::

    bench/gpu_nodes.py --model /models/A --json nodes.json
    bench/gpu_nodes.py --device cpu                           # the tiny model, without GPUs
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "python-bridge/src/main/python"
ADDRESSES = ("10.9.0.1", "10.9.0.2")
#: Each is asked once of each engine: SGLang rounds a prompt from its cache differently from one that it computes.
PROMPTS = [[17, 400, 33], [5] * 24, list(range(100, 164)), [256, 270, 290, 310, 511]]
#: Asked all the time around a kill; its answer is either of those of an engine that was asked twice.
WATCHED = [7, 8, 9, 10, 11, 12, 300, 301]
TOKENS = 24
DEADLINE_S = 300.0
#: A new mount, host-name and network namespace.
NAMESPACES = 0x00020000 | 0x04000000 | 0x40000000
#: Folders of /tmp stay visible in a node's own /tmp, but for what Ray and fleets keep there.
PRIVATE_FILES = """
set -e
hostname "$0"; stage=$(mktemp -d /run/node.XXXXXX); mount -n -t tmpfs -o mode=1777 tmpfs "$stage"
for kept in /tmp/*/; do
  case $kept in /tmp/ray*|/tmp/sglang*) continue;; esac
  mkdir "$stage${kept#/tmp}"; mount -n --rbind "$kept" "$stage${kept#/tmp}"
done
mount -n --move "$stage" /tmp; rmdir "$stage"
mount -n -t tmpfs -o mode=1777,size=8g tmpfs /dev/shm
ip link set lo up
"""
CONFIGURATION = """\
cluster:
  num_nodes: 2
  component_placement: {rollout: 0-1}
router_server_args:
  model_path: MODEL
  tensor_parallel_size: 2
  pipeline_parallel_size: 1
  server:
    model_path: ${..model_path}
    tp_size: ${..tensor_parallel_size}
    pp_size: ${..pipeline_parallel_size}
    attention_backend: triton
    sampling_backend: pytorch
    mem_fraction_static: 0.5
    max_running_requests: 16
    random_seed: 1
    log_level: info
  router: {policy: round_robin, log_level: warn}
"""
CLOCK = time.monotonic()
PROBLEMS: list[str] = []


def say(text: str) -> None:
    print(f"{time.monotonic() - CLOCK:7.2f}  {text}", file=sys.stderr, flush=True)


def expect(right: bool, text: str) -> None:
    """Says what should be, and notes when it is not."""
    say(("ok: " if right else "WRONG: ") + text)
    if not right:
        PROBLEMS.append(text)


def run(*words: str, env: dict[str, str] | None = None, deadline: float = 60) -> str:
    """Standard output of a command that must succeed."""
    done = subprocess.run(words, capture_output=True, text=True, env=env, timeout=deadline)
    if done.returncode != 0:
        raise SystemExit(
            f"{' '.join(words)}: exit code {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-8000:]}"
        )
    return done.stdout


def network_of(pid: int | str) -> str:
    """Which network namespace a process is in; empty when it is gone."""
    try:
        return os.readlink(f"/proc/{pid}/ns/net")
    except OSError:
        return ""


class Nodes:
    """Two nodes, joined by a cable; this process moves to the first."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(NAMESPACES) != 0:
            raise SystemExit(f"no namespaces of its own: {os.strerror(ctypes.get_errno())}; run it as root")
        run("mount", "--make-rprivate", "/")
        run("sh", "-c", PRIVATE_FILES, "node0")
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "--net", "--uts", "sleep", "infinity"], start_new_session=True
        )
        end = time.monotonic() + 10
        while Path(f"/proc/{self._holder.pid}/comm").read_text() != "sleep\n":
            if time.monotonic() > end:
                raise SystemExit("the second node's namespaces are not there after 10 s")
            time.sleep(0.01)
        self._second = ("nsenter", "-t", str(self._holder.pid), "--mount", "--net", "--uts")
        run(*self._second, "sh", "-c", PRIVATE_FILES, "node1")
        run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", str(self._holder.pid))
        for prefix, address in (((), ADDRESSES[0]), (self._second, ADDRESSES[1])):
            run(*prefix, "ip", "addr", "add", address + "/24", "dev", "eth0")
            run(*prefix, "ip", "link", "set", "eth0", "up")
        self._networks = {network_of("self"), network_of(self._holder.pid)}

    @contextlib.contextmanager
    def ray(self, gpus: list[str]) -> Iterator[None]:
        """A Ray cluster, a node for each item: the GPUs of that node."""
        try:
            for rank, visible in enumerate(gpus):
                since = time.monotonic()
                words = [self._options.python, "-m", "ray.scripts.scripts", "start", "--disable-usage-stats"]
                head = ["--head", "--port=6379", "--include-dashboard=false"]
                words += head if rank == 0 else [f"--address={ADDRESSES[0]}:6379"]
                words += [f"--node-ip-address={ADDRESSES[rank]}", "--num-cpus=8", "--object-store-memory=100000000"]
                words += [f"--num-gpus={len(visible.split(','))}", f'--resources={{"node_rank:{rank}": 1}}']
                env = {**os.environ, "NCCL_HOSTID": f"node{rank}"}
                if self._options.device != "cpu":
                    env["CUDA_VISIBLE_DEVICES"] = visible
                run(*(self._second if rank else ()), *words, env=env)
                say(f"Ray on node {rank} after {time.monotonic() - since:.1f} s")
            yield
        finally:
            self.keep_logs(f"{len(gpus)}-nodes")
            self._end(spare={os.getpid(), self._holder.pid})
            for prefix in ((), self._second):
                run(*prefix, "rm", "-rf", "/tmp/ray")

    def keep_logs(self, name: str) -> None:
        """The logs of engines, fork servers, routers and workers of both nodes."""
        if self._options.logs is None:
            return
        for rank, prefix in enumerate(((), self._second)):
            folder = self._options.logs / name / f"node{rank}"
            folder.mkdir(parents=True, exist_ok=True)
            copy = 'cp $(ls /tmp/ray/session_2*/logs/* | grep -E "/(sglang|java-worker)[^/]*$") "$0" || true'
            run(*prefix, "sh", "-c", copy, str(folder))

    def _end(self, spare: set[int]) -> None:
        """Kills all that runs on the nodes, until nothing does."""
        end = time.monotonic() + 20
        while True:
            left = [int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit()]
            left = [pid for pid in left if pid not in spare and network_of(pid) in self._networks]
            if not left:
                return
            if time.monotonic() > end:
                raise SystemExit(f"processes {left} do not end")
            for pid in left:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0] > 0:
                    pass
            time.sleep(0.05)

    def close(self) -> None:
        """Nothing is left of the nodes."""
        self._end(spare={os.getpid()})


class Fleet:
    """One engine and a router, launched by the program."""

    def __init__(self, options: argparse.Namespace, configuration: Path, nodes: int) -> None:
        self._options = options
        self._env = {
            **os.environ,
            "RAY_ADDRESS": f"{ADDRESSES[0]}:6379",
            "SGLANG_RAY_PYTHON": options.python,
        }
        since = time.monotonic()
        words = ["up", "--detach", "--json", "--health-timeout", str(int(DEADLINE_S)), "-c", str(configuration)]
        text = self.command(*words, f"cluster.num_nodes={nodes}", *options.overrides, deadline=DEADLINE_S + 60)
        self.up_s = round(time.monotonic() - since, 1)
        self.report = json_of(text)
        self.router = self.report["api_url"]
        say(f"up after {self.up_s} s at {self.router}, phases {self.report.get('phases_s')}")

    def command(self, *words: str, deadline: float = 60) -> str:
        return run(self._options.program, *words, env=self._env, deadline=deadline)

    def engine(self) -> tuple[str, dict[str, Any]]:
        """The verdict on the fleet, and the engine's state."""
        done = subprocess.run(
            [self._options.program, "status", "--json"], stdout=subprocess.PIPE, text=True, env=self._env, timeout=60
        )
        status = json_of(done.stdout)
        return status["verdict"], next(one for one in status["workers"] if one["kind"] == "server")

    def answer(self, prompt: list[int], seconds: float = 60) -> list[int]:
        """The tokens that the router's engine continues a prompt with."""
        sampling = {"temperature": 0, "max_new_tokens": TOKENS, "ignore_eos": True}
        body = json.dumps({"input_ids": prompt, "sampling_params": sampling}).encode()
        request = urllib.request.Request(self.router + "/generate", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return list(json.load(answer)["output_ids"])

    def answers(self) -> list[list[int]]:
        return [self.answer(prompt) for prompt in PROMPTS]

    def kill(self, part: int, right: list[list[int]]) -> dict[str, Any]:
        """Kills a part's process; seconds until requests fail, and until they are answered again."""
        _, before = self.engine()
        watch = Watch(self)
        try:
            watch.until(lambda: any(code == "200" for _, _, code in watch.seen), "an answer before the kill")
            since = time.monotonic()
            os.kill(pids(before)[part], signal.SIGKILL)
            say(f"kill -9 of part {part}, process {pids(before)[part]}")

            def healed() -> bool:
                verdict, now = self.engine()
                return verdict == "HEALTHY" and not set(pids(now)) & set(pids(before)) and all(pids(now))

            watch.until(healed, "new processes of both parts")
            healthy = time.monotonic()
            watch.until(lambda: any(at >= healthy and code == "200" for at, _, code in watch.seen), "an answer again")
        finally:
            watch.close()
        seen = [one for one in watch.seen if one[1] >= since]
        failed = [one for one in seen if one[2] != "200"]
        last = failed[-1][1] if failed else since
        again = next(end for begin, end, code in watch.seen if begin >= last and code == "200")
        result = {
            "part": part,
            "first_failure_s": round(failed[0][1] - since, 2) if failed else None,
            "serves_again_s": round(again - since, 2),
            "requests": len(seen),
            "failed": len(failed),
            "codes": sorted({code for _, _, code in failed}),
        }
        say(f"part {part} killed: {result}")
        expect(watch.right(right), f"after the kill of part {part} all answers are as before")
        self.look()
        return result

    def look(self) -> list[str]:
        """Says how the engine stands; its conditions."""
        verdict, now = self.engine()
        where = [now["nodeIp"], *(one["nodeIp"] for one in now.get("parts", []))]
        conditions = [str(one) for one in now.get("conditions", [])]
        say(f"{verdict}: nodes {where}, processes {pids(now)}, conditions {conditions}")
        expect(not any("no warm start" in one for one in conditions), "no part is without warm starts")
        return conditions


class Watch:
    """Asks the router for one answer after the other."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._ended = False
        #: When asked, when answered, and what with: 200, another code or an error.
        self.seen: list[tuple[float, float, str]] = []
        self._answers: list[list[int]] = []
        self._thread = threading.Thread(target=self._ask, name="watch", daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        while not self._ended:
            begin = time.monotonic()
            try:
                self._answers.append(self._fleet.answer(WATCHED))
                code = "200"
            except Exception as error:  # each is a result
                code = str(getattr(error, "code", type(error).__name__))
            self.seen.append((begin, time.monotonic(), code))
            time.sleep(0.02)

    def until(self, condition: Any, what: str) -> None:
        end = time.monotonic() + DEADLINE_S
        while not condition():
            if time.monotonic() > end:
                raise SystemExit(f"{what}: not within {DEADLINE_S:.0f} s; last {self.seen[-3:]}")
            time.sleep(0.02)

    def right(self, answers: list[list[int]]) -> bool:
        """Whether all answers were one of these."""
        return all(one in answers for one in self._answers)

    def close(self) -> None:
        self._ended = True
        self._thread.join(5)


def pids(engine: dict[str, Any]) -> list[int]:
    """The processes of an engine's parts."""
    return [engine.get("pid") or 0, *(one.get("pid") or 0 for one in engine.get("parts", []))]


def json_of(text: str) -> Any:
    """The last line that is a JSON object."""
    return json.loads([line for line in text.splitlines() if line.startswith("{")][-1])


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    configuration = folder / "fleet.yaml"
    configuration.write_text(CONFIGURATION.replace("MODEL", options.model))
    result: dict[str, Any] = {"model": options.model, "device": options.device}
    nodes = Nodes(options)
    try:
        if "one" in options.parts:
            with nodes.ray(["0,1"]):
                fleet = Fleet(options, configuration, 1)
                result["one_node"] = {"up_s": fleet.up_s, "answers": fleet.answers()}
                fleet.look()
        with nodes.ray(["0", "1"]):
            fleet = Fleet(options, configuration, 2)
            answers = fleet.answers()
            _, engine = fleet.engine()
            where = [engine["nodeIp"], *(one["nodeIp"] for one in engine.get("parts", []))]
            expect(sorted(where) == sorted(ADDRESSES), f"the engine's parts are on {where}")
            result["two_nodes"] = {"up_s": fleet.up_s, "nodes": where, "answers": answers}
            expect(all(len(one) == TOKENS for one in answers), f"{len(answers)} answers of {TOKENS} tokens each")
            if "one" in options.parts:
                equal = answers == result["one_node"]["answers"]
                expect(equal, f"{len(answers)} answers are the ones of the engine on one node")
            fleet.look()
            kills = [int(part) for part in options.kills.split(",") if part]
            right = [fleet.answer(WATCHED), fleet.answer(WATCHED)]
            result["kills"] = [fleet.kill(part, right) for part in kills]
            if kills:
                expect(fleet.answers() == answers, "the last engine's answers are the first one's")
            say(fleet.command("events"))
            since = time.monotonic()
            fleet.command("down")
            result["two_nodes"]["down_s"] = round(time.monotonic() - since, 1)
    finally:
        nodes.close()
    return result


def table(result: dict[str, Any]) -> str:
    rows = []
    if "one_node" in result:
        rows.append(("`up`, the engine on one node", f"{result['one_node']['up_s']} s"))
    rows.append(("`up`, the engine over two nodes", f"{result['two_nodes']['up_s']} s"))
    for kill in result["kills"]:
        words = f"serves again after {kill['serves_again_s']} s; {kill['failed']} of {kill['requests']} requests failed"
        rows.append(
            (f"part {kill['part']}, `kill -9`", f"{words} {kill['codes']}, the first {kill['first_failure_s']} s")
        )
    rows.append(("`down`", f"{result['two_nodes']['down_s']} s"))
    return "\n".join(["| what | seen |", "| --- | --- |", *(f"| {what} | {seen} |" for what, seen in rows)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a checkpoint (default: the tiny model)")
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--python", help="with Ray, SGLang and router (default: this; on the CPU `prepare path run`)")
    parser.add_argument("--program", default=str(REPOSITORY / "ray-app/target/dist/sglang-ray"))
    parser.add_argument("--parts", default="one,two", help="without `one` nothing is compared (default: one,two)")
    parser.add_argument("--kills", default="1,0", help="parts to kill, one after the other (default: 1,0)")
    parser.add_argument("--logs", type=lambda path: Path(path).resolve(), help="where to keep the nodes' logs")
    parser.add_argument("--json", type=Path, help="where to write the results too")
    parser.add_argument("overrides", nargs="*", help="overrides of the configuration")
    options = parser.parse_args()
    os.environ["RAY_AUTH_MODE"] = "disabled"
    if options.device == "cpu":
        os.environ["SGLANG_RAY_DEVICE"] = "cpu"
        # Both parts compute on the same cores, and threads that wait for the other's would keep them busy.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    if options.python is None and options.device == "cpu":
        options.python = run(str(REPOSITORY / "python-bridge/prepare"), "path", "run").strip() + "/bin/python"
    options.python = options.python or sys.executable
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # Not in /tmp, which each node has for itself.
    with tempfile.TemporaryDirectory(prefix="gpu-nodes-", dir="/var/tmp") as folder:
        if options.model is None:
            options.model = folder + "/model"
            env = {**os.environ, "PYTHONPATH": f"{PACKAGE}:{os.environ.get('PYTHONPATH', '')}"}
            run(options.python, "-m", "sglang_ray.tiny_model", options.model, env=env)
        result = measure(options, Path(folder))
    result["problems"] = PROBLEMS
    print(table(result))
    if options.json is not None:
        options.json.write_text(json.dumps(result, indent=2) + "\n")
    for problem in PROBLEMS:
        print(f"gpu_nodes: {problem}", file=sys.stderr)
    return 1 if PROBLEMS else 0


if __name__ == "__main__":
    sys.exit(main())
