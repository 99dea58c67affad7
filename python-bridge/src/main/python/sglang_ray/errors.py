# SPDX-License-Identifier: Apache-2.0
"""What is raised: errors with the exit codes that ``sglang_ray``'s programs end with, and those of calls to a fleet.

:class:`FleetError` and its kinds are what ``attach``, ``launch`` and the calls of a group raise.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Iterable
from typing import Any

#: The program worked, or the server ended in an orderly way.
EXIT_OK = 0
#: The server itself failed; its own text is above.
EXIT_FAILED = 1
#: The input is wrong: JSON, kind, key or value.
EXIT_BAD_INPUT = 2
#: A package that the work needs is not installed in this Python.
EXIT_MISSING_PACKAGE = 3


class BridgeError(Exception):
    """An error with a one-line text for people and an exit code for programs."""

    def __init__(self, message: str, exit_code: int = EXIT_BAD_INPUT) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class FleetError(Exception):
    """A call to a fleet failed. Catching this catches all that ``attach``, ``launch`` and groups raise."""


class FleetNotFoundError(FleetError, LookupError):
    """There is no fleet of that name in that namespace; the text names those that there are."""


class FleetEndedError(FleetError):
    """The fleet, or the program that owns it, has ended. Nothing can be asked of it any more."""


class FleetCallLostError(FleetError):
    """The gateway's process died with the call, and is back: the fleet and the group that was called continue to run.

    Whether the fleet did what was asked is not known. Look (``status``, ``weight_version``), or ask again.
    """


class FleetOwnerSilentError(FleetError):
    """The fleet's owner has been silent for a minute; its process may be stopped. Engines and router serve on.

    Attributes:
        begun: whether the owner had begun the call. If not, the call is not carried out; otherwise that is unknown.
    """

    def __init__(self, message: str, begun: bool = False) -> None:
        super().__init__(message)
        self.begun = begun


class FleetBusyError(FleetError):
    """Too many calls wait for the fleet's owner at once, or too many that take long. Wait for some, then try again."""


class FleetTimeoutError(FleetError, TimeoutError):
    """The answer was not there in time. Nothing was cancelled: waiting again is possible."""


class FleetRequestError(FleetError, ValueError):
    """The fleet cannot do what was asked: a wrong argument, or a rank, group or method that it has not."""


class LaunchError(FleetError):
    """The fleet was not launched; what was started is ended.

    Attributes:
        exit_code: the launcher's exit code; 2 is a mistake in the configuration, 3 one in the environment.
        output: what the launcher said.
    """

    def __init__(self, message: str, exit_code: int, output: str) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.output = output


class WorkerError(FleetError):
    """A worker of the fleet failed.

    Attributes:
        group: the group's name.
        rank: the worker's rank; None when the failure is not one worker's.
        node: the worker's node, if known.
        method: what was called, by its name in Java.
        java_cause: the Java exception behind it, if there is one.
        others: failures of other workers in the same call.
    """

    def __init__(
        self,
        message: str,
        group: str,
        method: str,
        rank: int | None = None,
        node: str | None = None,
        java_cause: str | None = None,
        others: Iterable[str] = (),
    ) -> None:
        super().__init__(message)
        self.group = group
        self.method = method
        self.rank = rank
        self.node = node
        self.java_cause = java_cause
        self.others = tuple(others)


class WorkerTimeoutError(WorkerError, TimeoutError):
    """Workers did not answer within the fleet's own time for it."""


class WeightUpdateError(WorkerError):
    """An update of weights did not happen: the fleet has the weights that it had, and serves with them."""


_OF_WORKERS: dict[Any, type[WorkerError]] = {
    "worker": WorkerError,
    "timeout": WorkerTimeoutError,
    "update": WeightUpdateError,
}


def of_answer(error: dict[str, Any]) -> FleetError:
    """The exception for what the fleet's owner said went wrong; unknown kinds are plain :class:`FleetError`."""
    kind, message = error.get("type"), str(error.get("message"))
    if kind in _OF_WORKERS:
        return _OF_WORKERS[kind](
            message,
            str(error.get("group")),
            str(error.get("method")),
            error.get("rank"),
            error.get("node"),
            error.get("cause"),
            error.get("others") or (),
        )
    if kind == "silent":
        return FleetOwnerSilentError(message, bool(error.get("begun")))
    simple: dict[Any, type[FleetError]] = {
        "request": FleetRequestError,
        "ended": FleetEndedError,
        "busy": FleetBusyError,
    }
    cause = f" (cause: {error['cause']})" if error.get("cause") else ""
    return simple.get(kind, FleetError)(message + cause)


def missing_package(package: str, why: str) -> BridgeError:
    """What to say when an import fails: which Python, which package, what to do."""
    return BridgeError(
        f"{package} is not installed in {sys.executable} ({why}); "
        "prepare an environment with python-bridge/prepare, or name a Python that has it",
        EXIT_MISSING_PACKAGE,
    )


def nearest(name: str, names: Iterable[str], count: int = 3) -> list[str]:
    """Up to ``count`` of the names that look most like ``name``, best first; empty when none does."""
    return difflib.get_close_matches(name, list(names), n=count, cutoff=0.6)


def unknown_key(what: str, key: str, names: Iterable[str], owner: str, why: str = "") -> BridgeError:
    """An unknown key, with the reason, or where none is known with the nearest valid names."""
    if why:
        return BridgeError(f"{what}: unknown key {key!r} ({owner} has no such field): {why}")
    close = nearest(key, names)
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    return BridgeError(f"{what}: unknown key {key!r} ({owner} has no such field){hint}")


def run(program: Callable[[], int], name: str) -> int:
    """Runs a program's body; a :class:`BridgeError` becomes one line on standard error and its exit code."""
    try:
        return program()
    except BridgeError as error:
        print(f"{name}: error: {error}", file=sys.stderr, flush=True)
        return error.exit_code
