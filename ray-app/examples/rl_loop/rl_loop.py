# SPDX-License-Identifier: Apache-2.0
"""A whole reinforcement learning loop, small enough for a processor: roll out, train, save, push the weights, again.

The policy is a tiny Llama that is made on the spot. It is rewarded for tokens with the letter "e" in them, and learns
with REINFORCE. SGLang engines behind a router generate; a Ray actor with torch trains, in the same bundle and so on the
same device as engine 0; ``update_weights`` brings each step's checkpoint to the engines. The reward is measured through
the router, printed for each step and drawn into ``reward.png``.

Run it from a checkout with a Python that has ray, sglang, torch and transformers::

    python ray-app/examples/rl_loop/rl_loop.py --steps 8

It starts a Ray of its own unless ``--address`` names a cluster. Exit code 1: the reward did not rise, or the engines
answered with other weights than the last ones.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPOSITORY / "python-bridge" / "src" / "main" / "python"))

import ray  # noqa: E402
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy  # noqa: E402

import sglang_ray  # noqa: E402
from sglang_ray import tiny_model  # noqa: E402

LETTER = "e"
TOKENS = 16
PROMPTS = ["Ray places", "the router", "answers come", "small steps"]
#: How much of each engine's accelerator is the trainer's.
TRAINER_SHARE = 0.6


class Policy:
    """The trainer: the model in float32 and its optimizer."""

    def __init__(self, model: str, device: str, seed: int, learning_rate: float) -> None:
        import torch
        from transformers import AutoModelForCausalLM

        torch.manual_seed(seed)
        torch.set_num_threads(2)
        self._torch = torch
        self._model = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).to(device)
        with torch.no_grad():
            # Flatter than it is made, so that it tries things out.
            self._model.lm_head.weight.mul_(0.2)
        self._optimizer = torch.optim.Adam(self._model.parameters(), lr=learning_rate)
        self._device = device

    def train(self, prompts: list[list[int]], answers: list[list[int]], good: list[int]) -> float:
        """One step: tokens that earned more than the average become likelier. Returns the loss."""
        torch = self._torch
        width = max(len(prompt) for prompt in prompts)
        # On the left, so that all answers stand in the same columns.
        rows = [[2] * (width - len(prompt)) + prompt + answer for prompt, answer in zip(prompts, answers)]
        masks = [[0] * (width - len(prompt)) + [1] * (len(prompt) + TOKENS) for prompt in prompts]
        tokens = torch.tensor(rows, device=self._device)
        logits = self._model(tokens, attention_mask=torch.tensor(masks, device=self._device)).logits
        said = tokens[:, width:]
        chances = torch.log_softmax(logits[:, width - 1 : -1].float(), dim=-1)
        chosen = chances.gather(2, said.unsqueeze(2)).squeeze(2)
        rewards = torch.isin(said, torch.tensor(good, device=self._device)).float()
        loss = -((rewards - rewards.mean()) * chosen).mean()
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        return float(loss.item())

    def save(self, like: str, folder: str) -> None:
        """A checkpoint as SGLang loads it: the weights in bfloat16, all else as in the first model's folder."""
        import shutil

        from safetensors.torch import save_file

        shutil.copytree(like, folder, ignore=shutil.ignore_patterns("*.safetensors"), dirs_exist_ok=True)
        weights = {
            name: value.detach().to(self._torch.bfloat16).cpu().contiguous()
            for name, value in self._model.state_dict().items()
        }
        save_file(weights, f"{folder}/model.safetensors", metadata={"format": "pt"})


def configuration(model: Path, engines: int, device: str) -> dict[str, Any]:
    """The launcher's configuration: engines of one accelerator each, which leave the rest of it to the trainer."""
    server = {"model_path": str(model), "max_running_requests": 64, "random_seed": 1, "log_level": "warning"}
    if device == "cpu":
        server["device"] = "cpu"
    else:
        server.update({"enable_memory_saver": True, "mem_fraction_static": 0.3})
    return {
        "cluster": {"num_nodes": 1, "component_placement": {"rollout": f"0-{engines - 1}" if engines > 1 else "0"}},
        "router_server_args": {
            "model_path": str(model),
            "tensor_parallel_size": 1,
            "pipeline_parallel_size": 1,
            "server": server,
            "router": {"policy": "round_robin", "log_level": "warn"},
            "placement_group": {
                "accelerator_share": round(1 - TRAINER_SHARE, 2),
                "rest": {"GPU": TRAINER_SHARE, "CPU": 1},
            },
        },
    }


