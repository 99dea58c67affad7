#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes schemas.json: JSON schemas of the kinds that the chart uses, strict and without descriptions.

    python reduce.py     # with PyYAML, in a Python that has pip; needs go

Sources and their versions are below. Unknown fields are errors in the result. What Kubernetes checks besides a schema
(rules in CEL, defaults, formats) is not in it.
"""

from __future__ import annotations

import collections
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import yaml

#: Custom resources: Go module, version, the folder of its CRDs, files.
CUSTOM = (
    (
        "github.com/ray-project/kuberay/ray-operator",
        "v1.6.1",
        "config/crd/bases",
        ("ray.io_rayclusters.yaml", "ray.io_rayjobs.yaml"),
    ),
    (
        "github.com/prometheus-operator/prometheus-operator",
        "v0.85.0",
        "example/prometheus-operator-crd",
        ("monitoring.coreos.com_podmonitors.yaml", "monitoring.coreos.com_prometheusrules.yaml"),
    ),
)
#: Kubernetes' own: package, version, and the definition of each kind.
CORE = ("kubernetes-validate", "1.37.0", "v1.37.0-local-strict")
KINDS = {
    "v1/ConfigMap": "io.k8s.api.core.v1.ConfigMap",
    "v1/PersistentVolumeClaim": "io.k8s.api.core.v1.PersistentVolumeClaim",
    "v1/Service": "io.k8s.api.core.v1.Service",
    "networking.k8s.io/v1/NetworkPolicy": "io.k8s.api.networking.v1.NetworkPolicy",
}
META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
KEPT: tuple[str, ...] = (
    "$ref",
    "type",
    "enum",
    "required",
    "pattern",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
)
KEPT += ("maxItems", "anyOf", "oneOf", "allOf", "not", "minProperties", "maxProperties")
#: A subtree of this many characters that occurs twice is written once.
SHARED = 160


def download(module: str, version: str) -> Path:
    command = ["go", "mod", "download", "-json", f"{module}@{version}"]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "go.mod").write_text("module reduce\n")
        answer = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    return Path(json.loads(answer)["Dir"])


def core() -> dict[str, Any]:
    package, version, schemas = CORE
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", f"{package}=={version}", "-d", folder]
        subprocess.run(command, check=True)
        (wheel,) = Path(folder).glob("*.whl")
        name = f"kubernetes_validate/kubernetes-json-schema/{schemas}/_definitions.json"
        with zipfile.ZipFile(wheel) as archive:
            definitions: dict[str, Any] = json.loads(archive.read(name))["$defs"]
    return definitions


def strict(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON schema of what a CRD's or Kubernetes' own schema takes."""
    made: dict[str, Any] = {key: schema[key] for key in KEPT if key in schema}
    if "$ref" in made:
        return {"$ref": re.sub(r".*/", "#/$defs/", made["$ref"])}
    for key in ("anyOf", "oneOf", "allOf"):
        if key in made:
            made[key] = [strict(each) for each in made[key]]
    if schema.get("x-kubernetes-int-or-string"):
        # Else "anyOf" would take what is none of both, as "type" is left out beside it.
        return {"type": ["integer", "string"], **{key: made[key] for key in ("pattern",) if key in made}}
    if "items" in schema:
        made["items"] = strict(schema["items"])
    if "properties" in schema:
        made["properties"] = {name: strict(each) for name, each in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            made["additionalProperties"] = False
    if isinstance(schema.get("additionalProperties"), dict):
        made["additionalProperties"] = strict(schema["additionalProperties"])
    if schema.get("nullable") and "type" in made:
        made["type"] = [made["type"], "null"]
    return made


def references(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(references, schema), set())
    if not isinstance(schema, dict):
        return set()
    here = {schema["$ref"].removeprefix("#/$defs/")} if isinstance(schema.get("$ref"), str) else set()
    return here.union(*map(references, schema.values()))


def text(schema: Any) -> str:
    return json.dumps(schema, sort_keys=True, separators=(",", ":"))


def share(kinds: dict[str, Any], definitions: dict[str, Any]) -> None:
    """Moves equal subtrees of the kinds into definitions."""
    seen: collections.Counter[str] = collections.Counter()

    def count(schema: Any) -> None:
        if isinstance(schema, dict):
            key = text(schema)
            if len(key) >= SHARED:
                seen[key] += 1
                if seen[key] > 1:
                    return  # what is in it is not counted for each time that it occurs
            for each in schema.values():
                count(each)
        elif isinstance(schema, list):
            for each in schema:
                count(each)

    names: dict[str, str] = {}

    def replace(schema: Any) -> Any:
        if isinstance(schema, list):
            return [replace(each) for each in schema]
        if not isinstance(schema, dict):
            return schema
        key = text(schema)
        # A map of properties is no schema, and cannot be referred to.
        if seen[key] > 1 and ("type" in schema or "anyOf" in schema):
            if key not in names:
                names[key] = f"s{len(names)}"
                definitions[names[key]] = {name: replace(each) for name, each in schema.items()}
            return {"$ref": f"#/$defs/{names[key]}"}
        return {name: replace(each) for name, each in schema.items()}

    count(kinds)
    for name in kinds:
        kinds[name] = replace(kinds[name])


def main() -> None:
    kinds: dict[str, Any] = {}
    for module, version, folder, files in CUSTOM:
        for file in files:
            resource = yaml.safe_load((download(module, version) / folder / file).read_text(encoding="utf-8"))["spec"]
            for served in resource["versions"]:
                if served["storage"]:
                    schema = strict(served["schema"]["openAPIV3Schema"])
                    schema["properties"]["metadata"] = {"$ref": f"#/$defs/{META}"}
                    schema["required"] = sorted({"apiVersion", "kind", "metadata", *schema.get("required", ())})
                    kinds[f"{resource['group']}/{served['name']}/{resource['names']['kind']}"] = schema
    definitions: dict[str, Any] = {}
    share(kinds, definitions)
    originals = core()
    for kind, name in KINDS.items():
        kinds[kind] = {"$ref": f"#/$defs/{name}"}
    wanted = [META, *KINDS.values()]
    while wanted:
        name = wanted.pop()
        if name not in definitions:
            definitions[name] = strict(originals[name])
            wanted += references(definitions[name])
    target = Path(__file__).with_name("schemas.json")
    target.write_text(text({"$defs": definitions, "kinds": kinds}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
