# SPDX-License-Identifier: Apache-2.0
"""A Python driver that updates the weights of a fleet of pools, and makes one of them smaller and larger again.

Usage: pools.py ADDRESS CHECKPOINT
"""

import sys

import ray

import sglang_ray
from sglang_ray import errors


def main(address: str, checkpoint: str) -> None:
    """Says what became of it, a line each."""
    ray.init(address=address, namespace="somebody-else", log_to_driver=False)
    group = sglang_ray.attach("SGLangServerGroup")
    print(f"pools {[(one.pool, one.worker_type) for one in group.status().wait()]}")
    report = group.update_weights(checkpoint, "step-1").wait()[0]
    print(f"updated {report.engines}, versions {group.weight_version().wait()}")
    print(f"removed {list(group.scale(1, pool='decode').wait()[0].removed)}")
    report = group.scale(2, pool="decode").wait()[0]
    group.refresh()
    print(f"added {list(report.added)}, {report.after} of {group.engines}, versions {group.weight_version().wait()}")
    for wrong in ("", "encode"):
        try:
            group.scale(2, pool=wrong).wait()
        except errors.FleetRequestError as e:
            print(f"refused {str(e).splitlines()[0]}")


main(sys.argv[1], sys.argv[2])
