# SPDX-License-Identifier: Apache-2.0
"""``python -m sglang_ray.schema server|embodied|router|smg``: the arguments that the installed version takes, as JSON.
``router`` is the installed router, which is smg where sglang-router is not.

Reading SGLang's own declaration imports torch (20 to 60 s), so the answer is kept: beside this file for the pinned
versions, else under the cache folder. A kept answer counts only for the same version with the same declaring files.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import importlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from sglang_ray import packages
from sglang_ray.declared import declared_fields
from sglang_ray.errors import BridgeError, missing_package, run
from sglang_ray.fields import Field, describe

SCHEMA_VERSION = 1

#: Filled in at run time where the configuration leaves them unset.
_FILLED = {
    "server": {"host", "port", "dist_init_addr"},
    "embodied": {"host", "port", "master_port"},
    "router": {"host", "port"},
    "smg": {"host", "port"},
}
#: The kinds that are a router's.
ROUTER_KINDS = ("router", "smg")
#: RouterArgs fields that the command line derives from other flags; refused, as RLinf's launcher refuses them.
ROUTER_NOT_SETTABLE = {"encode_urls", "prefill_urls", "decode_urls", "control_plane_api_keys"}
#: RouterArgs fields whose option has another name.
ROUTER_DESTINATIONS = {
    "server_cert_path": "tls_cert_path",
    "server_key_path": "tls_key_path",
    "model_aliases": "model_alias",
    "tenant_api_keys": "tenant_api_key",
}
#: Whose choices the router's native library lists, in another order each time.
_NATIVE_CHOICES = {"tool_call_parser", "reasoning_parser"}
#: What declares the arguments, relative to site-packages.
_SOURCES = {
    "server": ("sglang", ("srt/server_args.py", "srt/arg_groups")),
    "embodied": (
        "sglang",
        ("multimodal_gen/runtime/server_args.py", "multimodal_gen/runtime/server_args"),
    ),
    "router": ("sglang-router", ("router_args.py",)),
    "smg": ("smg", ("router_args.py",)),
}
#: What an embodied engine computes from other arguments, and takes from no configuration.
_EMBODIED_COMPUTED = {"model_loaded", "scheduler_ports", "sp_split_auto"}
#: Declared as an object, which an embodied engine makes of a map or of the path of a file.
_EMBODIED_MAP_OR_PATH = {"pipeline_config"}


def package(kind: str) -> str:
    """The distribution whose arguments a kind has."""
    return _SOURCES[kind][0]


def router_args_class(distribution: str) -> Any:
    """The ``RouterArgs`` of an installed router."""
    return importlib.import_module(f"{distribution.replace('-', '_')}.router_args").RouterArgs


def build(kind: str) -> dict[str, Any]:
    """Reads the declaration of the installed package. Slow for ``server``."""
    distribution, _ = _SOURCES[kind]
    version = packages.version(distribution)
    if version is None:
        raise missing_package(distribution, f"the {kind} schema is read from it")
    fields = _declared() if kind == "embodied" else _imported(kind)
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": kind,
        "package": distribution,
        "version": version,
        "source_sha256": fingerprint(kind),
        "fields": fields,
    }


def _imported(kind: str) -> list[dict[str, Any]]:
    """The fields as the package itself declares them, its command line included."""
    parser = argparse.ArgumentParser(add_help=False)
    record: Any
    if kind == "server":
        from sglang.srt.server_args import ServerArgs

        record = ServerArgs
        ServerArgs.add_cli_args(parser)
    else:
        record = router_args_class(package(kind))
        record.add_cli_args(parser, use_router_prefix=False)
        _rename_router_actions(parser)
    fields = []
    for field in describe(record, parser):
        entry = _entry(field)
        if kind in ROUTER_KINDS and field.name in _NATIVE_CHOICES and field.choices:
            entry["choices"] = sorted(field.choices)
        if kind == "smg" and field.name == "tenant_api_keys":
            entry["items"] = "str"  # as on its command line, TENANT:KEY
        entry["settable"] = _settable(kind, field.name, record)
        entry["filled"] = field.name in _FILLED[kind]
        fields.append(entry)
    return fields


def _declared() -> list[dict[str, Any]]:
    """The fields of embodied engines, read from their source: the module imports all of the extra ``diffusion``."""
    fields = []
    for field in declared_fields(_source_files("embodied"), "ServerArgs"):
        if field.name in _EMBODIED_MAP_OR_PATH:
            field = dataclasses.replace(field, types=["dict", "str"])
        settable = not field.name.startswith("_") and field.name not in _EMBODIED_COMPUTED
        fields.append({**_entry(field), "settable": settable, "filled": field.name in _FILLED["embodied"]})
    if not fields:
        raise BridgeError("the installed sglang declares no embodied engines (sglang.multimodal_gen)", 3)
    return fields


def _entry(field: Field) -> dict[str, Any]:
    return {key: value for key, value in dataclasses.asdict(field).items() if value is not None or key == "default"}


def load(kind: str, use_kept: bool = True) -> dict[str, Any]:
    """The schema of the installed package, from a kept answer when one fits."""
    if kind == "router" and packages.router() == "smg":
        kind = "smg"
    distribution, _ = _SOURCES[kind]
    version = packages.version(distribution)
    if version is None:
        raise missing_package(distribution, f"the {kind} schema is read from it")
    digest = fingerprint(kind)
    cache = cache_folder()
    kept = [] if cache is None else [cache / f"{distribution}-{version}-{kind}.json"]
    if use_kept:
        for path in (*(folder / f"{kind}.json" for folder in bundled_folders()), *kept):
            found = _read(path)
            if (
                found
                and found.get("version") == version
                and found.get("source_sha256") == digest
                and found.get("schema_version") == SCHEMA_VERSION
            ):
                return found
    built = build(kind)
    for path in kept:
        _keep(path, built)
    return built


def fingerprint(kind: str) -> str:
    """A digest over the files that declare the arguments."""
    distribution, _ = _SOURCES[kind]
    folder = _folder(distribution)
    digest = hashlib.sha256()
    for file in _source_files(kind):
        digest.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _source_files(kind: str) -> list[Path]:
    """What declares the arguments; of paths that changed between versions, those that are there."""
    distribution, paths = _SOURCES[kind]
    folder = _folder(distribution)
    found: list[Path] = []
    for relative in paths:
        path = folder / relative
        found += [file for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path]) if file.is_file()]
    return found


def _folder(distribution: str) -> Path:
    folder = packages.folder(distribution, distribution.replace("-", "_"))
    if folder is None:
        raise missing_package(distribution, "its files were not found")
    return Path(folder)


def bundled_folders() -> list[Path]:
    """Where the schemas of the pinned versions lie: beside the package, or in the source tree."""
    here = Path(__file__).resolve().parent
    return [here / "schemas", here.parents[1] / "resources" / "dev" / "sglangray" / "bridge" / "schemas"]


def cache_folder() -> Path | None:
    """Kept answers for other versions: ``$SGLANG_RAY_HOME/schemas``; None for a user without a home folder."""
    home = os.environ.get("SGLANG_RAY_HOME")
    if not home:
        cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        home = os.path.join(cache, "sglang-ray")
        if not os.path.isabs(home):  # it would be below the working directory
            return None
    return Path(home) / "schemas"


def text(schema: dict[str, Any]) -> str:
    """One field per line, so that a new version shows as a readable difference."""
    head = {key: value for key, value in schema.items() if key != "fields"}
    lines = ",\n    ".join(json.dumps(field, ensure_ascii=False) for field in schema["fields"])
    return json.dumps(head, indent=2)[:-2] + ',\n  "fields": [\n    ' + lines + "\n  ]\n}\n"


def _settable(kind: str, name: str, record: Any) -> bool:
    if kind in ROUTER_KINDS:
        return name not in ROUTER_NOT_SETTABLE
    if name.startswith("_"):
        return False  # SGLang's own notes
    hint = str(getattr(record, "__annotations__", {}).get(name, ""))
    return "Callable" not in hint and "type]" not in hint  # Python objects: no file can say them


def _rename_router_actions(parser: argparse.ArgumentParser) -> None:
    fields = {destination: field for field, destination in ROUTER_DESTINATIONS.items()}
    for action in parser._actions:
        action.dest = fields.get(action.dest, action.dest)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _keep(path: Path, schema: dict[str, Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
            file.write(text(schema))
        os.replace(file.name, path)
    except OSError as error:  # a cache that cannot be written costs time, nothing else
        print(f"sglang_ray.schema: not kept in {path}: {error.strerror}", file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sglang_ray.schema", description=__doc__)
    parser.add_argument("kind", choices=sorted(_SOURCES))
    parser.add_argument("--fresh", action="store_true", help="read the installed package even when a kept answer fits")
    arguments = parser.parse_args()

    def program() -> int:
        # SGLang logs on standard output while it is imported: only the schema may go there.
        out = os.dup(1)
        os.dup2(2, 1)
        try:
            schema = load(arguments.kind, use_kept=not arguments.fresh)
        except ImportError as error:
            raise BridgeError(f"the {arguments.kind} package cannot be imported: {error}", 3) from error
        with os.fdopen(out, "w", encoding="utf-8") as file:
            file.write(text(schema))
        return 0

    return run(program, "sglang_ray.schema")


if __name__ == "__main__":
    sys.exit(main())
