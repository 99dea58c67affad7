# SPDX-License-Identifier: Apache-2.0
"""Becomes an SGLang router: sglang-router, or smg, which is the same program further developed.

``python -m sglang_router.launch_router`` imports torch when sglang is installed too (30 s); building the router from
its own classes does not (under a second). The values mean what they mean on the command line, where RLinf puts them.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path
from typing import Any

from sglang_ray import packages, renamed
from sglang_ray.environment import strip_proxies
from sglang_ray.errors import BridgeError, missing_package
from sglang_ray.fields import record_names
from sglang_ray.schema import ROUTER_DESTINATIONS, ROUTER_NOT_SETTABLE, package, router_args_class

#: Pairs of texts, taken over as they are.
_DICTIONARIES = {
    "selector",
    "encode_selector",
    "prefill_selector",
    "decode_selector",
    "router_selector",
    "storage_context_headers",
}
#: Pairs of texts that the command line checks.
_CHECKED_DICTIONARIES = {"jwt_role_mapping", "model_aliases"}


def serve_router(router_args: dict[str, Any], router_type: str | None = None) -> int:
    """Runs a router in this process until it ends: of the type named, else the one that is installed."""
    # First: setproctitle writes over the initial environment, and cannot once a variable of it was replaced.
    set_title("sglang::router")
    distribution = router_type or packages.router() or packages.ROUTERS[0]
    if packages.version(distribution) is None:
        raise missing_package(
            distribution, f"router_type is {router_type}" if router_type else "a router needs it, or smg"
        )
    try:
        record = router_args_class(distribution)
        router = importlib.import_module(f"{distribution.replace('-', '_')}.router")
    except ImportError as error:
        raise missing_package(f"a part of {distribution}", str(error)) from error
    strip_proxies(os.environ)
    kind = "smg" if distribution == "smg" else "router"
    arguments = router_arguments(router_args, record, kind)
    if getattr(arguments, "mini_lb", False):
        from sglang_router.launch_router import launch_router

        launch_router(arguments)
        return 0
    arguments._validate_router_args()
    if kind == "smg":
        _complete_smg(arguments, router)
    router.Router.from_args(arguments).start()
    return 0


def _complete_smg(arguments: Any, router: Any) -> None:
    """What smg's launcher sets besides the arguments, and what has no argument."""
    if arguments.service_discovery or getattr(arguments, "discovery_provider", None):
        arguments.enable_igw = True
    # For so many seconds a removed worker, which gets no requests any more, is still listed, and its URL refused as one
    # that is there: an engine with new weights would wait for them. sglang-router has no such time.
    settle = "drain_settle_secs"
    if settle in (router._Router.__text_signature__ or "") and not hasattr(arguments, settle):
        setattr(arguments, settle, 0)


def router_arguments(given: dict[str, Any], record: Any, kind: str = "router") -> Any:
    """A RouterArgs from field values: null is unset; anything the command line would refuse is refused."""
    parser = argparse.ArgumentParser(add_help=False)
    record.add_cli_args(parser, use_router_prefix=False)
    namespace = parser.parse_args([])
    actions = {action.dest: action for action in parser._actions}
    fields = record_names(record)
    given = renamed.current("router_args", kind, given, fields, _say)
    dictionaries: dict[str, dict[str, str]] = {}
    for key, value in given.items():
        if key in ROUTER_NOT_SETTABLE:
            raise BridgeError(f"router_args: {key} cannot be set here; workers are registered once the router runs")
        if value is None:
            continue
        action = actions.get(ROUTER_DESTINATIONS.get(key, key))
        if action is None:
            raise BridgeError(f"router_args: {key} is not on the command line of {package(kind)}")
        if key in _DICTIONARIES and isinstance(value, dict):
            dictionaries[key] = {str(name): str(item) for name, item in value.items()}
        elif key in _CHECKED_DICTIONARIES and isinstance(value, dict):
            setattr(namespace, action.dest, [f"{name}={item}" for name, item in value.items()])
        elif action.nargs == 0:
            setattr(namespace, action.dest, _flag(key, value))
        elif action.nargs in ("*", "+") or isinstance(action, argparse._AppendAction):
            values = value if isinstance(value, list) else [value]
            setattr(namespace, action.dest, [_convert(key, item, action) for item in values])
        else:
            setattr(namespace, action.dest, _convert(key, value, action))
    try:
        arguments = record.from_cli_args(namespace, use_router_prefix=False)
    except ValueError as error:
        raise BridgeError(f"router_args: {error}") from error
    for key, value in dictionaries.items():
        setattr(arguments, key, value)
    if given.get("bootstrap_port_annotation") is not None:
        arguments.bootstrap_port_annotation = str(given["bootstrap_port_annotation"])
    return arguments


def _say(text: str) -> None:
    print(f"sglang_ray: {text}", file=sys.stderr, flush=True)


def _flag(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise BridgeError(f"router_args: {key}: expected true or false, not {value!r}")
    return value


def _convert(key: str, value: Any, action: argparse.Action) -> Any:
    convert = action.type if callable(action.type) else str
    wanted = getattr(convert, "__name__", "value")
    if isinstance(value, (bool, dict, list)):
        raise BridgeError(f"router_args: {key}: expected {wanted}, not {value!r}")
    try:
        converted = convert(str(value))
    except (ValueError, TypeError, argparse.ArgumentTypeError):
        raise BridgeError(f"router_args: {key}: expected {wanted}, not {value!r}") from None
    if action.choices is not None and converted not in action.choices:
        allowed = ", ".join(str(choice) for choice in action.choices)
        raise BridgeError(f"router_args: {key}: {value!r} is not one of {allowed}")
    return converted


def set_title(title: str) -> None:
    """Shows a title instead of the command line in process lists; says so in the log where that does not work."""
    try:
        import setproctitle
    except ImportError:
        return
    setproctitle.setproctitle(title)
    shown = Path("/proc/self/cmdline").read_bytes()
    if not shown.startswith(title.encode()):
        # It fails silently when the first variable of the environment was replaced before.
        _say(f"process lists do not show the title {title}: setproctitle had no effect")
