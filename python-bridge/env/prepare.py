# SPDX-License-Identifier: Apache-2.0
"""Makes the Python environments that sglang-ray needs, from lock files, once.

Run through ``python-bridge/prepare``. Standard library only, Python 3.10+. The paths of the environments go to standard
output, everything else to standard error.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "src" / "main" / "python"))

from sglang_ray import accelerators

#: Raised when environments made by an older version of this file must not be used any more.
RECIPE = 1
UV_LOWEST = (0, 8, 0)
#: Without a terminal, a long step says this often that it goes on, in seconds.
SIGN_OF_LIFE_S = 15
#: With -m: leaves the working directory, whose files may have the names of modules, off the path.
SAFE = "-P" if sys.version_info >= (3, 11) else "-I"
#: Appears last: an environment without it is not finished.
MARKER = "sglang_ray_ready"


#: What a closed terminal, a service manager or a time limit sends.
SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class PrepareError(Exception):
    """What went wrong and what to do."""


class Ended(BaseException):
    """A signal ends this program, which takes back first what is half done."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def heed_signals() -> None:
    """Makes signals end this program in an orderly way, except those that it was started to ignore (nohup)."""

    def end(number: int, _frame: object) -> None:
        for other in SIGNALS:  # nothing interrupts the taking back
            signal.signal(other, signal.SIG_IGN)
        raise Ended(number)

    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, end)


@dataclass(frozen=True)
class Kind:
    """One kind of environment: what is in it, which Pythons can hold it, its size, how to see that it works."""

    name: str
    lock: str
    pythons: tuple[tuple[int, int], tuple[int, int]]  # lowest and highest
    gigabytes: float
    check: str

    @property
    def lock_file(self) -> Path:
        return HERE / self.lock

    @property
    def folder(self) -> Path:
        digest = hashlib.sha256(f"{RECIPE}\n".encode() + self.lock_file.read_bytes()).hexdigest()[:12]
        return home() / "envs" / f"{self.lock_file.name.removesuffix('.lock.txt')}-{digest}"

    def is_ready(self) -> bool:
        return (self.folder / MARKER).is_file() and os.access(self.folder / "bin" / "python", os.X_OK)


_RUN_CHECK = "import torch, ray, sglang, tokenizers, sglang_router.sglang_router_rs, smg.smg_rs"


def kinds(device: str | None = None) -> dict[str, Kind]:
    """All kinds by name; ``run`` depends on the machine unless a device is named."""
    gpu = has_nvidia() if device is None else device == "gpu"
    run = (
        Kind("run", "run-gpu.lock.txt", ((3, 11), (3, 13)), 16, _RUN_CHECK)
        if gpu
        else Kind("run", "run-cpu.lock.txt", ((3, 11), (3, 13)), 7, _RUN_CHECK)
    )
    return {
        "run": run,
        "ray-2.39.0": Kind("ray-2.39.0", "ray-2.39.0.lock.txt", ((3, 11), (3, 12)), 0.5, "import ray"),
        "tools": Kind("tools", "tools.lock.txt", ((3, 11), (3, 13)), 0.3, "import pytest, mypy"),
    }


#: What each command makes, in this order.
SETS = {"run": ("run",), "dev": ("tools", "ray-2.39.0", "run"), "tools": ("tools",), "ray-2.39.0": ("ray-2.39.0",)}


def home() -> Path:
    """Where environments live: ``$SGLANG_RAY_HOME``, else ``sglang-ray`` in the user's cache folder."""
    chosen = os.environ.get("SGLANG_RAY_HOME")
    if chosen:
        return Path(chosen).absolute()
    try:
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        raise PrepareError("this user has no home folder: name a folder for environments in SGLANG_RAY_HOME") from None
    return Path(cache).absolute() / "sglang-ray"


def has_nvidia() -> bool:
    forced = {k: v for k, v in os.environ.items() if k == accelerators.DEVICE_VARIABLE}
    return bool(accelerators.visible(forced)["kind"] == "cuda")


