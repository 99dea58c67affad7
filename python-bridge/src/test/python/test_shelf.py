# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from fake_ray import FakeRay, RayError, Ref, install
from sglang_ray import errors, shelf
from sglang_ray.shelf import Shelf


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    return install(monkeypatch)


def actor(ray: FakeRay, laid: dict[str, Any]) -> Any:
    """What a worker finds by the name that it was given."""
    return ray.actors[(laid["namespace"], laid["actor"])].object


def test_a_worker_finds_all_buckets_in_pieces(ray: FakeRay) -> None:
    buckets: list[dict[str, Any]] = [{"serialized_named_tensors": ["é" * 10]}, {"load_format": None}]
    laid = Shelf("fleets").lay(buckets)
    assert laid["namespace"] == "fleets"
    found = []
    for number, size in enumerate(laid["sizes"]):
        pieces = [actor(ray, laid).piece(laid["update"], number, at, 7) for at in range(0, size, 7)]
        assert all(len(piece) == 7 for piece in pieces[:-1])
        text = b"".join(pieces)
        assert len(text) == size
        assert (text[:1], text[-1:]) == (b"{", b"}")
        found.append(json.loads(text))
    assert found == buckets


def test_buckets_are_kept_until_the_answer(ray: FakeRay) -> None:
    laying = Shelf("fleets")
    first = laying.lay([{"a": 1}])
    answer = Ref(ready=False)
    laying.keep(first["update"], answer)
    second = laying.lay([{"b": 2}])
    assert second["actor"] == first["actor"]
    assert actor(ray, first).piece(first["update"], 0, 0, 100) == b'{"a":1}'
    answer.ready = True
    laying.tidy()
    with pytest.raises(LookupError, match="not there any more"):
        actor(ray, first).piece(first["update"], 0, 0, 100)
    assert actor(ray, first).piece(second["update"], 0, 0, 100) == b'{"b":2}'


@pytest.mark.parametrize(("offset", "length"), [(-1, 5), (8, 5), (0, 0), (0, shelf.MAX_PIECE + 1)])
def test_a_piece_outside_is_refused(ray: FakeRay, offset: int, length: int) -> None:
    laid = Shelf("fleets").lay([{"a": 1}])
    with pytest.raises(ValueError, match="a piece has 1 to"):
        actor(ray, laid).piece(laid["update"], 0, offset, length)


@pytest.mark.parametrize(("bucket", "words"), [(["x"], "bucket 1 is a list"), ({"x": b"y"}, "bucket 1 cannot be")])
def test_what_is_no_bucket_is_refused_and_leaves_nothing(ray: FakeRay, bucket: Any, words: str) -> None:
    laying = Shelf("fleets")
    with pytest.raises(errors.FleetRequestError, match=words):
        laying.lay([{"a": 1}, bucket])
    [made] = ray.actors.values()
    assert made.object._updates == {}


def test_a_full_object_store_is_told(ray: FakeRay, monkeypatch: pytest.MonkeyPatch) -> None:
    laying = Shelf("fleets")
    laid = laying.lay([{"a": 1}])

    def full(*_: Any) -> Ref:
        return Ref(failure=RayError("no room"))

    monkeypatch.setattr(actor(ray, laid), "put", full)
    with pytest.raises(errors.FleetError, match="bucket 0 cannot be kept for the engines: no room"):
        laying.lay([{"a": 1}])


def test_a_copy_in_another_process_has_an_actor_of_its_own() -> None:
    original = Shelf("fleets")
    copy = pickle.loads(pickle.dumps(original))
    assert copy.namespace == "fleets"
    assert copy.name != original.name
