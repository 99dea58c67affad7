# SPDX-License-Identifier: Apache-2.0
"""Answers what imports ask about CUDA's devices without CUDA, so that a fork of this process can still use it.

Modules of SGLang and of what it needs ask torch, when they are imported, whether there is a device and which. Each such
question calls ``cuInit``, and a process that is forked after that cannot use CUDA. Within :func:`answered` the answers
come from what a short-lived child process asked the driver. Whatever else needs CUDA is refused with :class:`NoAnswer`.

Afterwards torch answers for itself again, functions and properties that modules have kept included: a fork sees the
devices of its own CUDA_VISIBLE_DEVICES. Not thread-safe.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

#: Seconds for the child; 0.3 were seen.
TIMEOUT_S = 60.0

# What torch calls a property: its number in CUdevice_attribute.
_ATTRIBUTES = {
    "max_threads_per_block": 1,
    "shared_memory_per_block": 8,
    "warp_size": 10,
    "clock_rate": 13,
    "multi_processor_count": 16,
    "is_integrated": 18,
    "pci_bus_id": 33,
    "pci_device_id": 34,
    "memory_clock_rate": 36,
    "memory_bus_width": 37,
    "L2_cache_size": 38,
    "max_threads_per_multi_processor": 39,
    "pci_domain_id": 50,
    "major": 75,
    "minor": 76,
    "shared_memory_per_multiprocessor": 81,
    "regs_per_multiprocessor": 82,
    "is_multi_gpu_board": 84,
    "shared_memory_per_block_optin": 97,
}
_NUMBERS = {number: name for name, number in _ATTRIBUTES.items()}

#: As the dynamic loader says it.
_NO_DRIVER = "libcuda.so.1: cannot open shared object file: No such file"
# 100 is CUDA_ERROR_NO_DEVICE.
_ASK = """
import ctypes, json, sys, uuid
cuda = ctypes.CDLL("libcuda.so.1")
devices = []
def call(name, *arguments):
    code = getattr(cuda, name)(*arguments)
    if code == 100:
        print("[]")
        sys.exit()
    if code:
        sys.exit(f"{name} failed with {code}")
call("cuInit", 0)
count = ctypes.c_int()
call("cuDeviceGetCount", ctypes.byref(count))
for index in range(count.value):
    device, number, size = ctypes.c_int(), ctypes.c_int(), ctypes.c_size_t()
    name, identifier = ctypes.create_string_buffer(256), ctypes.create_string_buffer(16)
    call("cuDeviceGet", ctypes.byref(device), index)
    call("cuDeviceGetName", name, 256, device)
    call("cuDeviceTotalMem_v2", ctypes.byref(size), device)
    call("cuDeviceGetUuid_v2", identifier, device)
    found = {"name": name.value.decode(), "total_memory": size.value, "uuid": str(uuid.UUID(bytes=identifier.raw))}
    for key, attribute in json.loads(sys.argv[1]).items():
        call("cuDeviceGetAttribute", ctypes.byref(number), attribute, device)
        found[key] = number.value
    devices.append(found)
