# SPDX-License-Identifier: Apache-2.0
"""Creates placement groups that end with no process, which Ray's Java API cannot."""

from __future__ import annotations

import json
import time


def create_detached(name: str, strategy: str, bundles: str, deadline: float) -> str:
    """Create a detached placement group and return its id in hexadecimal digits, before its bundles are reserved.

    Java calls this as a Ray task, so only text and numbers cross.

    ``bundles``: a JSON list with the resources of each bundle. ``deadline``: seconds since the epoch by the clock of
    this node; after it the caller waits no more, so nothing is created and ``TimeoutError`` is raised. ``ValueError``
    when the name is taken.
    """
    from ray.util.placement_group import placement_group

    if time.time() > deadline:
        raise TimeoutError(f"it is too late to create the placement group {name}: its caller waits no more")
    group = placement_group(json.loads(bundles), strategy=strategy, name=name, lifetime="detached")
    return str(group.id.hex())
