# SPDX-License-Identifier: Apache-2.0
"""Installed packages, looked up without importing them."""

from __future__ import annotations

import importlib.metadata
import os

#: The distributions that a router can be of, the preferred one first.
ROUTERS = ("sglang-router", "smg")


def version(distribution: str) -> str | None:
    """The installed version, or None."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def router() -> str | None:
    """The distribution of the router that is installed, or None."""
    return next((name for name in ROUTERS if version(name) is not None), None)


def folder(distribution: str, package: str) -> str | None:
    """The folder of an installed package, or None."""
    try:
        path = str(importlib.metadata.distribution(distribution).locate_file(package))
    except importlib.metadata.PackageNotFoundError:
        return None
    return os.path.realpath(path) if os.path.isdir(path) else None
