# SPDX-License-Identifier: Apache-2.0
"""How environments are made, with a stand-in for uv. (That the real ones work, ``check`` shows by running in them.)"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from pathlib import Path
from typing import Any

import prepare
import pytest

from supervised import alive, wait_until

FAKE_UV = """#!/bin/sh
echo "$@" >> "$FAKE_UV_CALLS"
case "$1 $2" in
  "--version "*) echo "uv 99.0.0" ;;
  "venv "*) for last; do :; done; mkdir -p "$last/bin"; ln -s "$FAKE_UV_PYTHON" "$last/bin/python" ;;
  "pip install") echo "$UV_DEFAULT_INDEX" > "$FAKE_UV_CALLS.index"; [ ! -e "$FAKE_UV_CALLS.slow" ] || sleep 600
    if [ -e "$FAKE_UV_CALLS.fail" ]; then echo "no such package"; exit 1; fi ;;
esac
"""


class World:
    """A folder for environments, a uv that records, and one small kind of environment."""

    def __init__(self, folder: Path) -> None:
        self.envs = folder / "home" / "envs"
        self.calls_file = folder / "calls"
        self.lock = folder / "small.lock.txt"
        self.lock.write_text("nothing==1\n")
        (folder / "small.in").write_text("# nothing by name\n")

    def kind(self, gigabytes: float = 0, check: str = "import json") -> prepare.Kind:
        return prepare.Kind("small", str(self.lock), ((3, 9), (3, 99)), gigabytes, check)

    def installs(self) -> int:
        calls = self.calls_file.read_text() if self.calls_file.exists() else ""
        return sum(line.startswith("pip install") for line in calls.splitlines())

    def flag(self, name: str) -> Path:
        return self.calls_file.with_name(f"calls.{name}")

    def content(self) -> list[str]:
        return sorted(os.listdir(self.envs))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path)
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text(FAKE_UV)
    uv.chmod(0o755)
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_CONFIG_FILE", "PIP_INDEX_URL", "SGLANG_RAY_BASE_PYTHON"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", f"{uv.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("SGLANG_RAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FAKE_UV_CALLS", str(made.calls_file))
    monkeypatch.setenv("FAKE_UV_PYTHON", sys.executable)
    return made


def test_is_made_once(world: World) -> None:
    folder = prepare.ensure(world.kind())
    assert folder == world.kind().folder
    assert prepare.ensure(world.kind()) == folder
    assert world.installs() == 1
    assert world.content() == [folder.name]


def test_another_lock_file_is_another_environment(world: World) -> None:
    first = prepare.ensure(world.kind())
    world.lock.write_text("nothing==2\n")
    second = prepare.ensure(world.kind())
    assert first != second
    assert world.content() == sorted([first.name, second.name])


def test_installs_only_what_the_lock_file_names_by_hash(world: World) -> None:
    prepare.ensure(world.kind())
    install = next(line for line in world.calls_file.read_text().splitlines() if line.startswith("pip install"))
    for option in ("--require-hashes", "--no-deps", "--only-binary :all:", f"--requirements {world.lock}"):
        assert option in install


def test_a_failed_install_leaves_nothing_and_can_be_repeated(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    world.flag("fail").touch()
    with pytest.raises(prepare.PrepareError, match=r"installing .* failed \(exit code 1\); the lines above say why"):
        prepare.ensure(world.kind())
    assert "no such package" in capfd.readouterr().err
    assert world.content() == []
    world.flag("fail").unlink()
    assert (prepare.ensure(world.kind()) / prepare.MARKER).is_file()


def test_a_failed_check_leaves_nothing(world: World) -> None:
    with pytest.raises(prepare.PrepareError, match="checking small failed"):
        prepare.ensure(world.kind(check="import not_installed_at_all"))
    assert world.content() == []


def test_an_unfinished_environment_and_what_a_killed_prepare_left_are_replaced(world: World) -> None:
    folder = world.kind().folder
    (folder / "bin").mkdir(parents=True)
    stale = folder.with_name(f".{folder.name}.abc")
    stale.mkdir()
    prepare.ensure(world.kind())
    assert (folder / prepare.MARKER).is_file()
    assert world.content() == [folder.name]


def test_an_environment_whose_python_is_gone_is_made_anew(world: World) -> None:
    folder = prepare.ensure(world.kind())
    (folder / "bin" / "python").unlink()
    (folder / "bin" / "python").symlink_to("/no/such/python")
    assert not world.kind().is_ready()
    prepare.ensure(world.kind())
    assert world.installs() == 2


def _ensure(kind: prepare.Kind) -> None:
    prepare.ensure(kind)


def test_two_at_once_make_it_once(world: World) -> None:
    context: Any = multiprocessing.get_context("fork")
    both = [context.Process(target=_ensure, args=(world.kind(),)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert world.installs() == 1


def _interrupted(kind: prepare.Kind) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        prepare.ensure(kind)
    except KeyboardInterrupt:
        os._exit(130)


def test_an_interrupt_leaves_nothing(world: World) -> None:
    world.flag("slow").touch()
    context: Any = multiprocessing.get_context("fork")
    process = context.Process(target=_interrupted, args=(world.kind(),))
    process.start()
    wait_until(lambda: world.installs() == 1)
    os.kill(process.pid, signal.SIGINT)
    process.join(30)
    assert process.exitcode == 130
    assert world.content() == []


def _ended(kind: prepare.Kind) -> None:
    for number in prepare.SIGNALS:
        signal.signal(number, signal.SIG_DFL)  # under nohup one of them is ignored
    prepare.heed_signals()
    try:
        prepare.ensure(kind)
    except prepare.Ended as ended:
        os._exit(128 + ended.number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_neither_a_draft_nor_uv(world: World, number: signal.Signals) -> None:
    world.flag("slow").touch()
    context: Any = multiprocessing.get_context("fork")
    process = context.Process(target=_ended, args=(world.kind(),))
    process.start()
    wait_until(lambda: world.installs() == 1)
    uv = [pid for pid in os.listdir("/proc") if pid.isdigit() and _is_child(pid, process.pid)]
    os.kill(process.pid, number)
    process.join(30)
    assert process.exitcode == 128 + number
    assert world.content() == []
    assert uv
    assert not [pid for pid in uv if alive(int(pid))]


def _is_child(pid: str, parent: int) -> bool:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1]) == parent
    except OSError:
        return False


def test_nohup_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers = {signal.SIGHUP: signal.SIG_IGN, signal.SIGTERM: signal.SIG_DFL}
    monkeypatch.setattr(signal, "getsignal", handlers.get)
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)
    prepare.heed_signals()
    assert handlers[signal.SIGHUP] == signal.SIG_IGN
    assert callable(handlers[signal.SIGTERM])


def test_a_user_without_a_home_is_told_what_to_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", home)
    monkeypatch.delenv("SGLANG_RAY_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert prepare.main(["path", "run"]) == 1
    assert "SGLANG_RAY_HOME" in capsys.readouterr().err


def test_too_little_room_is_said_before_anything_is_fetched(world: World) -> None:
    with pytest.raises(prepare.PrepareError, match=r"GB free, and small needs about .*SGLANG_RAY_HOME"):
        prepare.ensure(world.kind(gigabytes=1e9))
    assert world.installs() == 0


def test_pips_choice_of_an_index_counts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    prepare.ensure(world.kind())
    assert world.flag("index").read_text().strip() == "https://mirror.example/simple"


def test_the_machines_authorities_count_unless_uv_is_set_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UV_SYSTEM_CERTS", raising=False)
    assert prepare.uv_environment()["UV_SYSTEM_CERTS"] == "true"
    monkeypatch.setenv("UV_SYSTEM_CERTS", "false")
    assert prepare.uv_environment()["UV_SYSTEM_CERTS"] == "false"


def test_path_says_where_and_whether(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert prepare.main(["path", "run", "--device", "cpu"]) == 1
    assert capsys.readouterr().out.strip().startswith(f"{world.envs}/run-cpu-")
    assert prepare.main(["path", "run", "--device", "gpu"]) == 1
    assert capsys.readouterr().out.strip().startswith(f"{world.envs}/run-gpu-")


def test_prune_keeps_what_the_lock_files_describe(world: World) -> None:
    kept = prepare.kinds("cpu")["run"].folder
    kept.mkdir(parents=True)
    (world.envs / "run-cpu-000000000000").mkdir()
    (world.envs / f".{kept.name}.killed").mkdir()
    being_made = "tools-000000000000"
    (world.envs / f".{being_made}.draft").mkdir()
    with prepare.exclusive(being_made):
        assert prepare.main(["prune"]) == 0
    assert world.content() == [f".{being_made}.draft", kept.name]


@pytest.mark.parametrize("name", ["run-cpu", "run-gpu", "ray-2.39.0", "tools", "uv"])
def test_lock_files_pin_everything_by_version_and_hash(name: str) -> None:
    text = (prepare.HERE / f"{name}.lock.txt").read_text()
    entries = text.replace("\\\n", " ").splitlines()
    packages = [entry for entry in entries if entry and not entry.startswith("#")]
    assert packages
    assert all("==" in entry and "--hash=sha256:" in entry for entry in packages)
    assert "://" not in text


def test_lock_files_hold_what_was_asked_for() -> None:
    for device in ("cpu", "gpu"):
        for kind in prepare.kinds(device).values():
            text = kind.lock_file.read_text()
            for pin in prepare.pins(kind):
                assert f"\n{pin} " in text, (kind.lock, pin)


def test_a_python_without_venv_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (Path(os.environ["PATH"].split(":")[0]) / "uv").write_text("#!/bin/sh\necho uv 0.1.0\n")  # too old to use
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(prepare.PrepareError, match="apt-get install python3-venv"):
        prepare.ensure(world.kind())
    assert world.content() == []
