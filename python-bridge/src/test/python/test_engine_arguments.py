# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Optional

import pytest

from sglang_ray import engine
from sglang_ray.errors import BridgeError


@dataclasses.dataclass
class Record:
    model_path: str
    tp_size: int = 1
    backend: Optional[str] = "auto"  # noqa: UP045 - evaluated, on any Python


def test_null_is_unset_where_it_is_no_value() -> None:
    given: dict[str, Any] = {"model_path": "m", "tp_size": None, "backend": None}
    assert engine.without_unset(given, Record) == {"model_path": "m", "backend": None}


@pytest.mark.parametrize("key", ["model_path", "tokenizer_path"])
def test_a_path_that_is_not_there_is_refused_at_once(key: str, tmp_path: Path) -> None:
    with pytest.raises(BridgeError, match=rf"{key}: {tmp_path}/none does not exist on ") as caught:
        engine.check_model_path({key: f"{tmp_path}/none"})
    assert caught.value.exit_code == 2
    with pytest.raises(BridgeError, match="is an empty folder"):
        engine.check_model_path({key: str(tmp_path)})
    (tmp_path / "config.json").touch()
    engine.check_model_path({key: str(tmp_path)})


def test_a_name_of_a_model_hub_passes() -> None:
    engine.check_model_path({"model_path": "Qwen/Qwen3-0.6B", "tokenizer_path": None})
