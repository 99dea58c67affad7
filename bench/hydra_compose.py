# SPDX-License-Identifier: Apache-2.0
"""Composes and resolves a configuration with Hydra and OmegaConf, as RLinf's programs do.

hydra_compose.py DIR NAME            prints the resolved configuration as JSON
hydra_compose.py DIR NAME SECONDS    composes for SECONDS, then prints the time of each composition
hydra_compose.py --largest CHECKOUT  prints the folder and the name of the largest example configuration
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf


def register() -> None:
    """The resolvers that RLinf registers; a data type is a text here, as there is no torch."""
    names = {"float": "float32", "double": "float64", "half": "float16", "int": "int32", "long": "int64"}
    OmegaConf.register_new_resolver("multiply", lambda x, y: x * y, replace=True)
    OmegaConf.register_new_resolver("int_div", lambda x, y: x // y, replace=True)
    OmegaConf.register_new_resolver("subtract", lambda x, y: x - y, replace=True)
    OmegaConf.register_new_resolver("not", lambda x: not x, replace=True)
    OmegaConf.register_new_resolver("torch.dtype", lambda x: "torch." + names.get(x, x), replace=True)


def resolved(name: str) -> Any:
    """One composition, as plain Python."""
    return OmegaConf.to_container(compose(name), resolve=True, throw_on_missing=True)


def largest(checkout: Path) -> tuple[str, str]:
    """The example whose resolved configuration is the longest text."""
    found: list[tuple[int, str, str]] = []
    for file in sorted(checkout.glob("examples/**/*.yaml")):
        if "config" not in file.parts:
            continue
        try:
            with initialize_config_dir(str(file.parent), version_base="1.1"):
                found.append((len(json.dumps(resolved(file.stem), default=str)), str(file.parent), file.stem))
        except Exception as error:  # a part of another configuration does not stand alone
            print(f"skipped {file.stem}: {type(error).__name__}", file=sys.stderr)
    if not found:
        raise SystemExit(f"no configuration under {checkout}/examples composes")
    return max(found)[1:]


def main(arguments: list[str]) -> None:
    warnings.simplefilter("ignore")
    register()
    if arguments[0] == "--largest":
        print("\n".join(largest(Path(os.path.abspath(arguments[1])))))
        return
    folder, name = arguments[:2]
    with initialize_config_dir(os.path.abspath(folder), version_base="1.1"):
        if len(arguments) == 2:
            print(json.dumps(resolved(name)))
            return
        times: list[float] = []
        end = time.perf_counter() + float(arguments[2])
        while time.perf_counter() < end or not times:
            begin = time.perf_counter()
            resolved(name)
            times.append(time.perf_counter() - begin)
        print(json.dumps(times))


if __name__ == "__main__":
    main(sys.argv[1:])
