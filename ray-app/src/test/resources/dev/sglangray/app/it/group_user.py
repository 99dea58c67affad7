# SPDX-License-Identifier: Apache-2.0
"""A trainer's side of sharing accelerators, as a Python program of a user.

Usage: group_user.py ADDRESS join GROUP BUNDLE GPUS   an actor in a bundle of a group that is found by name
       group_user.py ADDRESS stay GROUP BUNDLE GPUS   the same, until killed
       group_user.py ADDRESS make GROUP NODE_IP COUNT a group of so many one-GPU bundles on a node, until killed
       group_user.py ADDRESS hold NAME NODE_IP GPUS   an actor with GPUs on a node, until killed
"""

import os
import signal
import sys

import ray
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

NAMESPACE = "sglang-ray"


@ray.remote
class Trainer:
    """Tells what it sees."""

    def devices(self) -> str:
        """The devices that Ray shows this process."""
        return os.environ.get("CUDA_VISIBLE_DEVICES", "none")


def join(group: str, bundle: str, gpus: str) -> Trainer:
    """Take what is left of a bundle."""
    found = ray.util.get_placement_group(group)
    strategy = PlacementGroupSchedulingStrategy(
        placement_group=found, placement_group_bundle_index=int(bundle)
    )
    trainer = Trainer.options(num_gpus=float(gpus), num_cpus=1, scheduling_strategy=strategy).remote()
    print("trainer sees " + ray.get(trainer.devices.remote(), timeout=120), flush=True)
    return trainer


def stay(group: str, bundle: str, gpus: str) -> None:
    """Take what is left of a bundle, and keep it."""
    trainer = join(group, bundle, gpus)
    signal.pause()
    del trainer


def make(group: str, node_ip: str, count: str) -> None:
    """Reserve bundles and keep them."""
    bundles = [{"GPU": 1, "CPU": 1, f"node:{node_ip}": 0.001} for _ in range(int(count))]
    made = ray.util.placement_group(bundles, name=group)
    ray.get(made.ready(), timeout=120)
    print("made", flush=True)
    signal.pause()


def hold(name: str, node_ip: str, gpus: str) -> None:
    """Hold GPUs outside of any group."""
    holder = Trainer.options(name=name, num_gpus=int(gpus), resources={f"node:{node_ip}": 0.001}).remote()
    ray.get(holder.devices.remote(), timeout=120)
    print("holding", flush=True)
    signal.pause()


def main() -> None:
    """Connect and do one of them."""
    address, command, *rest = sys.argv[1:]
    ray.init(address=address, namespace=NAMESPACE, log_to_driver=False)
    {"join": join, "stay": stay, "make": make, "hold": hold}[command](*rest)


if __name__ == "__main__":
    main()
