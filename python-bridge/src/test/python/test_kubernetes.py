# SPDX-License-Identifier: Apache-2.0
"""The chart and the manifests of ``deploy``: schemas, what refers to what, and whether rendered files are fresh."""

from __future__ import annotations

import copy
import hashlib
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[4]
CHART = ROOT / "deploy" / "helm" / "sglang-ray"
MANIFESTS = ROOT / "deploy" / "kubernetes"
NAMES = ("rayjob", "raycluster")
SCHEMAS = json.loads((MANIFESTS / "schemas" / "schemas.json").read_text(encoding="utf-8"))
#: `.ci/go-tools` puts Helm, and Go where the machine has none, beside this Python.
PATH = f"{os.environ.get('PATH', '')}{os.pathsep}{Path(sys.executable).parent}"
HELM = os.environ.get("HELM") or shutil.which("helm", path=PATH)
REQUIRED = "SGLANG_RAY_REQUIRE_TOOLS" in os.environ
needs_helm = pytest.mark.skipif(HELM is None and not REQUIRED, reason="helm is not installed; .ci/go-tools does that")
#: What turns everything on, on top of each mode.
FULL = """
apiKey: {existingSecret: key}
fleetPage: {enabled: true}
image: {pullSecrets: [registry], tag: "1"}
metrics: {podMonitor: {create: true, ray: true, labels: {release: prometheus}}, rules: {create: true}}
model: {create: {size: 100Gi, storageClassName: nfs}}
networkPolicy: {create: true, metricsFrom: [{namespaceSelector: {matchLabels: {name: monitoring}}}]}
rayAuth: {existingSecret: token}
rayJob: {submissionMode: K8sJobMode, shutdownAfterJobFinishes: false}
service: {headless: true, type: LoadBalancer, annotations: {a: b}}
upArguments: [--health-timeout, "1800"]
head: &group
  rayStartParams: {object-store-memory: "1000000000"}
  labels: {team: a}
  annotations: {b: c}
  env: [{name: NCCL_DEBUG, value: INFO}]
  nodeSelector: {disk: ssd}
  tolerations: [{key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}]
  affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname}]}}
workers:
  <<: *group
  gpuResource: amd.com/gpu
  rayLabels: {gpu: h100}
"""
#: Another path for each value that is one of several, and everything off.
OTHERS = (
    "model: {hostPath: /models}",
    "{service: {create: false}, rayAuth: {enabled: false}}",
    "{workers: {replicas: 0}, fleet: {router_server_args: {group_name: other}}}",
)


def problems(text: str) -> list[str]:
    """What the API server would say of each document, as far as schemas go."""
    found = []
    for document in yaml.safe_load_all(text):
        if document is None:
            continue
        kind = f"{document['apiVersion']}/{document['kind']}"
        schema = {**SCHEMAS["kinds"][kind], "$defs": SCHEMAS["$defs"]}
        for error in jsonschema.Draft202012Validator(schema).iter_errors(document):
            found.append(f"{kind} {error.json_path}: {error.message}")
    return found


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((MANIFESTS / f"{name}.yaml").read_text(encoding="utf-8")))


