# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from sglang_ray import packages, renamed, schema
from sglang_ray.errors import BridgeError

KINDS = ("server", "embodied", "router")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The version that counts as installed, to be changed by the test."""
    version = ["0.5.23"]
    monkeypatch.setattr(packages, "version", lambda _: version[0])
    return version


def fields_of(kind: str, version: str) -> dict[str, dict[str, Any]]:
    history = renamed._read(f"releases-{kind}")
    versions = [release["version"] for release in history["releases"]]
    at = versions.index(version)
    return {
        row["name"]: row
        for row in history["fields"]
        if versions.index(row["from"]) <= at <= versions.index(row.get("to", versions[-1]))
    }


def translate(given: dict[str, Any], version: str = "0.5.23", kind: str = "server") -> tuple[dict[str, Any], list[str]]:
    said: list[str] = []
    return renamed.current("server_args", kind, given, fields_of(kind, version), said.append), said


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("given", "version", "expected"),
    [
        ({"cuda_graph_max_bs": 64}, "0.5.13.post1", {"cuda_graph_max_bs": 64}),
        ({"cuda_graph_max_bs": 64}, "0.5.14", {"cuda_graph_max_bs_decode": 64}),
        ({"cuda_graph_max_bs": None}, "0.5.23", {"cuda_graph_max_bs_decode": None}),
        ({"cuda_graph_max_bs": 8, "cuda_graph_max_bs_decode": None}, "0.5.23", {"cuda_graph_max_bs_decode": 8}),
        ({"cuda_graph_max_bs": None, "cuda_graph_max_bs_decode": 8}, "0.5.23", {"cuda_graph_max_bs_decode": 8}),
        ({"enforce_piecewise_cuda_graph": True}, "0.5.17", {"cuda_graph_backend_prefill": "tc_piecewise"}),
        ({"enforce_piecewise_cuda_graph": False}, "0.5.17", {}),
        ({"nsa_prefill_cp_mode": "in-seq-split"}, "0.5.13", {"dsa_prefill_cp_mode": "in-seq-split"}),
        ({"nsa_prefill_cp_mode": "in-seq-split"}, "0.5.20", {"cp_strategy": "zigzag"}),
        ({"enable_flashinfer_autotune": False}, "0.5.9", {"disable_flashinfer_autotune": True}),
        ({"enable_deepep_moe": True, "tp_size": 8}, "0.5.9", {"tp_size": 8, "moe_a2a_backend": "deepep"}),
    ],
)
def test_an_argument_gets_the_name_of_the_version(
    given: dict[str, Any], version: str, expected: dict[str, Any]
) -> None:
    arguments, said = translate(given, version)
    assert arguments == expected
    old = set(given) - set(fields_of("server", version))
    assert all(any(key in line for line in said) for key in old if given[key] is not None)
    assert len(said) <= len(old)


@pytest.mark.parametrize(
    ("given", "version", "message"),
    [
        ({"torchao_config": ""}, "0.5.23", "it was dropped in 0.5.18$"),
        ({"enable_nan_detection": True}, "0.5.17", "it was dropped in 0.5.13; set SGLANG_SPEC_NAN_DETECTION=1"),
        ({"cuda_graph_max_bs_decode": 8}, "0.5.12.post1", "it comes with 0.5.14"),
        ({"cuda_graph_max_bs": 8, "cuda_graph_max_bs_decode": 9}, "0.5.23", "given too, as cuda_graph_max_bs_decode"),
        (
            {"disable_piecewise_cuda_graph": True, "enable_breakable_cuda_graph": True},
            "0.5.23",
            "given too, as disable_piecewise_cuda_graph; remove one",
        ),
        ({"nsa_prefill_cp_mode": "both"}, "0.5.20", "cp_strategy is in the place of .* nothing for the value given"),
        ({"tp_sise": 2}, "0.5.23", "did you mean tp_size"),
    ],
)
def test_what_has_no_name_in_the_version_is_refused(
    installed: list[str], given: dict[str, Any], version: str, message: str
) -> None:
    installed[0] = version
    with pytest.raises(BridgeError, match=message) as caught:
        translate(given, version)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("kind", KINDS)
def test_each_change_happened_when_it_says(kind: str) -> None:
    history = renamed._read(f"releases-{kind}")
    versions = [release["version"] for release in history["releases"]]
    changes = renamed._read("renames")[kind]
    assert len({change["old"] for change in changes}) == len(changes)
    for change in changes:
        before = versions[versions.index(change["since"]) - 1]
        assert change["old"] in fields_of(kind, before), change
        assert change["old"] not in fields_of(kind, change["since"]), change
        assert change["source"], change
        if "new" not in change:
            continue
        successor = fields_of(kind, change["since"])[change["new"]]
        replaced = fields_of(kind, before)[change["old"]]
        values = change.get("values")
        if values is None:
            assert successor["type"] == replaced["type"], change
        else:
            allowed = successor.get("choices")
            assert all(value is None or not allowed or value in allowed for value in values.values()), change


@pytest.mark.parametrize("kind", KINDS)
def test_the_newest_release_is_the_tested_one(kind: str) -> None:
    history = renamed._read(f"releases-{kind}")
    tested = renamed._read(kind)
    newest = history["releases"][-1]
    assert (newest["version"], newest["source_sha256"]) == (tested["version"], tested["source_sha256"])
    rows = fields_of(kind, newest["version"])
    assert sorted(rows) == sorted(field["name"] for field in tested["fields"])
    for field in tested["fields"]:
        row = rows[field["name"]]
        for key in ("type", "nullable", "types"):
            assert row.get(key) == field.get(key), field["name"]
        assert row.get("choices") in (None, field.get("choices")), field["name"]


def test_releases_are_in_the_order_of_their_numbers() -> None:
    for kind in KINDS:
        versions = [release["version"] for release in renamed._read(f"releases-{kind}")["releases"]]
        assert versions == sorted(versions, key=renamed.order)
        assert renamed.order("0.5.12.dev3+g123") == renamed.order("0.5.12rc1") == renamed.order("0.5.12")
        assert schema.package(kind) == renamed._read(f"releases-{kind}")["package"]
