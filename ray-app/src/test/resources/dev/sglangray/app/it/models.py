# SPDX-License-Identifier: Apache-2.0
"""A Python driver that updates the weights of a fleet of several models.

Usage: models.py ADDRESS CHECKPOINT
"""

import sys

import ray

import sglang_ray


def main(address: str, checkpoint: str) -> None:
    """Says what became of it, a line each."""
    ray.init(address=address, namespace="somebody-else", log_to_driver=False)
    group = sglang_ray.attach("SGLangServerGroup")
    print(f"models {[(one.model, one.update_weights) for one in group.status().wait()]}")
    report = group.update_weights(checkpoint, "step-1").wait()[0]
    print(f"updated {report.engines}, versions {group.weight_version().wait()}")
    print(f"servers {sorted(one.model_id or '' for one in group.servers().wait())}")


main(sys.argv[1], sys.argv[2])