print(json.dumps(devices))
"""


class NoAnswer(RuntimeError):
    """CUDA is needed for an answer, or an answer now could be wrong for a fork later."""


class NoDriver(NoAnswer):
    """There is no driver on this machine."""


class _Answers:
    """Which devices there are while questions are answered (otherwise none), and what could not be answered."""

    devices: tuple[dict[str, Any], ...] = ()
    refused = ""

    def refuse(self, what: str) -> NoAnswer:
        self.refused = self.refused or what
        return NoAnswer(what)


answers = _Answers()


def from_driver() -> list[dict[str, Any]]:
    """The devices that this process may see, in CUDA's order, with torch's names for their properties."""
    command = [sys.executable, "-I", "-S", "-c", _ASK, json.dumps(_ATTRIBUTES)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoAnswer(f"the CUDA driver cannot be asked: {error}") from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        kind = NoDriver if _NO_DRIVER in lines[-1] else NoAnswer
        raise kind(f"the CUDA driver cannot be asked: {lines[-1]}")
    # As torch fills it for CUDA.
    return [{**device, "gcnArchName": device["name"]} for device in json.loads(done.stdout)]


class Properties:
    """Torch's properties of one device: while questions are answered those that are known, then torch's own."""

    def __init__(self, device: Any) -> None:
        import torch

        self._index = 0 if device is None else torch.cuda._utils._get_device_index(device, optional=True)
        if not 0 <= self._index < len(answers.devices):
            raise AssertionError("Invalid device id")  # as torch says it

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if not answers.devices:
            import torch

            return getattr(torch.cuda.get_device_properties(self._index), name)
        if name not in answers.devices[self._index]:
            raise answers.refuse(f"an import asks for the property {name} of a device, which only CUDA has")
        return answers.devices[self._index][name]


# The code of functions of torch.cuda: they stay the same objects, by which torch.compile knows them.


def _is_available() -> bool:
    return True


def _current_device() -> int:
    return 0


def _device_count() -> int:
    from sglang_ray import cuda_questions

    return len(cuda_questions.answers.devices)


def _get_device_properties(device: Any = None) -> Any:
    from sglang_ray import cuda_questions

    return cuda_questions.Properties(device)


@contextlib.contextmanager
def answered(devices: list[dict[str, Any]]) -> Iterator[None]:
    """Answers by these devices, of :func:`from_driver`. Nothing but torch may have been imported before."""
    import torch

    if not devices:
        raise NoAnswer("CUDA sees no device")
    kinds = sorted({f"{each['name']} {each['major']}.{each['minor']}" for each in devices})
    if len(kinds) > 1:
        raise NoAnswer(f"the devices are of several kinds: {', '.join(kinds)}")
    codes = {
        torch.cuda.is_available: _is_available,
        torch.cuda.current_device: _current_device,
        torch.cuda.device_count: _device_count,
        torch.cuda.get_device_properties: _get_device_properties,
    }
    originals = {function: function.__code__ for function in codes}
    replaced = {**_torch_answers(torch), **_driver_answers()}
    built_in = {place: getattr(*place) for place in replaced if hasattr(*place)}
    answers.devices, answers.refused = tuple(devices), ""
    try:
        for function, other in codes.items():
            function.__code__ = other.__code__
        for place, original in built_in.items():
            setattr(*place, _switched(replaced[place], original))
        yield
    finally:
        answers.devices = ()
        for function, code in originals.items():
            function.__code__ = code
        for place, original in built_in.items():
            setattr(*place, original)
    if answers.refused:
        raise NoAnswer(answers.refused)  # a module may have caught the first


def _torch_answers(torch: Any) -> dict[tuple[Any, str], Any]:
    """What torch answers in C++. ``torch.cuda`` reaches CUDA by ``_cuda_init`` alone."""

    def refuse(*_: Any) -> None:
        raise answers.refuse("an import initialises CUDA")

    return {
        (torch._C, "_cuda_init"): refuse,
        (torch._C, "_cuda_getDeviceCount"): _device_count,
        # Of torch.accelerator and of get_device_module().
        (torch._C, "_get_accelerator"): lambda *_: torch.device("cuda"),
        (torch._C, "_accelerator_getDeviceIndex"): _current_device,
    }


def _driver_answers() -> dict[tuple[Any, str], Any]:
    """For NVIDIA's Python bindings: the CUTLASS DSL asks them for the compute capability."""
    try:
        import cuda.bindings.driver as driver
    except ImportError:
        return {}
    success = driver.CUresult.CUDA_SUCCESS

    def attribute(which: Any, device: Any) -> tuple[Any, int]:
        found = answers.devices[int(device)].get(_NUMBERS.get(int(which), ""))
        if found is None:
            raise answers.refuse(f"an import asks for the attribute {which} of a device, which only CUDA has")
        return success, found

    return {
        (driver, "cuInit"): lambda _: (success,),
        (driver, "cuDeviceGetCount"): lambda: (success, _device_count()),
        (driver, "cuDeviceGet"): lambda ordinal: (success, driver.CUdevice(ordinal)),
        (driver, "cuDeviceGetAttribute"): attribute,
    }


def _switched(answer: Any, original: Any) -> Any:
    """The answer while questions are answered, then the original: a module may keep it."""

    def question(*arguments: Any, **named: Any) -> Any:
        return (answer if answers.devices else original)(*arguments, **named)

    return question