def generate(url: str, prompts: list[list[int]], temperature: float) -> list[dict[str, Any]]:
    """What SGLang's ``/generate`` answers for each prompt."""
    sampling = {"temperature": temperature, "max_new_tokens": TOKENS, "ignore_eos": True}
    body = json.dumps({"input_ids": prompts, "sampling_params": sampling}).encode()
    request = urllib.request.Request(url + "/generate", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        answers: list[dict[str, Any]] = json.load(answer)
    return answers


def roll_out(url: str, prompts: list[list[int]]) -> list[list[int]]:
    """The tokens that the engines answer with, sampled, several requests at a time."""
    parts = [prompts[i : i + 16] for i in range(0, len(prompts), 16)]
    with ThreadPoolExecutor(8) as pool:
        answers = [one for part in pool.map(lambda part: generate(url, part, 1.0), parts) for one in part]
    return [answer["output_ids"] for answer in answers]


def plot(rewards: list[float], file: Path) -> None:
    """Draws the reward of each step."""
    from PIL import Image, ImageDraw

    width, height, edge = 640, 400, 50
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    for tenth in range(0, 11, 2):
        y = height - edge - tenth * (height - 2 * edge) / 10
        draw.line((edge, y, width - edge, y), fill="#dddddd")
        draw.text((edge - 28, y - 6), f"{tenth / 10:.1f}", fill="black")
    across = (width - 2 * edge) / max(1, len(rewards) - 1)
    points = [(edge + i * across, height - edge - r * (height - 2 * edge)) for i, r in enumerate(rewards)]
    draw.line(points, fill="#1f77b4", width=3)
    for step, (x, y) in enumerate(points):
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill="#1f77b4")
        draw.text((x - 3, height - edge + 8), str(step), fill="black")
    draw.text(
        (edge, 18), f"share of tokens with the letter {LETTER!r}, measured through the router, by step", fill="black"
    )
    image.save(file)


