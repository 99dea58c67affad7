# SPDX-License-Identifier: Apache-2.0
"""Errors with the exit codes that ``sglang_ray``'s programs end with, and the spelling helper."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Iterable

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


def unknown_key(what: str, key: str, names: Iterable[str], owner: str) -> BridgeError:
    """An unknown key, with the nearest valid names."""
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