def say(text: str) -> None:
    print(f"prepare: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def exclusive(name: str, wait: bool = True) -> Iterator[bool]:
    """At most one process at a time; a second one waits and says so, or gets False."""
    folder = home() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                yield False
                return
            say(f"another prepare is making {name}; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield True


def run(command: list[str], what: str, env: dict[str, str] | None = None) -> None:
    """Runs a step. Its output is shown: at once on a terminal, else (with signs of life instead) when it failed."""
    terminal = sys.stderr.isatty()
    begin = time.monotonic()
    with tempfile.TemporaryFile() as log:
        out = sys.stderr if terminal else log
        try:
            step = subprocess.Popen(command, env=env, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        except OSError as error:
            raise PrepareError(f"{what}: cannot run {command[0]}: {error.strerror}") from error
        try:
            while True:
                try:
                    code = step.wait(timeout=SIGN_OF_LIFE_S)
                    break
                except subprocess.TimeoutExpired:
                    if not terminal:
                        say(f"{what}: {time.monotonic() - begin:.0f} s")
        finally:
            if step.poll() is None:
                step.kill()
                step.wait()
        if code != 0:
            log.seek(0)
            sys.stderr.buffer.write(log.read())
            raise PrepareError(f"{what} failed (exit code {code}); the lines above say why")


# -- uv


def uv_version(path: str) -> tuple[int, ...] | None:
    try:
        text = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.match(r"uv (\d+)\.(\d+)\.(\d+)", text)
    return tuple(int(part) for part in found.groups()) if found else None


def find_uv() -> str:
    """The installed uv when it is new enough, else one of our own."""
    installed = shutil.which("uv")
    if installed and (uv_version(installed) or (0,)) >= UV_LOWEST:
        return installed
    lock = HERE / "uv.lock.txt"
    folder = home() / "bootstrap" / f"uv-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    uv = folder / "bin" / "uv"
    with exclusive(folder.name):
        if not uv_version(str(uv)):
            say("installing uv (once)")
            shutil.rmtree(folder, ignore_errors=True)
            bootstrap(folder, lock)
    return str(uv)


def bootstrap(folder: Path, lock: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        run([sys.executable, SAFE, "-m", "venv", str(folder)], "python -m venv")
    except PrepareError:
        shutil.rmtree(folder, ignore_errors=True)
        raise PrepareError(
            f"{sys.executable} cannot make a virtual environment: install its venv module "
            "(Debian, Ubuntu: apt-get install python3-venv), or install uv"
        ) from None
    pip = [str(folder / "bin" / "python"), SAFE, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        run([*pip, "--require-hashes", "--no-deps", "-r", str(lock)], "pip install uv")
    except PrepareError:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def uv_environment() -> dict[str, str]:
    """What counts for pip counts for uv too, which does not read it: the index, and the machine's authorities."""
    env = dict(os.environ)
    env.pop("VIRTUAL_ENV", None)
    for name in ("UV_SYSTEM_CERTS", "UV_NATIVE_TLS"):  # the second is what older versions call it
        env.setdefault(name, "true")
    if not any(env.get(name) for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_CONFIG_FILE")):
        index = env.get("PIP_INDEX_URL") or pip_setting("global.index-url")
        if index:
            env["UV_DEFAULT_INDEX"] = index
    return env


def pip_setting(name: str) -> str:
    command = [sys.executable, SAFE, "-m", "pip", "config", "get", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


# -- environments


def base_python(kind: Kind) -> str:
    """Which Python to build on: the named one, this one when it fits, else what uv finds or downloads."""
    named = os.environ.get("SGLANG_RAY_BASE_PYTHON")
    if named:
        return named
    lowest, highest = kind.pythons
    if lowest <= sys.version_info[:2] <= highest:
        return str(getattr(sys, "_base_executable", None) or sys.executable)
    return f">={lowest[0]}.{lowest[1]},<{highest[0]}.{highest[1] + 1}"


def ensure(kind: Kind) -> Path:
    """The environment, made if it is not there."""
    folder = kind.folder
    if kind.is_ready():
        return folder
    with exclusive(folder.name):
        if not kind.is_ready():
            make(kind, folder)
    return folder


def make(kind: Kind, folder: Path) -> None:
    begin = time.monotonic()
    folder.parent.mkdir(parents=True, exist_ok=True)
    check_space(kind, folder.parent)
    uv = find_uv()
    for stale in folder.parent.glob(f".{folder.name}.*"):  # of a prepare that was killed: the lock is ours
        shutil.rmtree(stale, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    env = uv_environment()
    try:
        say(f"making {kind.name} in {folder} (about {kind.gigabytes:g} GB, once)")
        python = base_python(kind)
        try:
            run([uv, "venv", "--quiet", "--relocatable", "--clear", "--python", python, str(work)], "uv venv", env)
        except PrepareError:
            (low, high) = (".".join(map(str, version)) for version in kind.pythons)
            raise PrepareError(
                f"{kind.name} needs Python {low} to {high}: install one, or name it in SGLANG_RAY_BASE_PYTHON "
                f"(tried {python})"
            ) from None
        interpreter = str(work / "bin" / "python")
        install = [uv, "pip", "install", "--python", interpreter, "--requirements", str(kind.lock_file)]
        run([*install, "--require-hashes", "--no-deps", "--only-binary", ":all:"], f"installing {kind.lock}", env)
        say(f"checking {kind.name}")
        check(kind, interpreter)
        (work / MARKER).write_text(f"{kind.lock}\n", encoding="utf-8")
        work.chmod(0o755)
        if folder.exists():  # unfinished, or its Python is gone
            shutil.rmtree(folder)
        work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    say(f"{kind.name} is ready after {time.monotonic() - begin:.0f} s")


def check_space(kind: Kind, folder: Path) -> None:
    free = shutil.disk_usage(folder).free / 1e9
    if free < kind.gigabytes:
        raise PrepareError(
            f"{folder} has {free:.1f} GB free, and {kind.name} needs about {kind.gigabytes:g} GB: "
            "make room, or name another place in SGLANG_RAY_HOME"
        )


def check(kind: Kind, interpreter: str) -> None:
    """The pinned versions are there, and what needs native libraries can be imported."""
    env = {**os.environ, "CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES", "")}
    env.pop("PYTHONPATH", None)
    script = (
        "import importlib.metadata as m, sys\n"
        "wrong = [f'{n}: {m.version(n)} instead of {v}' for n, v in (p.split('==') for p in sys.argv[1:])"
        " if m.version(n) != v]\n"
        "sys.exit('; '.join(wrong)) if wrong else None\n" + kind.check
    )
    run([interpreter, "-I", "-c", script, *pins(kind)], f"checking {kind.name}", env)


def pins(kind: Kind) -> list[str]:
    """The packages that were asked for by name, as ``name==version``."""
    source = HERE / ("run.in" if kind.name == "run" else kind.lock.replace(".lock.txt", ".in"))
    lines = (line.split("#")[0].strip() for line in source.read_text(encoding="utf-8").splitlines())
    return [re.sub(r"\[.*\]", "", line) for line in lines if line]


def prune() -> None:
    """Removes environments that no lock file of this checkout describes, and what killed prepares left."""
    wanted = {kind.folder.name for device in ("cpu", "gpu") for kind in kinds(device).values()}
    folder = home() / "envs"
    for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
        draft = entry.name.startswith(".")
        name = entry.name[1:].rpartition(".")[0] if draft else entry.name
        if draft or name not in wanted:
            # A draft whose name is locked is being made.
            with exclusive(name, wait=not draft) as free:
                if free:
                    say(f"removing {entry}")
                    shutil.rmtree(entry)


# -- lock files


def lock() -> None:
    """Makes the lock files anew from the ``.in`` files. For maintainers."""
    uv = find_uv()
    common = [uv, "pip", "compile", "--quiet", "--upgrade", "--universal", "--python-version", "3.11"]
    common += ["--generate-hashes", "--no-header", "--no-annotate", "--only-binary", ":all:"]
    jobs = [
        ("run-cpu.in", "run-cpu.lock.txt", ["--excludes", "run-cpu.excludes.txt"]),
        ("run.in", "run-gpu.lock.txt", []),
        ("ray-2.39.0.in", "ray-2.39.0.lock.txt", []),
        ("tools.in", "tools.lock.txt", []),
        ("uv.in", "uv.lock.txt", []),
    ]
    os.chdir(HERE)  # uv reads the settings beside the files
    for source, target, more in jobs:
        say(f"resolving {target}")
        run([*common, *more, source, "--output-file", target], f"resolving {target}", uv_environment())
        text = Path(target).read_text(encoding="utf-8")
        # The whole file is for these systems; saying it on every line would hide the markers that matter.
        for everywhere in (
            " ; python_full_version < '3.14' and sys_platform == 'linux'",
            " and python_full_version < '3.14' and sys_platform == 'linux'",
            " and sys_platform == 'linux'",
        ):
            text = text.replace(everywhere + " \\\n", " \\\n")
        head = f"# Made by `prepare lock` from {source}; Linux, Python 3.11 to 3.13. Do not edit.\n"
        Path(target).write_text(head + text, encoding="utf-8")


# -- schemas of releases


def schemas() -> None:
    """Reads the arguments of the releases in ``releases.in`` from their wheels. For maintainers."""
    interpreter = str(ensure(kinds()["run"]) / "bin" / "python")
    lines = (line.split("#")[0].strip() for line in (HERE / "releases.in").read_text(encoding="utf-8").splitlines())
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    with tempfile.TemporaryDirectory(dir=home()) as wheels:
        for release in filter(None, lines):
            say(f"downloading {release}")
            run([*pip, "--only-binary", ":all:", "--dest", wheels, release], f"downloading {release}")
        run([interpreter, "-I", "-B", str(HERE / "release_schemas.py"), wheels], "reading the arguments")


# -- command line


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="prepare",
        description="Makes the Python environments of sglang-ray, once each, and prints their folders.",
        epilog="Variables: SGLANG_RAY_HOME (where; default sglang-ray in the user's cache folder), "
        "SGLANG_RAY_BASE_PYTHON (build on this Python), SGLANG_RAY_DEVICE=cpu (as if there were no GPU).",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    texts = {
        "run": "what a node needs: Ray, SGLang, router (with its GPU kernels where there is an NVIDIA GPU)",
        "dev": "run, the lowest supported Ray, and the tools for checks and tests",
        "tools": "the tools for checks and tests only",
        "ray-2.39.0": "the lowest supported Ray only",
    }
    for name in SETS:
        command = commands.add_parser(name, help=texts[name])
        command.add_argument("--device", choices=("cpu", "gpu"), help="which SGLang; default: what the machine has")
    path = commands.add_parser("path", help="print where an environment is, without making it; 1 when it is not there")
    path.add_argument("kind", choices=sorted(kinds("cpu")))
    path.add_argument("--device", choices=("cpu", "gpu"))
    commands.add_parser("prune", help="remove environments of other versions")
    commands.add_parser("lock", help="resolve the lock files anew (for maintainers)")
    commands.add_parser("schemas", help="read the arguments of SGLang's and the router's releases (for maintainers)")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    try:
        if options.command == "lock":
            lock()
        elif options.command == "schemas":
            schemas()
        elif options.command == "prune":
            prune()
        elif options.command == "path":
            kind = kinds(options.device)[options.kind]
            print(kind.folder)
            return 0 if kind.is_ready() else 1
        else:
            for name in SETS[options.command]:
                print(ensure(kinds(options.device)[name]), flush=True)
    except PrepareError as error:
        say(f"error: {error}")
        return 1
    except OSError as error:
        say(f"error: {error.filename or home()}: {error.strerror}")
        return 1
    except KeyboardInterrupt:
        say("interrupted; nothing half done is left")
        return 130
    except Ended as ended:
        say(f"ended by {signal.Signals(ended.number).name}; nothing half done is left")
        return 128 + ended.number
    return 0


if __name__ == "__main__":
    heed_signals()
    sys.exit(main(sys.argv[1:]))