def helm(*words: str) -> str:
    assert HELM is not None, "helm is not installed"
    result = subprocess.run([HELM, *words], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def template(tmp_path: Path, values: str, *words: str) -> str:
    (tmp_path / "values.yaml").write_text(values)
    common = ("template", "test", str(CHART), "--kube-version", "1.34.0", "-f", str(tmp_path / "values.yaml"))
    return helm(*common, *words)


@pytest.mark.parametrize("name", NAMES)
def test_manifests_fit_the_schemas(name: str) -> None:
    text = (MANIFESTS / f"{name}.yaml").read_text(encoding="utf-8")
    kinds = [document["kind"] for document in documents(name)]
    assert {"RayJob", "ConfigMap", "Service", "PodMonitor", "PrometheusRule", "NetworkPolicy"} <= set(kinds)
    assert problems(text) == []


def everything(schema: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each mapping below a document."""
    if isinstance(schema, dict):
        yield path
        for key, each in schema.items():
            yield from everything(each, (*path, key))
    elif isinstance(schema, list):
        for index, each in enumerate(schema):
            yield from everything(each, (*path, index))


#: Mappings whose keys are free: labels and what is like them.
FREE = {"labels", "annotations", "matchLabels", "selector", "nodeSelector", "rayStartParams", "clusterSelector"}
FREE |= {"limits", "requests", "data"}


@pytest.mark.parametrize("name", NAMES)
def test_a_misspelt_field_is_found_wherever_it_is(name: str) -> None:
    """Of each mapping of each object: its keys are known."""
    looked_at = 0
    for document in documents(name):
        for path in everything(document):
            if path and path[-1] in FREE and not (document["kind"] == "NetworkPolicy" and path[-1] == "selector"):
                continue
            changed = copy.deepcopy(document)
            place: Any = changed
            for step in path:
                place = place[step]
            place["misspelt"] = 1
            assert "misspelt" in "\n".join(problems(yaml.safe_dump(changed))), (document["kind"], path)
            looked_at += 1
    assert looked_at > 80


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("RayJob", "spec.rayClusterSpec.workerGroupSpecs.0.replicas", "two"),
        ("RayJob", "spec.rayClusterSpec.headGroupSpec.template.spec.containers", None),
        ("RayJob", "spec.rayClusterSpec.headGroupSpec.template.spec.containers.0.name", None),
        ("RayJob", "spec.rayClusterSpec.headGroupSpec.template.spec.containers.0.resources.limits.cpu", [1]),
        ("RayJob", "spec.rayClusterSpec.authOptions.mode", "tokens"),
        ("RayJob", "spec.entrypoint", 1),
        ("Service", "spec.ports.0.port", "http"),
        ("PodMonitor", "spec.selector", None),
        ("PodMonitor", "spec.podMetricsEndpoints.0.interval", "often"),
        ("PrometheusRule", "spec.groups.0.rules.0.expr", None),
        ("ConfigMap", "data.fleet\\yaml", 1),
        ("NetworkPolicy", "spec.ingress.0.from", "all"),
    ],
)
def test_a_wrong_or_missing_value_is_found(kind: str, path: str, value: Any) -> None:
    (document,) = (each for each in documents("rayjob") if each["kind"] == kind and "-routers" not in str(each))
    *steps, last = [int(step) if step.isdigit() else step.replace("\\", ".") for step in path.split(".")]
    place: Any = document
    for step in steps:
        place = place[step]
    assert last in place or isinstance(last, int)
    if value is None:
        del place[last]
    else:
        place[last] = value
    assert problems(yaml.safe_dump(document)) != []


@pytest.mark.parametrize("name", NAMES)
def test_pods_are_those_of_the_manifests(name: str) -> None:
    """KubernetesIT runs the pods; here is that they were made from the manifests as they are."""
    made = json.loads((MANIFESTS / f"{name}.pods.json").read_text(encoding="utf-8"))
    digest = hashlib.sha256((MANIFESTS / f"{name}.yaml").read_bytes()).hexdigest()
    assert made["manifest"] == digest, "run deploy/kubernetes/render"
    assert f"ray-operator {made['kuberay']}\n" in (MANIFESTS / "operator" / "go.mod").read_text()
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert chart["annotations"]["sglang-ray/kuberay"] == made["kuberay"]
    assert f'"{made["kuberay"]}"' in (MANIFESTS / "schemas" / "reduce.py").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_what_refers_to_pods_finds_them(name: str) -> None:
    made = json.loads((MANIFESTS / f"{name}.pods.json").read_text(encoding="utf-8"))
    head, worker = made["head"], made["workers"][0]["pod"]

    def selects(selector: dict[str, str], pod: dict[str, Any]) -> bool:
        labels: dict[str, str] = pod["metadata"]["labels"]
        return selector.items() <= labels.items()

    def ports(pod: dict[str, Any]) -> set[str]:
        return {port["name"] for port in pod["spec"]["containers"][0].get("ports", ())}

    assert selects(made["headService"]["spec"]["selector"], head)
    # Else a head that waits for its fleet could not be found by the workers that the fleet needs.
    assert made["headService"]["spec"]["publishNotReadyAddresses"]
    looked_at = 0
    for document in documents(name):
        spec = document.get("spec", {})
        if document["kind"] == "Service":
            assert selects(spec["selector"], head)
            assert not selects(spec["selector"], worker)
            assert {port["targetPort"] for port in spec["ports"]} <= ports(head)
        elif document["kind"] == "PodMonitor":
            assert selects(spec["selector"]["matchLabels"], head)
            assert {endpoint["port"] for endpoint in spec["podMetricsEndpoints"]} <= ports(head)
        elif document["kind"] == "NetworkPolicy":
            assert selects(spec["podSelector"]["matchLabels"], head)
            assert selects(spec["podSelector"]["matchLabels"], worker)
            assert {port["port"] for rule in spec["ingress"] for port in rule.get("ports", ())} <= ports(head)
        else:
            continue
        looked_at += 1
    assert looked_at == 4
    # Liveness is Ray's alone, readiness the fleet's.
    container = head["spec"]["containers"][0]
    assert container["livenessProbe"]["httpGet"]["path"] == "/api/healthz"
    assert "/readyz" in container["readinessProbe"]["exec"]["command"][-1]


@needs_helm
def test_the_chart_passes_lint() -> None:
    helm("lint", "--strict", str(CHART))


@needs_helm
def test_manifests_are_rendered_from_the_chart(tmp_path: Path) -> None:
    command = [str(MANIFESTS / "render"), "--manifests", str(tmp_path)]
    subprocess.run(command, check=True, env={**os.environ, "PATH": PATH, "HELM": str(HELM)})
    for name in NAMES:
        rendered = (tmp_path / f"{name}.yaml").read_text(encoding="utf-8")
        assert rendered == (MANIFESTS / f"{name}.yaml").read_text(encoding="utf-8"), "run deploy/kubernetes/render"


@needs_helm
@pytest.mark.parametrize("mode", ["rayJob", "rayCluster"])
@pytest.mark.parametrize("values", ["{}", FULL, *OTHERS])
def test_all_values_fit_the_schemas(tmp_path: Path, mode: str, values: str) -> None:
    text = template(tmp_path, values, "--set", f"mode={mode}")
    assert problems(text) == []
    kinds = [document["kind"] for document in yaml.safe_load_all(text)]
    assert kinds.count("RayCluster") == (mode == "rayCluster")
    assert kinds.count("RayJob") == 1


@needs_helm
def test_the_values_of_the_guide_fit_the_schemas(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "guides" / "kubernetes.md").read_text(encoding="utf-8")
    (values,) = re.findall(r"^```yaml\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    text = template(tmp_path, values)
    assert problems(text) == []
    (fleet,) = (each["data"]["fleet.yaml"] for each in yaml.safe_load_all(text) if each["kind"] == "ConfigMap")
    assert yaml.safe_load(fleet)["cluster"]["num_nodes"] == 3


@needs_helm
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("worker: {replicas: 2}", "worker"),
        ("mode: job", "mode"),
        ("service: {port: 0}", "port"),
        ("workers: {sharedMemory: much}", "sharedMemory"),
        ('upArguments: ["; rm"]', "upArguments"),
    ],
)
def test_wrong_values_are_refused(tmp_path: Path, values: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        template(tmp_path, values)


@pytest.mark.skipif(
    not REQUIRED, reason="it compiles KubeRay's operator, for minutes; SGLANG_RAY_REQUIRE_TOOLS=1 runs it"
)
def test_pods_are_what_the_operator_makes(tmp_path: Path) -> None:
    command = [str(MANIFESTS / "render"), str(tmp_path)]
    subprocess.run(command, check=True, env={**os.environ, "PATH": PATH, "HELM": str(HELM)})
    for name in NAMES:
        made = (tmp_path / f"{name}.pods.json").read_text(encoding="utf-8")
        assert made == (MANIFESTS / f"{name}.pods.json").read_text(encoding="utf-8"), "run deploy/kubernetes/render"
    broken = tmp_path / "broken.yaml"
    broken.write_text((MANIFESTS / "rayjob.yaml").read_text().replace("readinessProbe:", "readynessProbe:"))
    result = subprocess.run(
        ["go", "run", ".", str(broken)],
        cwd=MANIFESTS / "operator",
        env={**os.environ, "PATH": PATH},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0
    assert 'unknown field "readynessProbe"' in result.stderr


class _Answers:
    """HTTP at a port of this machine, with one status for each path."""

    def __init__(self, **paths: int) -> None:
        statuses = {f"/{path.replace('__', '/')}": status for path, status in paths.items()}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(statuses[self.path])
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing into the test's output."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.mark.parametrize(
    ("ray", "fleet", "ready"),
    [
        (200, None, True),
        (503, None, False),
        (None, None, False),
        (200, 503, False),
        (200, 200, True),
        (503, 200, False),
    ],
)
def test_the_head_is_ready_as_its_fleet_is(ray: int | None, fleet: int | None, ready: bool) -> None:
    """``None`` is nothing that listens: Ray that is not up, a cluster without a fleet."""
    made = json.loads((MANIFESTS / "rayjob.pods.json").read_text(encoding="utf-8"))
    command = made["head"]["spec"]["containers"][0]["readinessProbe"]["exec"]["command"]
    servers = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = listener.getsockname()[1]
    ports = {"52365": free, "9400": free}
    for port, path, status in (("52365", "api__healthz", ray), ("9400", "readyz", fleet)):
        if status is not None:
            servers.append(_Answers(**{path: status}))
            ports[port] = servers[-1].port
    try:
        script = command[-1]
        for port, ours in ports.items():
            assert port in script
            script = script.replace(port, str(ours))
        result = subprocess.run([*command[:-1], script], capture_output=True, text=True, check=False, timeout=30)
        assert (result.returncode == 0) is ready, result.stderr
    finally:
        for server in servers:
            server.close()
