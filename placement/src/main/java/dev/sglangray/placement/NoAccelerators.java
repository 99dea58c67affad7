/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

/** The advice for clusters whose nodes have no accelerators. */
final class NoAccelerators {
    static final String ADVICE =
            "Declare the accelerators when a node joins Ray: ray start --num-gpus=N (or --resources='{\"NPU\": N}').";

    private NoAccelerators() {}
}
