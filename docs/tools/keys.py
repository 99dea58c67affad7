# SPDX-License-Identifier: Apache-2.0
"""Writes the table of configuration keys in ``docs/reference/yaml.md`` from the JSON Schema that editors use.

``python docs/tools/keys.py`` rewrites the page; a test fails when the page is not what this would write. The schema has
no defaults, so they are here, and a key without one is an error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "ray-app" / "conf" / "sglang-ray.schema.json"
PAGE = ROOT / "docs" / "reference" / "yaml.md"
BEGIN = "<!-- keys: begin -->\n"
END = "<!-- keys: end -->\n"

REQUIRED = "required"
NONE = "none"
#: What a key means that is left out. Arguments of SGLang and of the router are not here: they are not ours.
DEFAULTS = {
    "cluster.num_nodes": REQUIRED,
    "cluster.component_placement": REQUIRED,
    "cluster.component_placement.NAME.placement": REQUIRED,
    "cluster.component_placement.NAME.node_group": "`cluster`",
    "cluster.node_groups": NONE,
    "cluster.node_groups[].label": REQUIRED,
    "cluster.node_groups[].node_ranks": REQUIRED,
    "cluster.node_groups[].node_ranks.ray_labels": NONE,
    "cluster.node_groups[].node_ranks.ray_resource": NONE,
    "cluster.node_groups[].env_configs": NONE,
    "cluster.node_groups[].env_configs[].node_ranks": REQUIRED,
    "cluster.node_groups[].env_configs[].env_vars": NONE,
    "cluster.node_groups[].env_configs[].python_interpreter_path": "the Python of the command",
    "cluster.node_groups[].hardware": NONE,
    "cluster.node_groups[].hardware.type": REQUIRED,
    "cluster.node_groups[].hardware.configs": REQUIRED,
    "cluster.node_groups[].hardware.configs[].node_rank": REQUIRED,
    "cluster.node_groups[].hardware_type": "the accelerators of the nodes",
    "cluster.node_groups[].ignore_hardware": "`false`",
    "model_path": NONE,
    "tensor_parallel_size": REQUIRED,
    "pipeline_parallel_size": REQUIRED,
    "server_type": "`srt`",
    "group_name": "`SGLangServerGroup`",
    "launch_server": "`true`",
    "router_group_name": "`SGLangRouterGroup`",
    "router_type": "the router that is installed, `sglang-router` where both are",
    "launch_router": "`true`",
    "bind_host": "`all`",
    "advertise_host": "the node's address in Ray",
    "pools": "one pool without a name",
    "pools[].name": REQUIRED,
    "pools[].worker_type": "`regular`, or as `server.disaggregation_mode` says",
    "pools[].component": "the fleet's component",
    "pools[].engines": "as many as the ranks that are left have room for",
    "pools[].env_vars": NONE,
    "pools[].model_path": "the block's",
    "pools[].tensor_parallel_size": "the block's",
    "pools[].pipeline_parallel_size": "the block's",
    "pools[].server": NONE,
    "pools[].update_weights": "`true` for the block's own model, or the only one",
    "pools[].supervision": "the block's",
    "pools[].autoscaling": "the block's",
    "external_engines": NONE,
    "external_engines[].url": REQUIRED,
    "external_engines[].worker_type": "`regular`",
    "external_engines[].bootstrap_port": "none; required for `prefill`",
    "external_engines[].api_key": NONE,
    "external_engines[].model": "the fleet's only model",
    "external_engines[].weight_version": "the fleet's, where it serves their model",
    "placement_group.strategy": "`pack`",
    "placement_group.accelerator_ids": "`ray`",
    "placement_group.accelerator_share": "`1`",
    "placement_group.engine_resources": NONE,
    "placement_group.rest": NONE,
    "placement_group.name": "a group of the fleet's own",
    "placement_group.namespace": "the fleet's namespace",
    "placement_group.bundles": "the first that fit",
    "placement_group.wait_for_nodes_s": "`0`",
    "metrics.port": "`0`",
    "metrics.host": "`127.0.0.1`",
    "metrics.ready_share": "`1.0`",
    "metrics.interval_s": "`5.0`",
    "dashboard.port": "`0`",
    "dashboard.host": "`127.0.0.1`",
    "tracing.otlp_traces_endpoint": REQUIRED,
    "autoscaling.min_engines": "`1`",
    "autoscaling.max_engines": REQUIRED,
    "autoscaling.target_ongoing_requests": REQUIRED,
    "autoscaling.upscale_delay_s": "`30`",
    "autoscaling.downscale_delay_s": "`600`",
    "autoscaling.upscaling_factor": "`1.0`",
    "autoscaling.downscaling_factor": "`1.0`",
    "autoscaling.look_back_period_s": "`30`",
    "autoscaling.interval_s": "`5`",
    "autoscaling.drain_s": "`300`",
    "supervision.restart": "`always`",
    "supervision.max_restarts": "`5`",
    "supervision.restart_window_s": "`600`",
    "supervision.backoff_initial_s": "`1`",
    "supervision.backoff_max_s": "`60`",
    "supervision.probe": "`generate`",
    "supervision.probe_interval_s": "`15`",
    "supervision.probe_timeout_s": "`25`",
    "supervision.probe_failures": "`3`",
    "supervision.on_degraded": "`continue`",
    "supervision.on_node_loss": "`replan`",
    "supervision.node_loss_s": "`30`",
}
#: Where the schema's description, which an editor shows beside the key, is too short for a table.
MEANINGS = {
    "cluster.component_placement.NAME.placement": "Which hardware, as in `0-3`, `0-1:0-3,3-5` or `all`.",
    "cluster.component_placement.NAME.node_group": "The node group in which `placement` counts, or several.",
    "cluster.node_groups": "Named groups of nodes.",
    "cluster.node_groups[].label": "The group's name. `cluster` and `node` exist already.",
    "cluster.node_groups[].node_ranks": "Ranks such as `0-3,5` or `all`; or a map with `ray_resource` or `ray_labels`.",
    "cluster.node_groups[].env_configs": "Variables and Python for some of the group's nodes.",
    "cluster.node_groups[].env_configs[].python_interpreter_path": "The Python in which engines and router run there.",
    "cluster.node_groups[].hardware": "Robots, as in RLinf. They are counted, nothing is connected to.",
    "cluster.node_groups[].hardware_type": "Count this resource of Ray instead.",
    "cluster.node_groups[].ignore_hardware": "Count nodes instead of accelerators.",
    "model_path": "For `server.model_path: ${..model_path}` to refer to. The engine reads its own.",
    "server_type": "`embodied` starts SGLang's server for diffusion models.",
    "group_name": "The name of the engines' group, and of the fleet.",
    "router_group_name": "The name of the router's group.",
    "placement_group.strategy": "The strategy of the fleet's own placement group. Does not move anything.",
    "placement_group.accelerator_ids": "Whether Ray chooses the accelerators, or `placement` names them exactly.",
    "placement_group.accelerator_share": "How much of its accelerator an engine takes, above 0 and at most 1.",
    "placement_group.rest": "What each bundle holds besides, for a trainer.",
    "placement_group.name": "An existing placement group to use.",
    "placement_group.namespace": "The Ray namespace of that existing group.",
    "placement_group.bundles": "The bundle of that existing group for each engine, by rank.",
    "bind_host": "Listen on all addresses of the node, or only on the one by which Ray knows it.",
    "advertise_host": "The host in the engines' URLs, for engines of one node.",
    "placement_group.wait_for_nodes_s": "How long a growth waits for nodes that Ray's cluster autoscaler adds.",
    "pools[].supervision": "Over the block's, for the pool's engines.",
    "pools[].autoscaling": "Over the block's, for the pool's engines; `null` for none.",
    "supervision.restart": "Restart after every exit, after an exit code other than 0, or never.",
    "supervision.max_restarts": "So many restarts within the window; then the worker gives up.",
    "supervision.restart_window_s": "The window in which restarts are counted.",
    "supervision.backoff_initial_s": "The wait before a window's second restart, less the time served before it.",
    "supervision.backoff_max_s": "The longest wait. It doubles up to here.",
    "supervision.probe": "Ask for a generated token, for `/health`, or not at all.",
    "supervision.probe_interval_s": "From one answer to the next probe.",
    "supervision.probe_timeout_s": "How long an answer may take. SGLang itself gives up after 20 s.",
    "supervision.probe_failures": "So many failures in a row count as dead; 1 or more.",
    "supervision.on_degraded": "What `up` in the foreground does when an engine is given up.",
    "supervision.on_node_loss": "Start the engines of a lost node elsewhere, or wait for the node.",
    "supervision.node_loss_s": "How long a node must be gone before its engines move.",
}
#: Their own keys follow in the table, or belong to SGLang and to the router.
PARENTS = {"autoscaling", "dashboard", "metrics", "placement_group", "supervision", "router", "server", "tracing"}


def forms(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """What a value may be, without null and interpolations, which every key may be."""
    kinds = schema.get("anyOf", [schema])
    return [kind for kind in kinds if "$ref" not in kind and kind.get("type") != "null"]


def value(schema: dict[str, Any]) -> str:
    """The values in words."""
    words: list[str] = []
    for kind in forms(schema):
        if "anyOf" in kind:
            words.append(value(kind))
        elif "enum" in kind:
            names = [text for text in kind["enum"] if text not in ("true", "false", "True", "False")]
            names = [text for text in names if not (text.isupper() and text.lower() in names)]
            words += [f"`{text}`" for text in names]
        else:
            least = f" from {kind['minimum']}" if "minimum" in kind else ""
            words.append({"object": "map", "array": "list"}.get(kind["type"], kind["type"]) + least)
    return ", ".join(dict.fromkeys(words))


def rows(schema: dict[str, Any], path: str) -> Iterator[tuple[str, str, str]]:
    """Key, values and meaning of all that lies below."""
    for kind in forms(schema):
        if "anyOf" in kind:
            yield from rows(kind, path)
        for name, below in kind.get("properties", {}).items():
            key = f"{path}.{name}" if path else name
            if key not in PARENTS:
                yield key, value(below), below.get("description", "")
            if key not in ("router", "server", "pools[].supervision", "pools[].autoscaling"):
                yield from rows(below, key)
        if path == "cluster.component_placement" and isinstance(kind.get("additionalProperties"), dict):
            yield from rows(kind["additionalProperties"], path + ".NAME")
        if isinstance(kind.get("items"), dict):
            yield from rows(kind["items"], path + "[]")


def table() -> str:
    """The two tables, of the block ``cluster`` and of the launcher's block."""
    definitions = json.loads(SCHEMA.read_text(encoding="utf-8"))["definitions"]
    seen: set[str] = set()
    text = ""
    for title, name, path in (
        ("`cluster`", "cluster", "cluster"),
        ("The launcher's block, `router_server_args`", "launcher", ""),
    ):
        text += f"\n## {title}\n\n| key | values | when left out | meaning |\n| --- | --- | --- | --- |\n"
        for key, values, meaning in rows(definitions[name], path):
            seen.add(key)
            if key not in DEFAULTS:
                sys.exit(f"docs/tools/keys.py: say in DEFAULTS what {key} is when it is left out")
            shown = key.removeprefix("cluster.") if path else key
            text += f"| `{shown}` | {values} | {DEFAULTS[key]} | {MEANINGS.get(key, meaning)} |\n"
    if stale := sorted((set(DEFAULTS) | set(MEANINGS)) - seen):
        sys.exit(f"docs/tools/keys.py: the schema has no {', '.join(stale)}")
    return text + "\n"


def page() -> str:
    """The page as it should be."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
