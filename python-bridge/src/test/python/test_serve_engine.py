# SPDX-License-Identifier: Apache-2.0
"""How ``serve`` starts an engine, with a small stand-in for the package sglang that says what it was given.

The stand-in has the shape of older versions: a dataclass, no plugins, no ``run_server``. The real package is tested by
test_engine.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sglang_ray import accelerators

FILES = {
    "sglang-0.4.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: sglang\nVersion: 0.4.0\n",
    "sglang/__init__.py": "",
    "sglang/srt/__init__.py": "",
    "sglang/srt/server_args.py": """
import dataclasses
from typing import Optional

@dataclasses.dataclass
class ServerArgs:
    model_path: str
    host: str = "127.0.0.1"
    port: int = 30000
    tp_size: int = 1
    dp_size: int = 1
    enable_dp_attention: bool = False
    dist_init_addr: Optional[str] = None
    device: Optional[str] = None
    attention_backend: Optional[str] = None
    enable_memory_saver: bool = False
""",
    "sglang/srt/utils.py": "def kill_process_tree(pid, include_parent): print('children ended', flush=True)\n",
    "sglang/srt/entrypoints/__init__.py": "",
    "sglang/srt/entrypoints/http_server.py": """
import dataclasses, json, os

def launch_server(server_args):
    if server_args.model_path == "broken":
        raise RuntimeError("the model is broken")
    names = ("http_proxy", "NO_PROXY", "FLASHINFER_DISABLE_VERSION_CHECK", "CUDA_VISIBLE_DEVICES")
    env = {name: os.environ.get(name) for name in names}
    print(json.dumps({"args": dataclasses.asdict(server_args), "env": env}), flush=True)
""",
}
EMBODIED = {
    "sglang/multimodal_gen/__init__.py": "",
    "sglang/multimodal_gen/runtime/__init__.py": "",
    "sglang/multimodal_gen/runtime/server_args.py": """
import dataclasses

@dataclasses.dataclass
class ServerArgs:
    model_path: str = ""
    host: str = ""
    port: int = 0
    master_port: int = 30005

    @classmethod
    def from_kwargs(cls, **kwargs): return cls(**kwargs)

def set_global_server_args(args):
    global GLOBAL
    GLOBAL = args
""",
    "sglang/multimodal_gen/runtime/launch_server.py": """
import dataclasses, json
from sglang.multimodal_gen.runtime import server_args as s

def dispatch_launch(args):
    assert s.GLOBAL is args
    print(json.dumps({"args": dataclasses.asdict(args)}), flush=True)
