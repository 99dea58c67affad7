# SPDX-License-Identifier: Apache-2.0
"""Becomes an SGLang engine: ``srt`` (language models) or ``embodied`` (multimodal generation)."""

from __future__ import annotations

import os
import socket
import sys
import typing
from typing import Any

from sglang_ray import accelerators, cpu, packages, read_ahead, redaction, renamed
from sglang_ray.environment import prepare_engine
from sglang_ray.errors import BridgeError, missing_package
from sglang_ray.fields import is_nullable, record_names


def say(text: str) -> None:
    """A line in the engine's log."""
    print(f"sglang_ray: {text}", file=sys.stderr, flush=True)


def serve_srt(server_args: dict[str, Any], dist_port: int) -> int:
    """Runs a language-model server in this process until it ends."""
    if packages.version("sglang") is None:
        raise missing_package("sglang", "an engine needs it")
    check_model_path(server_args)
    read_ahead.begin(server_args.get("model_path"), server_args.get("load_format"))
    prepare_engine(os.environ)
    on_cpu = on_processor(server_args)
    if on_cpu:
        cpu.prepare(os.environ)
    try:
        from sglang.srt.server_args import ServerArgs
    except ImportError as error:
        raise missing_package("a package that sglang imports", str(error)) from error
    fields = record_names(ServerArgs)
    arguments = without_unset(renamed.current("server_args", "server", server_args, fields, say), ServerArgs)
    if on_cpu:
        arguments = cpu.adapt(arguments, fields, lambda text: say(f"no accelerator: {text}"))
        cpu.spread(os.environ, arguments)
    if arguments.get("dist_init_addr") is None and not _has_several_groups(arguments):
        arguments["dist_init_addr"] = f"127.0.0.1:{dist_port}"
    redaction.hide_in_logs(arguments)
    return _launch_srt(ServerArgs(**arguments))


def _has_several_groups(arguments: dict[str, Any]) -> bool:
    """Whether SGLang makes a group of processes for each data-parallel rank: one address cannot serve them all."""
    return int(arguments.get("dp_size") or 1) > 1 and not arguments.get("enable_dp_attention")


def check_model_path(server_args: dict[str, Any]) -> None:
    """Refuses a path that is not there at once, not after the imports; names that may be of a hub pass."""
    for key in ("model_path", "tokenizer_path"):
        path = server_args.get(key)
        if isinstance(path, str) and path.startswith(("/", "./", "../", "~")):
            found = os.path.expanduser(path)
            if not os.path.exists(found):
                raise BridgeError(f"server_args: {key}: {path} does not exist on {socket.gethostname()}")
            if os.path.isdir(found) and not os.listdir(found):
                raise BridgeError(f"server_args: {key}: {path} on {socket.gethostname()} is an empty folder")


def without_unset(server_args: dict[str, Any], record: Any) -> dict[str, Any]:
    """Null means unset where null is not a value of the field."""
    hints = typing.get_type_hints(record, include_extras=True)
    return {key: value for key, value in server_args.items() if value is not None or is_nullable(hints.get(key, Any))}


def _launch_srt(server_args: Any) -> int:
    from sglang.srt.utils import kill_process_tree

    load_plugins()
    try:
        _srt_entry()(server_args)
    finally:
        kill_process_tree(os.getpid(), include_parent=False)
    return 0


def load_plugins() -> None:
    """Once in each process; again it does nothing."""
    try:
        from sglang.srt.plugins import load_plugins as load
    except ImportError:  # older than the plugin mechanism
        return
    load()


def _srt_entry() -> Any:
    """The function behind ``python -m sglang.launch_server``; it takes no pipe in the versions that we support."""
    try:
        from sglang.launch_server import run_server
    except ImportError:
        from sglang.srt.entrypoints.http_server import launch_server

        return launch_server
    return run_server


def serve_embodied(server_args: dict[str, Any], dist_port: int) -> int:
    """Runs a multimodal-generation server in this process until it ends."""
    if packages.version("sglang") is None:
        raise missing_package("sglang", "an engine needs it")
    prepare_engine(os.environ)
    if on_processor(server_args):
        raise BridgeError("an embodied server needs an accelerator, and the processor was asked for", 1)
    try:
        from sglang.multimodal_gen.runtime.launch_server import dispatch_launch
        from sglang.multimodal_gen.runtime.server_args import ServerArgs, set_global_server_args
    except ImportError as error:
        raise missing_package("the extra 'diffusion' of sglang (sglang[diffusion])", str(error)) from error
    fields = record_names(ServerArgs)
    given = renamed.current("server_args", "embodied", server_args, fields, say)
    redaction.hide_in_logs(given)
    arguments = ServerArgs.from_kwargs(**{**given, "master_port": dist_port})
    set_global_server_args(arguments)
    dispatch_launch(arguments)
    return 0


def on_processor(server_args: dict[str, Any]) -> bool:
    """Whether SGLang must be adapted to a processor, because that was asked for; else there must be accelerators."""
    if cpu.has_own_cpu_engine(os.environ):
        return False
    device = server_args.get("device")
    if is_processor_asked_for(device):
        return True
    accelerators.require(os.environ, device)
    return False


def is_processor_asked_for(device: str | None) -> bool:
    """Whether an engine with this argument ``device`` is to run without accelerators, also where there are some."""
    return device == "cpu" or os.environ.get(accelerators.DEVICE_VARIABLE, "").strip().lower() == "cpu"
