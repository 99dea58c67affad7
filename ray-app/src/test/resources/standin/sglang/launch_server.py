# SPDX-License-Identifier: Apache-2.0
"""The stand-in server: HTTP in one process, and two more processes below it, as the real one has.

What it does besides is told by ``standin.json`` in the model's folder, all optional: ``load_seconds`` before it listens,
``last_words`` with ``exit_code`` to die instead of listening, ``never_healthy``, ``ignore_sigterm``, ``die_after_seconds``
to die some time after it listens, ``die_with_child`` to die when a process below it does, and ``generate_in_child`` to
generate nothing while that one is stopped, both as the real one; ``lose_port`` to find its port taken, the first time;
``ranks``, a number, to have so many schedulers with SGLang's titles, of which the first is the plain process below it;
``rank_death_seconds`` to end so long after one of them, and to do nothing about it before, as SGLang while it waits for
core dumps; ``slow_info_seconds`` before it tells what a router asks before it takes it; ``release_seconds`` before it
releases memory; ``generate_seconds`` that each request takes which does not say its ``seconds`` (a router leaves them out). A file ``mute-PORT`` that the tests make in
the folder lets the server of that port answer /health but generate nothing; the next server to start takes the seconds in
a file ``slow-once`` longer. With ``nnodes`` above 1 its parts wait for each other; ``part_dies_on`` names the host whose part ends
before that. SIGUSR1 ends each of its processes cleanly.

It has weights of a version, which each answer tells, and takes others from a folder. There ``standin.json`` may say, all
optional: ``update_seconds``, ``broken_on`` a host that fails in the middle, ``dies_on`` a host that is killed then. As the
real one, it waits for its requests first unless it is paused, and dies when it is told to release memory with requests
under way or twice, or to generate without memory. With ``disaggregation_mode`` it answers only what a router asks such an engine.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sglang.srt.disaggregation import Disaggregation, Refused
from sglang.srt.engine_state import EngineState


def run_server(server_args: Any) -> None:
    if not os.path.isdir(server_args.model_path):
        raise OSError(f"{server_args.model_path} is not a local folder")
    behaviour = _behaviour(server_args.model_path)
    print(f"stand-in engine: loading {server_args.model_path}", flush=True)
    if behaviour.get("ignore_sigterm"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if behaviour.get("die_with_child"):
        signal.signal(signal.SIGCHLD, lambda *_: os._exit(1) if _a_child_ended() else None)
    signal.signal(signal.SIGUSR1, lambda *_: os._exit(0))
    scheduler = _start_helpers(behaviour.get("ranks", 0))
    if "rank_death_seconds" in behaviour:
        signal.signal(signal.SIGCHLD, lambda *_: _end_in(behaviour["rank_death_seconds"]) if _a_child_ended() else None)
    time.sleep(behaviour.get("load_seconds", 0) + _slow_once(server_args.model_path))
    if server_args.nnodes > 1:
        _meet(server_args, behaviour)
    if "last_words" in behaviour:
        print(behaviour["last_words"], file=sys.stderr, flush=True)
        os._exit(behaviour.get("exit_code", 1))
    if behaviour.get("lose_port"):
        _lose_port(server_args)
    _Server.address_family = socket.AF_INET6 if ":" in server_args.host else socket.AF_INET
    server = _Server((server_args.host, server_args.port), _Handler)
    server.args = server_args
    server.state = EngineState(server_args.weight_version, server_args.model_path, _behaviour)
    server.disaggregation = Disaggregation(server_args)
    server.slow_info = behaviour.get("slow_info_seconds", 0)
    server.scheduler = scheduler if behaviour.get("generate_in_child") else None
    server.healthy = not behaviour.get("never_healthy", False) or server_args.node_rank > 0
    if "die_after_seconds" in behaviour:
        threading.Timer(behaviour["die_after_seconds"], os._exit, [behaviour.get("exit_code", 1)]).start()
    print(f"stand-in engine: ready on port {server_args.port}", flush=True)
    server.serve_forever()


def _meet(server_args: Any, behaviour: dict[str, Any]) -> None:
    """All parts meet at part 0's address, over the network, before any of them goes on. To generate, part 0 asks all others; as the
    real one, it waits without end for one that is gone."""
    if not os.environ.get("GLOO_SOCKET_IFNAME") or not os.environ.get("NCCL_SOCKET_IFNAME"):
        raise RuntimeError("no network interface was chosen")
    if not os.environ.get("SGLANG_HOST_IP"):
        raise RuntimeError("SGLang would look for the node's address on the way to 8.8.8.8")
    if os.uname().nodename == behaviour.get("part_dies_on"):
        print("CUDA out of memory", file=sys.stderr, flush=True)
        os._exit(7)
    host, _, port = server_args.dist_init_addr.rpartition(":")
    host = host.strip("[]")
    if server_args.node_rank == 0:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, int(port)), family=family) as listener:
            peers = {}
            while len(peers) < server_args.nnodes - 1:
                peer, _ = listener.accept()
                peers[peer.recv(16)] = peer
            for peer in peers.values():
                peer.sendall(b"go")
            _PEERS.extend(peers.values())
    else:
        peer = _connect(host, int(port))
        peer.sendall(str(server_args.node_rank).encode())
        if peer.recv(2) != b"go":
            raise RuntimeError("part 0 did not wait for this part")
        threading.Thread(target=_echo, args=(peer,), daemon=True).start()
    print(f"stand-in engine: part {server_args.node_rank} of {server_args.nnodes} has met the others", flush=True)


_PEERS: list[socket.socket] = []
_PEERS_LOCK = threading.Lock()


def _echo(peer: socket.socket) -> None:
    while question := peer.recv(1):
        peer.sendall(question)


def _ask_peers() -> None:
    for peer in _PEERS:
        peer.sendall(b"?")
        if not peer.recv(1):
            threading.Event().wait()


def _connect(host: str, port: int) -> socket.socket:
    while True:
        try:
            return socket.create_connection((host, port))
        except OSError:
            time.sleep(0.05)


def _behaviour(model_path: str) -> dict[str, Any]:
    try:
        return json.loads(Path(model_path, "standin.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


def _slow_once(model_path: str) -> float:
    file = Path(model_path, "slow-once")
    if not file.exists():
        return 0
    seconds = float(file.read_text(encoding="utf-8"))
    file.unlink()
    return seconds


def _a_child_ended() -> bool:
    """The signal comes also for one that was stopped."""
    return os.waitpid(-1, os.WNOHANG)[0] != 0


def _end_in(seconds: float) -> None:
    threading.Timer(seconds, os._exit, [1]).start()


def _lose_port(server_args: Any) -> None:
    """Somebody else listens where the server wants to, once."""
    done = Path(server_args.model_path, "port-lost")
    if not done.exists():
        done.touch()
        with socket.create_server((server_args.host, server_args.port)):
            _Server((server_args.host, server_args.port), _Handler)


class _Scheduler:
    """The plain child, which echoes."""

    def __init__(self, to_child: int, from_child: int) -> None:
        self._to_child, self._from_child = to_child, from_child
        self._lock = threading.Lock()

    def generate(self) -> None:
        with self._lock:
            os.write(self._to_child, b"?")
            os.read(self._from_child, 1)


def _start_helpers(ranks: int) -> _Scheduler:
    """One plain child, one in a session of its own, which no signal to a group reaches, and the ranks after the first."""
    question_read, question_write = os.pipe()
    answer_read, answer_write = os.pipe()
    never, _ = os.pipe()
    for number, own_session in enumerate((False, True, *[False] * (ranks - 1))):
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            source = never if number else question_read
            if ranks and not own_session:
                _become_rank(max(0, number - 1), source, answer_write)
            if own_session:
                os.setsid()
            while True:
                os.write(answer_write, os.read(source, 1))
    return _Scheduler(question_write, answer_read)


def _become_rank(rank: int, source: int, target: int) -> None:
    for pipe in (source, target):
        os.set_inheritable(pipe, True)
    program = str(Path(__file__).with_name("scheduler.py"))
    os.execv(sys.executable, [sys.executable, program, f"sglang::scheduler_TP{rank}", str(source), str(target)])


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    args: Any
    healthy: bool
    slow_info: float
    scheduler: _Scheduler | None
    state: EngineState
    disaggregation: Disaggregation


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        if self.path in ("/health", "/health_generate"):
            self.server.state.require_memory()
        if self.path == "/health_generate" and Path(self.server.args.model_path, f"mute-{self.server.args.port}").exists():
            self._answer(503, None)
        elif self.path in ("/health", "/health_generate"):
            if self.path == "/health_generate":
                self._generate()
            self._answer(200 if self.server.healthy else 503, None)
        elif self.path.startswith("/v1/loads"):
            self._answer(200, {"loads": [{"num_running_reqs": self.server.state.running, "num_waiting_reqs": 0}]})
        elif self.path == "/metrics":
            self._send(200, "text/plain", f"sglang:num_running_reqs {self.server.state.running}\nsglang:num_queue_reqs 0\n".encode())
        elif self.path in ("/get_model_info", "/model_info"):
            time.sleep(self.server.slow_info)
            version = self.server.state.weight_version
            info = {"model_path": self.server.args.model_path, "is_generation": True, "weight_version": version}
            self._answer(200, info)
        elif self.path in ("/get_server_info", "/server_info"):
            time.sleep(self.server.slow_info)
            self._answer(200, {"model_path": self.server.args.model_path, "tp_size": self.server.args.tp_size})
        elif self.path == "/v1/models":
            self._answer(200, {"object": "list", "data": [{"id": self._name(), "object": "model"}]})
        elif self.path == "/standin":
            self._answer(200, self._facts())
        else:
            self._answer(404, {"error": f"no {self.path}"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = json.loads(body or b"{}")
        if self.path == "/generate":
            self._complete(request)
        elif self.path == "/update_weights_from_disk":
            self._answer(*self.server.state.update(request))
        elif self.path == "/update_weights_from_tensor":
            self._answer(*self.server.state.update_from_tensor(request, len(body)))
        elif self.path in ("/pause_generation", "/continue_generation"):
            self.server.state.pause(self.path.startswith("/pause"))
            self._answer(200, {"status": "ok"})
        elif self.path in ("/release_memory_occupation", "/resume_memory_occupation"):
            release = self.path.startswith("/release")
            time.sleep(_behaviour(self.server.args.model_path).get("release_seconds", 0) if release else 0)
            self.server.state.memory(release, request.get("tags"))
            self._answer(200, None)
        elif self.path == "/flush_cache":
            self._answer(400 if self.server.state.running else 200, None)
        elif self.path == "/abort_request":
            self._answer(200, None)
        elif self.path == "/v1/chat/completions":
            said = request["messages"][-1]["content"]
            message = {"role": "assistant", "content": f"said to {self._name()}: {said}"}
            choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
            self._answer(200, {"id": "1", "object": "chat.completion", "model": self._name(), "choices": choices})
        else:
            self._answer(404, {"error": f"no {self.path}"})

    def _complete(self, request: dict[str, Any]) -> None:
        first = last = self.server.state.begin()
        try:
            prefill = self.server.disaggregation.take(request)
            behaviour = _behaviour(self.server.args.model_path)
            time.sleep(request.get("seconds", behaviour.get("generate_seconds", 0)))
            self._generate()
        except (Refused, OSError) as error:
            self._answer(400 if isinstance(error, Refused) else 500, {"error": {"message": str(error)}})
            return
        finally:
            last = self.server.state.end()
        text = request.get("text", "")
        versions = {"weight_version": last, "weight_versions": sorted({first, last})}
        meta = {**self._facts(), "prefill_pid": prefill, **versions}
        self._answer(200, {"text": f" said to {self._name()}: {text}", "meta_info": meta})

    def _generate(self) -> None:
        with _PEERS_LOCK:
            _ask_peers()
        if self.server.scheduler is not None:
            self.server.scheduler.generate()

    def _name(self) -> str:
        return self.server.args.served_model_name or self.server.args.model_path

    def _facts(self) -> dict[str, Any]:
        args = {key: value for key, value in vars(self.server.args).items() if key != "api_key"}
        names = ("FROM_GROUP", "CUDA_VISIBLE_DEVICES", "http_proxy", "HTTP_PROXY", "NO_PROXY")
        return {
            "pid": os.getpid(),
            "host_name": os.uname().nodename,
            "args": args,
            "api_key_sha256": hashlib.sha256(str(self.server.args.api_key).encode()).hexdigest(),
            "weight_path": self.server.state.weight_path,
            "weight_bytes": self.server.state.weight_bytes,
            "environment": {name: os.environ[name] for name in names if name in os.environ},
        }

    def _answer(self, status: int, value: Any) -> None:
        self._send(status, "application/json", b"" if value is None else json.dumps(value).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Not a line for each health check."""
