# SPDX-License-Identifier: Apache-2.0
"""The devices behind the bundles of a Ray placement group, in an order that fleets and trainers agree on."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any

from sglang_ray import errors


@dataclass(frozen=True)
class Bundle:
    """A bundle, the node that it lies on, and the devices that an actor in it sees (``CUDA_VISIBLE_DEVICES``)."""

    index: int
    node_ip: str
    devices: tuple[str, ...]


def device_order(placement_group: Any, gpus: float = 0.01, timeout: float = 120) -> list[Bundle]:
    """The bundles of a placement group sorted by node, then by device, as verl's and slime's trainers rank them.

    Ray numbers bundles as it likes. To find out where they are, a short task runs in each at the same time.

    Args:
        placement_group: Ray's, from ``ray.util.placement_group`` or ``FleetGroup.placement_group()``.
        gpus: how much of each bundle's GPUs must still be free for the question; 0 asks for nodes only. Ray 2.39 tells
            the truth for whole GPUs only.
        timeout: seconds; a bundle without so much left never answers.

    Raises:
        FleetTimeoutError: some bundles did not answer; nothing of the question is left.
        FleetError: Ray names one device for two bundles of whole GPUs.
    """
    import ray
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    def look() -> tuple[str, str]:
        return ray.util.get_node_ip_address(), os.environ.get("CUDA_VISIBLE_DEVICES", "")

    task = ray.remote(look)
    asked = [
        task.options(
            num_cpus=0,
            num_gpus=gpus,
            max_retries=0,
            scheduling_strategy=PlacementGroupSchedulingStrategy(
                placement_group=placement_group, placement_group_bundle_index=index
            ),
        ).remote()
        for index in range(placement_group.bundle_count)
    ]
    _, late = ray.wait(asked, num_returns=len(asked), timeout=timeout)
    if late:
        for ref in late:
            ray.cancel(ref, force=True)
        raise errors.FleetTimeoutError(
            f"{len(late)} of {len(asked)} bundles did not answer within {timeout} s; have they {gpus} GPU left?"
        )
    answers = ray.get(asked)
    found = [Bundle(i, ip, tuple(filter(None, devices.split(",")))) for i, (ip, devices) in enumerate(answers)]
    _refuse_doubles(found, placement_group.bundle_specs)
    return sorted(found, key=_place)


def _place(bundle: Bundle) -> tuple[Any, ...]:
    return _number(bundle.node_ip), [_number(device) for device in bundle.devices], bundle.index


def _refuse_doubles(found: list[Bundle], specs: list[dict[str, float]]) -> None:
    owners: dict[tuple[str, str], int] = {}
    for bundle in found:
        for device in bundle.devices if specs[bundle.index].get("GPU", 0) >= 1 else ():
            other = owners.setdefault((bundle.node_ip, device), bundle.index)
            if other != bundle.index:
                raise errors.FleetError(
                    f"Ray says that bundles {other} and {bundle.index} both have device {device} of {bundle.node_ip}; "
                    "Ray 2.39 does so when asked for parts of a GPU: ask with gpus=1 before the bundles are in use"
                )


def _number(text: str) -> list[tuple[int, int, str]]:
    """10.0.0.9 before 10.0.0.10, and device 9 before device 10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", text) if part]
