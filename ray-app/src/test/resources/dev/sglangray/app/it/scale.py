# SPDX-License-Identifier: Apache-2.0
"""A Python driver that gives a fleet other weights, then more engines, and then other weights again.

Usage: scale.py ADDRESS CHECKPOINT ENGINES
"""

import sys

import ray

import sglang_ray
from sglang_ray import errors


def main(address: str, checkpoint: str, engines: int) -> None:
    """Says what became of it, a line each."""
    ray.init(address=address, namespace="somebody-else", log_to_driver=False)
    group = sglang_ray.attach("SGLangServerGroup")
    other = sglang_ray.attach("SGLangServerGroup")
    group.update_weights(checkpoint, "step-1").wait()
    report = group.scale(engines).wait()[0]
    print(f"added {list(report.added)}, {report.after} engines, known {group.engines}")
    print(f"versions {sglang_ray.attach('SGLangServerGroup').weight_version().wait()}")
    missing = other.update_weights(checkpoint, "step-2").wait()[0].missing
    print(f"known {other.engines}, without the next weights {missing}")
    other.refresh()
    print(f"known after refresh {other.engines}, versions {other.weight_version().wait()}")
    print(f"bundles {[(one.bundle_index, one.node_ip) for one in other.bundles()]}")
    print(f"groups {len({one.placement_group_id for one in other.bundles()})}, last {len(other.on(engines - 1).status().wait())}")
    try:
        group.scale(99).wait()
    except errors.FleetRequestError as e:
        print(f"refused {str(e).splitlines()[0]}")


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
