# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
import time
import types
from typing import Any

import pytest

from sglang_ray import placement


@pytest.fixture
def created(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What Ray was asked for."""
    asked: list[tuple[Any, ...]] = []

    def placement_group(bundles: list[dict[str, float]], strategy: str, name: str, lifetime: str) -> Any:
        asked.append((bundles, strategy, name, lifetime))
        return types.SimpleNamespace(id=types.SimpleNamespace(hex=lambda: "beef"))

    module = types.ModuleType("ray.util.placement_group")
    module.placement_group = placement_group  # type: ignore[attr-defined]
    for name in ("ray", "ray.util"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "ray.util.placement_group", module)
    return asked


def test_a_group_is_detached(created: list[tuple[Any, ...]]) -> None:
    group = placement.create_detached("sglang-ray/X", "PACK", '[{"GPU": 1.0}, {"CPU": 0.5}]', time.time() + 60)
    assert group == "beef"
    assert created == [([{"GPU": 1.0}, {"CPU": 0.5}], "PACK", "sglang-ray/X", "detached")]


def test_nothing_is_created_once_the_caller_waits_no_more(created: list[tuple[Any, ...]]) -> None:
    with pytest.raises(TimeoutError, match="sglang-ray/X"):
        placement.create_detached("sglang-ray/X", "PACK", "[]", time.time() - 0.1)
    assert created == []
