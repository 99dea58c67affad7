# SPDX-License-Identifier: Apache-2.0
"""What imports ask about CUDA, with a stand-in for torch whose own functions fail: there is no GPU here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from sglang_ray import cuda_questions, fork_server
from sglang_ray.cuda_questions import NoAnswer, answered

TORCH = """
class version:
    cuda = "13.0"
class device(str):
    pass
def asked(*_, **__):
    raise LookupError("CUDA was asked")
class _C:
    _cuda_init = staticmethod(asked)
    _cuda_getDeviceCount = staticmethod(asked)
    _get_accelerator = staticmethod(asked)
class _utils:
    _get_device_index = staticmethod(lambda device, optional: device)
class cuda:
    _utils = _utils
    is_initialized = staticmethod(lambda: False)
    def is_available(): asked()
    def device_count(): asked()
    def current_device(): asked()
    def get_device_properties(device=None): asked()
"""
GPU = {"name": "NVIDIA H200", "major": 9, "minor": 0, "multi_processor_count": 132}
OTHER = {**GPU, "name": "NVIDIA A100", "major": 8}


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> Any:
    module: Any = types.ModuleType("torch")
    exec(TORCH, module.__dict__)  # noqa: S102
    monkeypatch.setitem(sys.modules, "torch", module)
    return module


def test_questions_are_answered_and_then_torch_answers_again(torch: Any) -> None:
    public = {name: getattr(torch.cuda, name) for name in ("is_available", "device_count", "get_device_properties")}
    own = torch._C._get_accelerator
    with answered([GPU, GPU]):
        assert torch.cuda.is_available() is True
        assert torch.cuda.device_count() == torch._C._cuda_getDeviceCount() == 2
        assert torch.cuda.current_device() == 0
        kept = torch.cuda.get_device_properties(1)
        assert (kept.major, kept.minor, kept.multi_processor_count) == (9, 0, 132)
        with pytest.raises(AssertionError, match="Invalid device id"):
            torch.cuda.get_device_properties(2)
        accelerator = torch._C._get_accelerator
        assert accelerator() == "cuda"
        assert all(getattr(torch.cuda, name) is function for name, function in public.items())
    assert torch._C._get_accelerator is own
    for question in (*public.values(), accelerator, torch.cuda.current_device, lambda: kept.major):
        with pytest.raises(LookupError, match="CUDA was asked"):
            question()


@pytest.mark.parametrize(
    ("question", "text"),
    [
        (lambda torch: torch._C._cuda_init(), "an import initialises CUDA"),
        (lambda torch: torch.cuda.get_device_properties().color, "an import asks for the property color of a device"),
    ],
)
def test_a_refusal_is_raised_at_the_end_even_if_a_module_caught_it(torch: Any, question: Any, text: str) -> None:
    own = torch._C._cuda_init

    def imports() -> None:
        with answered([GPU]):
            with pytest.raises(NoAnswer, match=f"^{text}"):
                question(torch)
            assert torch.cuda.is_available()

    with pytest.raises(NoAnswer, match=f"^{text}"):
        imports()
    assert torch._C._cuda_init is own
    with pytest.raises(LookupError):
        torch.cuda.is_available()


def test_torch_answers_again_after_an_import_that_failed(torch: Any) -> None:
    with pytest.raises(ValueError, match="import"), answered([GPU]):
        raise ValueError("import")
    with pytest.raises(LookupError):
        torch.cuda.is_available()


@pytest.mark.parametrize(
    ("devices", "text"),
    [
        ([], "CUDA sees no device"),
        ([GPU, OTHER], "the devices are of several kinds: NVIDIA A100 8.0, NVIDIA H200 9.0"),
    ],
)
def test_devices_of_which_an_answer_could_be_wrong_later(torch: Any, devices: list[Any], text: str) -> None:
    with pytest.raises(NoAnswer, match=f"^{text}$"), answered(devices):
        pass
    with pytest.raises(LookupError):
        torch.cuda.is_available()


def test_torch_for_other_accelerators(torch: Any) -> None:
    torch.version.cuda = None
    with pytest.raises(fork_server.Unfit, match="torch is not built for CUDA") as unfit, fork_server.without_cuda():
        pass
    assert unfit.value.chosen


def test_nvidias_bindings_are_answered(torch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    driver: Any = types.ModuleType("cuda.bindings.driver")
    driver.CUresult = types.SimpleNamespace(CUDA_SUCCESS=0)
    driver.CUdevice = int
    for name in ("cuInit", "cuDeviceGetCount", "cuDeviceGet", "cuDeviceGetAttribute"):
        setattr(driver, name, torch._C._cuda_init)
    bindings: Any = types.ModuleType("cuda.bindings")
    bindings.driver = driver
    cuda: Any = types.ModuleType("cuda")
    cuda.bindings = bindings
    for module in (cuda, bindings, driver):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    with answered([GPU]):
        assert driver.cuInit(0) == (0,)
        assert driver.cuDeviceGetCount() == (0, 1)
        assert driver.cuDeviceGetAttribute(75, driver.cuDeviceGet(0)[1]) == (0, 9)
    with pytest.raises(NoAnswer, match="the attribute 7 of a device"), answered([GPU]):
        driver.cuDeviceGetAttribute(7, 0)
    assert driver.cuInit is torch._C._cuda_init


def test_a_driver_that_cannot_be_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "libcuda.so.1").write_text("no library")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    with pytest.raises(NoAnswer, match=r"^the CUDA driver cannot be asked: OSError: .*libcuda\.so\.1"):
        cuda_questions.from_driver()


PRELOAD = """
import json, os, sys
from sglang_ray import cuda_questions
from sglang_ray.fork_server import Unfit, preload
cuda_questions.from_driver = lambda: json.loads(sys.argv[1])
try:
    changed = preload("srt", None)