class Clock:
    """Seconds since the last look."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    def lap(self) -> float:
        """How long since the last lap."""
        since, self._since = self._since, time.monotonic()
        return self._since - since


def loop(group: sglang_ray.FleetGroup, trainer: Any, model: Path, arguments: argparse.Namespace) -> list[float]:
    """All steps; returns the reward of each, the first before any training."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    good = sorted(number for token, number in tokenizer.get_vocab().items() if LETTER in token and "<|" not in token)
    prompts = [tokenizer.encode(text).ids for text in PROMPTS] * (arguments.samples // len(PROMPTS))
    url = group.get_router_url().wait()[0]
    rewards: list[float] = []
    lent = arguments.device != "cpu"
    columns = ("rollout", "train", "save", "push", "quiet", "load", "return", "ours")
    print("step  reward " + " ".join(f"{name:>8}" for name in columns) + "   (seconds)")
    for step in range(arguments.steps + 1):
        clock = Clock()
        answers = roll_out(url, prompts)
        reward = sum(token in set(good) for answer in answers for token in answer) / (len(answers) * TOKENS)
        rewards.append(reward)
        rolled = clock.lap()
        if step == arguments.steps:
            print(f"{step:>4} {reward:>7.3f} {rolled:>8.2f}", flush=True)
            break
        if lent:
            group.release_memory(["kv_cache"]).wait()
        lending = clock.lap()
        ray.get(trainer.train.remote(prompts, answers, good))
        trained = clock.lap()
        folder = arguments.out / f"step-{step + 1}"
        ray.get(trainer.save.remote(str(model), str(folder)))
        saved = clock.lap()
        # Before the cache's memory comes back, so that the router takes the engines in once and not twice.
        report = push(group, folder, str(step + 1))
        if lent:
            group.resume_memory().wait()
        pushed = clock.lap() + lending
        update = (report.seconds_to_quiet, report.seconds_to_load, report.seconds_to_return)
        seconds = (rolled, trained, saved, pushed, *update, pushed - report.seconds_to_load)
        print(f"{step:>4} {reward:>7.3f} " + " ".join(f"{one:>8.2f}" for one in seconds), flush=True)
    return rewards


def push(group: sglang_ray.FleetGroup, folder: Path, version: str) -> Any:
    """Brings a checkpoint to all engines."""
    return group.update_weights(folder, version).wait()[0]


def start_trainer(group: sglang_ray.FleetGroup, model: Path, arguments: argparse.Namespace) -> Any:
    """The trainer's actor, where engine 0 is."""
    engine = group.bundles()[0]
    strategy = PlacementGroupSchedulingStrategy(
        placement_group=group.placement_group(), placement_group_bundle_index=engine.bundle_index
    )
    trainer = ray.remote(Policy).options(num_gpus=TRAINER_SHARE, num_cpus=1, scheduling_strategy=strategy)
    print(f"the trainer joins engine 0 on {engine.node_ip}, device {','.join(engine.devices)}", flush=True)
    return trainer.remote(str(model), arguments.device, arguments.seed, arguments.learning_rate)


def verdict(rewards: list[float], before: dict[str, Any], after: dict[str, Any], steps: int) -> list[str]:
    """What went wrong; nothing when it learnt."""
    wrong = []
    if rewards[-1] < rewards[0] + 0.2:
        wrong.append(f"the reward did not rise: {rewards[0]:.3f} at first, {rewards[-1]:.3f} at last")
    if any(later < earlier - 0.05 for earlier, later in zip(rewards, rewards[1:])):
        wrong.append(f"the reward fell on the way: {', '.join(f'{reward:.3f}' for reward in rewards)}")
    if before["output_ids"] == after["output_ids"]:
        wrong.append("the engines' answer is what it was before the first update")
    version = after["meta_info"].get("weight_version")
    if version != str(steps):
        wrong.append(f"the engines answered with weights of version {version}, not {steps}")
    return wrong


def main() -> int:
    """Runs it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=8, help="training steps (default 8)")
    parser.add_argument("--samples", type=int, default=64, help="answers for each step (default 64)")
    parser.add_argument("--engines", type=int, default=1, help="engines, of one accelerator each (default 1)")
    parser.add_argument("--device", default="cpu", help="of trainer and engines: cpu or cuda (default cpu)")
    parser.add_argument("--address", help="a Ray cluster, HOST:PORT; unset: one of its own")
    parser.add_argument("--out", type=Path, help="folder for checkpoints and reward.png (default: a new one)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--learning-rate", type=float, default=0.003)
    parser.add_argument(
        "overrides", nargs="*", help="of the configuration, such as +router_server_args.server.attention_backend=triton"
    )
    arguments = parser.parse_args()
    arguments.out = (arguments.out or Path(tempfile.mkdtemp(prefix="rl-loop-"))).resolve()

    if arguments.address:
        ray.init(address=arguments.address, namespace="rl_loop", log_to_driver=False)
    else:
        # On a machine without accelerators, ones that only Ray believes in.
        declared = arguments.engines if arguments.device == "cpu" else None
        ray.init(num_gpus=declared, namespace="rl_loop", include_dashboard=False, log_to_driver=False)
    model = arguments.out / "step-0"
    tiny_model.make(model)
    clock = Clock()
    fleet = sglang_ray.launch(configuration(model, arguments.engines, arguments.device), arguments.overrides)
    try:
        print(f"launched {fleet.engines} engine(s) and a router in {clock.lap():.1f} s", flush=True)
        trainer = start_trainer(fleet, model, arguments)
        url = fleet.get_router_url().wait()[0]
        # As made, the model says one text only; the trainer's own beginning tries things out.
        ray.get(trainer.save.remote(str(model), str(arguments.out / "beginning")))
        push(fleet, arguments.out / "beginning", "0")
        probe = [[7, 8, 9]]
        before = generate(url, probe, 0.0)[0]
        rewards = loop(fleet, trainer, model, arguments)
        after = generate(url, probe, 0.0)[0]
        ray.kill(trainer)
    finally:
        fleet.down()
    plot(rewards, arguments.out / "reward.png")
    print(f"drawn into {arguments.out / 'reward.png'}")
    wrong = verdict(rewards, before, after, arguments.steps)
    for problem in wrong:
        print(f"rl_loop: {problem}", file=sys.stderr)
    if not wrong:
        print(f"learnt: the reward rose from {rewards[0]:.3f} to {rewards[-1]:.3f}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
