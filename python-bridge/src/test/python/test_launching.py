# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest

import sglang_ray
from fake_ray import FakeRay, Method, install
from sglang_ray import errors, launching
from sglang_ray.bundles import Bundle, _number, _refuse_doubles

FACTS = {"serverGroup": "Engines", "routerGroup": "Router", "placementGroup": None, "engines": [{"rank": 0}]}


class Box:
    """A gateway that only says what the fleet is."""

    facts = Method(lambda: json.dumps(FACTS))


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    fake = install(monkeypatch)
    fake.actors[("sglang-ray", "Engines:gateway")] = Box()
    return fake


def _script(folder: Path, body: str) -> str:
    script = folder / "sglang-ray"
    script.write_text("#!/bin/sh\n" + body)
    script.chmod(0o755)
    return str(script)


def test_runs_the_launcher_attaches_and_ends_the_fleet(ray: FakeRay, tmp_path: Path) -> None:
    del ray
    report = json.dumps({"workers": [{"kind": "router", "group": "Router"}, {"kind": "server", "group": "Engines"}]})
    body = f"""echo "$@" >> {tmp_path}/said
        for word; do case $word in *.yaml) cat "$word" >> {tmp_path}/config;; esac; done
        if [ "$1" = up ]; then echo '{report}'; fi"""
    fleet = sglang_ray.launch({"a": {"b": 1}}, ["a.b=2"], program=_script(tmp_path, body))
    assert (fleet.name, fleet.kind) == ("Engines", "server")
    fleet.down()
    up, down = (tmp_path / "said").read_text().splitlines()
    assert up.startswith("up --detach --json --address 10.0.0.1:6379 --namespace sglang-ray -c ")
    assert up.endswith(" a.b=2")
    assert json.loads((tmp_path / "config").read_text()) == {"a": {"b": 1}}
    assert down == "down --address 10.0.0.1:6379 --namespace sglang-ray --group Engines --router-group Router"


def test_a_failure_has_the_launcher_s_words_and_code(ray: FakeRay, tmp_path: Path) -> None:
    del ray
    script = _script(tmp_path, "echo 'my.yaml:3: no such key' >&2; exit 2")
    with pytest.raises(errors.LaunchError, match="no such key") as caught:
        sglang_ray.launch("my.yaml", program=script)
    assert caught.value.exit_code == 2


def test_a_launch_that_takes_too_long_is_taken_back(ray: FakeRay, tmp_path: Path) -> None:
    del ray
    script = _script(tmp_path, f"trap 'echo taken back > {tmp_path}/end; exit 143' TERM; sleep 60 & wait")
    with pytest.raises(errors.FleetTimeoutError, match=r"within 0\.5 s"):
        sglang_ray.launch("my.yaml", program=script, timeout=0.5)
    assert (tmp_path / "end").read_text() == "taken back\n"


def test_the_script_of_the_checkout_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(launching.PROGRAM_VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Path(launching.find_program()).parts[-3:] == ("ray-app", "bin", "sglang-ray")
    monkeypatch.setenv(launching.PROGRAM_VARIABLE, str(tmp_path / "not-there"))
    with pytest.raises(errors.FleetError, match="not-there"):
        launching.find_program()


def test_addresses_and_devices_sort_by_number() -> None:
    assert sorted(["10.0.0.10", "10.0.0.9"], key=_number) == ["10.0.0.9", "10.0.0.10"]
    assert sorted(["10", "9", "GPU-a"], key=_number)[:2] == ["9", "10"]


def test_one_device_for_two_bundles_of_whole_gpus_is_refused() -> None:
    found = [Bundle(0, "10.0.0.1", ("0",)), Bundle(1, "10.0.0.1", ("0",)), Bundle(2, "10.0.0.2", ("0",))]
    _refuse_doubles(found, [{"GPU": 0.5}] * 3)
    with pytest.raises(errors.FleetError, match="bundles 0 and 1 both have device 0"):
        _refuse_doubles(found, [{"GPU": 1.0}] * 3)
