# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import ctypes
import mmap
import os
from pathlib import Path

import pytest

from sglang_ray import read_ahead
from supervised import wait_until

SIZE = 4 << 20


def resident(path: Path) -> int:
    """How many pages of a file the kernel has in memory."""
    pages = SIZE // mmap.PAGESIZE
    with path.open("r+b") as file, mmap.mmap(file.fileno(), SIZE) as mapped:
        state = (ctypes.c_ubyte * pages)()
        address = ctypes.addressof(ctypes.c_char.from_buffer(mapped))
        assert ctypes.CDLL(None, use_errno=True).mincore(ctypes.c_void_p(address), ctypes.c_size_t(SIZE), state) == 0
        return sum(each & 1 for each in state)


def evict(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    for name in ("model-00001.safetensors", "optimizer.pt"):
        (tmp_path / name).write_bytes(os.urandom(SIZE))
    return tmp_path


def test_all_weights_are_in_memory_afterwards_and_nothing_else(model: Path) -> None:
    weights, other = model / "model-00001.safetensors", model / "optimizer.pt"
    for path in (weights, other):
        evict(path)
    if resident(weights) > 0:
        pytest.skip("this file system keeps files in memory")
    assert read_ahead.begin(str(model))
    wait_until(lambda: resident(weights) == SIZE // mmap.PAGESIZE)
    assert resident(other) == 0


def test_what_the_kernel_does_not_heed_is_read(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = model / "model-00001.safetensors"
    evict(weights)
    if resident(weights) > 0:
        pytest.skip("this file system keeps files in memory")
    monkeypatch.setattr(os, "posix_fadvise", lambda *_: None)
    read_ahead.read([weights])
    assert resident(weights) == SIZE // mmap.PAGESIZE


def test_nothing_is_begun_where_it_is_of_no_use(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not read_ahead.begin(None)
    assert not read_ahead.begin("Qwen/Qwen2.5-7B-Instruct")
    assert not read_ahead.begin(str(model), "dummy")
    assert read_ahead.begin(str(model), "auto")
    monkeypatch.setattr(read_ahead, "memory_available", lambda: 2 * SIZE)
    assert not read_ahead.begin(str(model)), "it would not fit beside what the load needs"
    monkeypatch.undo()
    monkeypatch.setenv(read_ahead.SWITCH, "0")
    assert not read_ahead.begin(str(model))


def test_a_link_to_weights_is_followed(model: Path, tmp_path: Path) -> None:
    links = tmp_path / "links"
    links.mkdir()
    (links / "model.safetensors").symlink_to(model / "model-00001.safetensors")
    (links / "gone.safetensors").symlink_to(model / "gone")
    assert [path.name for path in read_ahead.weights(str(links))] == ["model.safetensors"]


def test_what_cannot_be_read_ahead_ends_nothing(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", none_left)
    assert not read_ahead.begin(str(model))
    monkeypatch.undo()
    monkeypatch.setattr(read_ahead, "weights", lambda folder: [Path(folder, "gone.safetensors")])
    assert not read_ahead.begin(str(model))