""",
}


class Site:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.add(FILES)

    def add(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def serve(self, request: dict[str, Any], **env: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(self.folder), os.environ["PYTHONPATH"]])
        return subprocess.run(
            [sys.executable, "-m", "sglang_ray.serve"],
            input=json.dumps(request),
            env={"PYTHONPATH": path, "http_proxy": "http://proxy", **env},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def given(self, request: dict[str, Any], **env: str) -> dict[str, Any]:
        done = self.serve(request, **env)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[0])
        return found


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def srt(**arguments: Any) -> dict[str, Any]:
    return {"kind": "srt", "dist_port": 4242, "server_args": {"model_path": "m", "port": 20001, **arguments}}


def test_with_an_accelerator_nothing_is_changed(site: Site) -> None:
    given = site.given(
        srt(attention_backend="triton", enable_memory_saver=True, tp_size=2, host="0.0.0.0"),
        SGLANG_RAY_DEVICE="cuda",
        CUDA_VISIBLE_DEVICES="2,3",
    )
    assert given["args"] == {
        "model_path": "m",
        "host": "0.0.0.0",
        "port": 20001,
        "tp_size": 2,
        "dp_size": 1,
        "enable_dp_attention": False,
        "dist_init_addr": "127.0.0.1:4242",
        "device": None,
        "attention_backend": "triton",
        "enable_memory_saver": True,
    }
    assert given["env"] == {
        "http_proxy": None,
        "NO_PROXY": "127.0.0.1,localhost,::1",
        "FLASHINFER_DISABLE_VERSION_CHECK": "1",
        "CUDA_VISIBLE_DEVICES": "2,3",
    }


def test_without_an_accelerator_it_is_adapted(site: Site) -> None:
    done = site.serve(srt(attention_backend="triton", tp_size=2), SGLANG_RAY_DEVICE="cpu")
    given = json.loads(done.stdout.splitlines()[0])
    assert (given["args"]["device"], given["args"]["attention_backend"]) == ("cpu", "torch_native")
    assert given["args"]["tp_size"] == 1
    assert given["env"]["CUDA_VISIBLE_DEVICES"] == ""
    assert "sglang_ray: no accelerator: attention_backend 'triton' -> 'torch_native'" in done.stderr


@pytest.mark.skipif(accelerators.visible({})["kind"] is not None, reason="this machine has accelerators")
@pytest.mark.parametrize("given", [{}, {"device": "cuda"}, {"device": "xpu"}])
def test_it_never_computes_on_the_processor_by_accident(site: Site, given: dict[str, str]) -> None:
    for request in (srt(**given), embodied(**given)):
        site.add(EMBODIED)
        done = site.serve(request, CUDA_VISIBLE_DEVICES="0")
        assert (done.returncode, done.stdout) == (1, "")
        last = done.stderr.splitlines()[-1]
        assert last.startswith(
            "sglang_ray.serve: error: no accelerator is visible to this engine (no device files), and it is not started"
        )
        assert "ask for the processor with 'device: cpu' or SGLANG_RAY_DEVICE=cpu in env_vars" in last


def test_a_processor_that_the_arguments_ask_for(site: Site) -> None:
    assert site.given(srt(device="cpu"))["args"]["attention_backend"] == "torch_native"


def test_an_sglang_built_for_processors_gets_what_was_given(site: Site) -> None:
    given = site.given(srt(device="cpu", tp_size=2), SGLANG_USE_CPU_ENGINE="1")
    assert (given["args"]["device"], given["args"]["tp_size"]) == ("cpu", 2)


def test_null_is_unset_and_a_given_address_is_kept(site: Site) -> None:
    given = site.given(srt(tp_size=None, dist_init_addr="10.0.0.1:5000"), SGLANG_RAY_DEVICE="cuda")
    assert (given["args"]["tp_size"], given["args"]["dist_init_addr"]) == (1, "10.0.0.1:5000")


def test_data_parallel_ranks_choose_their_own_addresses(site: Site) -> None:
    given = {
        str(words): site.given(srt(**words), SGLANG_RAY_DEVICE="cuda")["args"]["dist_init_addr"]
        for words in (
            {"dp_size": 2},
            {"dp_size": 2, "enable_dp_attention": True},
            {"dp_size": 1},
            {"dp_size": None},
            {"dp_size": 2, "dist_init_addr": "10.0.0.1:5000"},
        )
    }
    assert list(given.values()) == [None, "127.0.0.1:4242", "127.0.0.1:4242", "127.0.0.1:4242", "10.0.0.1:5000"]
    assert site.given(srt(dp_size=2), SGLANG_RAY_DEVICE="cpu")["args"]["dist_init_addr"] == "127.0.0.1:4242"


def test_an_unknown_key_ends_with_2_and_names_the_nearest(site: Site) -> None:
    done = site.serve(srt(atention_backend="triton"), SGLANG_RAY_DEVICE="cpu")
    assert done.returncode == 2
    assert done.stderr.strip() == (
        "sglang_ray.serve: error: server_args: unknown key 'atention_backend' "
        "(ServerArgs of sglang 0.4.0 has no such field); did you mean attention_backend?"
    )


def test_a_missing_model_ends_with_2(site: Site) -> None:
    done = site.serve(srt(model_path="/no/such/model"))
    assert done.returncode == 2
    assert "model_path: /no/such/model does not exist on " in done.stderr


def test_a_failing_server_ends_with_1_its_own_words_and_no_children(site: Site) -> None:
    done = site.serve(srt(model_path="broken"), SGLANG_RAY_DEVICE="cpu")
    assert done.returncode == 1
    assert "RuntimeError: the model is broken" in done.stderr
    assert "children ended" in done.stdout


def embodied(**arguments: Any) -> dict[str, Any]:
    return {"kind": "embodied", "dist_port": 4242, "server_args": {"model_path": "m", "port": 20001, **arguments}}


def test_embodied_gets_its_master_port(site: Site) -> None:
    site.add(EMBODIED)
    given = site.given(embodied(), SGLANG_RAY_DEVICE="cuda")
    assert given["args"] == {"model_path": "m", "host": "", "port": 20001, "master_port": 4242}


def test_embodied_without_its_extra_ends_with_3(site: Site) -> None:
    done = site.serve(embodied(), SGLANG_RAY_DEVICE="cuda")
    assert done.returncode == 3
    assert "the extra 'diffusion' of sglang (sglang[diffusion]) is not installed" in done.stderr


def test_embodied_without_an_accelerator_ends_with_1(site: Site) -> None:
    site.add(EMBODIED)
    done = site.serve(embodied(), SGLANG_RAY_DEVICE="cpu")
    assert done.returncode == 1
    assert "an embodied server needs an accelerator" in done.stderr


def test_embodied_refuses_unknown_keys(site: Site) -> None:
    site.add(EMBODIED)
    done = site.serve(embodied(prot=1), SGLANG_RAY_DEVICE="cuda")
    assert done.returncode == 2
    assert "unknown key 'prot'" in done.stderr
