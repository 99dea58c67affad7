# SPDX-License-Identifier: Apache-2.0
"""Becomes an SGLang router.

``python -m sglang_router.launch_router`` imports torch when sglang is installed too (30 s); building the router from
its own classes does not (under a second). The values mean what they mean on the command line, where RLinf puts them.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from sglang_ray import packages, renamed
from sglang_ray.environment import strip_proxies
from sglang_ray.errors import BridgeError, missing_package
from sglang_ray.fields import record_names
from sglang_ray.schema import ROUTER_NOT_SETTABLE

_DICTIONARIES = {"selector", "prefill_selector", "decode_selector", "jwt_role_mapping"}
_DESTINATIONS = {"server_cert_path": "tls_cert_path", "server_key_path": "tls_key_path"}


def serve_router(router_args: dict[str, Any]) -> int:
    """Runs a router in this process until it ends."""
    # First: setproctitle writes over the initial environment, and cannot once a variable of it was replaced.
    set_title("sglang::router")
    if packages.version("sglang-router") is None:
        raise missing_package("sglang-router", "a router needs it")
    try:
        from sglang_router.router_args import RouterArgs
    except ImportError as error:
        raise missing_package("a part of sglang-router", str(error)) from error
    strip_proxies(os.environ)
    arguments = router_arguments(router_args, RouterArgs)
    if arguments.mini_lb:
        from sglang_router.launch_router import launch_router

        launch_router(arguments)
        return 0
    from sglang_router.router import Router

    arguments._validate_router_args()
    Router.from_args(arguments).start()
    return 0


def router_arguments(given: dict[str, Any], record: Any) -> Any:
    """A RouterArgs from field values: null is unset; anything the command line would refuse is refused."""
    parser = argparse.ArgumentParser(add_help=False)
    record.add_cli_args(parser, use_router_prefix=False)
    namespace = parser.parse_args([])
    actions = {action.dest: action for action in parser._actions}
    fields = record_names(record)
    given = renamed.current("router_args", "router", given, fields, _say)
    dictionaries: dict[str, dict[str, str]] = {}
    for key, value in given.items():
        if key in ROUTER_NOT_SETTABLE:
            raise BridgeError(f"router_args: {key} cannot be set here; workers are registered once the router runs")
        if value is None:
            continue
        action = actions.get(_DESTINATIONS.get(key, key))
        if action is None:
            raise BridgeError(f"router_args: {key} is not on the command line of sglang-router")
        if key in _DICTIONARIES and isinstance(value, dict):
            dictionaries[key] = {str(name): str(item) for name, item in value.items()}
        elif action.nargs == 0:
            setattr(namespace, action.dest, _flag(key, value))
        elif action.nargs in ("*", "+"):
            values = value if isinstance(value, list) else [value]
            setattr(namespace, action.dest, [_convert(key, item, action) for item in values])
        else:
            setattr(namespace, action.dest, _convert(key, value, action))
    if "jwt_role_mapping" in dictionaries:
        pairs = dictionaries.pop("jwt_role_mapping").items()
        namespace.jwt_role_mapping = [f"{name}={role}" for name, role in pairs]
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
