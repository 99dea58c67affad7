# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sglang_ray import tiny_model
from sglang_ray.errors import BridgeError


@pytest.fixture
def no_tokenizer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in for the package ``tokenizers``: one number per word."""

    class Fake:
        def save(self, path: str) -> None:
            Path(path).write_text("{}")

        def encode(self, text: str) -> Any:
            words = text.split()
            ids = [10 + words.index(word) for word in words]
            return type("Encoding", (), {"ids": ids})

    monkeypatch.setattr(tiny_model, "_tokenizer", Fake)


def content(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.usefixtures("no_tokenizer")
def test_same_seed_same_bytes_and_nothing_beside_it(tmp_path: Path) -> None:
    assert tiny_model.make(tmp_path / "a")
    assert tiny_model.make(tmp_path / "b")
    assert content(tmp_path / "a") == content(tmp_path / "b")
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]
    assert sum(map(len, content(tmp_path / "a").values())) < 3_000_000
    assert tiny_model.make(tmp_path / "c", seed=1)
    assert content(tmp_path / "c")["model.safetensors"] != content(tmp_path / "a")["model.safetensors"]


@pytest.mark.usefixtures("no_tokenizer")
def test_is_made_once_and_again_for_another_seed_or_recipe(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    assert tiny_model.make(folder)
    assert not tiny_model.make(folder)
    assert tiny_model.make(folder, seed=1)
    (folder / tiny_model.MARKER).write_text('{"recipe": 0, "seed": 1}')
    assert tiny_model.make(folder, seed=1)


@pytest.mark.usefixtures("no_tokenizer")
def test_a_folder_with_something_else_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(BridgeError, match="holds something else"):
        tiny_model.make(tmp_path)
    file = tmp_path / "thesis.txt"
    with pytest.raises(BridgeError, match="holds something else"):
        tiny_model.make(file)
    assert file.read_text() == "mine"


def test_an_interrupted_run_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tiny_model, "_write", interrupt)
    with pytest.raises(KeyboardInterrupt):
        tiny_model.make(tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("no_tokenizer")
def test_losing_a_race_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write: Callable[[Path, int], None] = tiny_model._write

    def slow(folder: Path, seed: int) -> None:
        monkeypatch.setattr(tiny_model, "_write", write)
        tiny_model.make(tmp_path / "m")
        write(folder, seed)

    monkeypatch.setattr(tiny_model, "_write", slow)
    tiny_model.make(tmp_path / "m")
    assert os.listdir(tmp_path) == ["m"]


@pytest.mark.usefixtures("no_tokenizer")
def test_the_weights_file_is_well_formed(tmp_path: Path) -> None:
    tiny_model.make(tmp_path / "m")
    data = (tmp_path / "m" / "model.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    assert length % 8 == 0
    end = 0
    for name, tensor in header.items():
        if name != "__metadata__":
            begin, end_of_tensor = tensor["data_offsets"]
            assert begin == end
            end = end_of_tensor
    assert len(data) == 8 + length + end
    assert header["lm_head.weight"]["shape"] == [512, 128]


@pytest.mark.parametrize(("value", "bits"), [(1.0, 0x3F80), (-2.0, 0xC000), (1.00390625, 0x3F81), (0.0, 0)])
def test_bfloat16(value: float, bits: int) -> None:
    assert tiny_model._bfloat16([value]) == bits.to_bytes(2, "little")


@pytest.mark.sglang
def test_every_word_is_one_token_and_occurs_once(tmp_path: Path) -> None:
    tiny_model.make(tmp_path / "m")
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tmp_path / "m" / "tokenizer.json"))
    ids = tokenizer.encode(tiny_model.TEXT).ids
    assert len(ids) == len(set(ids))
    assert tokenizer.decode(ids) == tiny_model.TEXT
    assert tokenizer.get_vocab_size() <= tiny_model.VOCABULARY
    other = "Grüße, 世界! <|user|>"
    assert tokenizer.decode(tokenizer.encode(other).ids, skip_special_tokens=False) == other