except Unfit as error:
    print(error)
    sys.exit()
import sglang.srt.server_args as asked
print(json.dumps([asked.DEVICES, asked.ALLOCATOR, os.environ.get("JE_ARROW_MALLOC_CONF"), changed]))
"""
ASKS = """
import os, torch
DEVICES, ALLOCATOR = torch.cuda.device_count(), os.environ["JE_ARROW_MALLOC_CONF"]
os.environ["ADDED"] = "by an import"
"""


def preloaded(tmp_path: Path, code: str, devices: list[Any], **env: str) -> str:
    for name, text in {"torch.py": TORCH, "sglang/srt/server_args.py": code}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    package = str(Path(cuda_questions.__file__).parents[1])
    environment = {name: value for name, value in os.environ.items() if name != fork_server.ALLOCATOR}
    environment |= {"PYTHONPATH": f"{tmp_path}:{package}", "SGLANG_RAY_DEVICE": "cuda", **env}
    done = subprocess.run(
        [sys.executable, "-c", PRELOAD, json.dumps(devices)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize("given", [None, "dirty_decay_ms:5"])
def test_sglang_is_imported_with_answers_and_without_threads(tmp_path: Path, given: str | None) -> None:
    env = {} if given is None else {fork_server.ALLOCATOR: given}
    found = json.loads(preloaded(tmp_path, ASKS, [GPU, GPU], **env))
    assert found == [2, given or "background_thread:false", given, {"ADDED": "by an import"}]


def test_a_machine_without_a_driver_has_no_forks_by_its_nature(monkeypatch: pytest.MonkeyPatch) -> None:
    no_driver = "OSError: libcuda.so.1: cannot open shared object file: No such file or directory"
    broken = "cuInit failed with 999"
    torch: Any = types.ModuleType("torch")
    torch.version = types.SimpleNamespace(cuda="13.0")
    monkeypatch.setitem(sys.modules, "torch", torch)
    for said, chosen in ((no_driver, True), (broken, False)):
        done = subprocess.CompletedProcess([], 1, "", f"Traceback\n{said}\n")
        monkeypatch.setattr(subprocess, "run", lambda *_, done=done, **__: done)
        with pytest.raises(fork_server.Unfit) as refused, fork_server.without_cuda():
            pass
        assert refused.value.chosen is chosen


@pytest.mark.parametrize(
    ("code", "devices", "text"),
    [
        (
            "import torch; torch._C._cuda_init()",
            [GPU],
            "the import of sglang.srt.server_args failed: NoAnswer: an import",
        ),
        ("", [], "CUDA sees no device"),
    ],
)
def test_a_refusal_leaves_nothing_to_fork_from(tmp_path: Path, code: str, devices: list[Any], text: str) -> None:
    assert preloaded(tmp_path, code, devices).startswith(text)
