/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.strategy;

/** The advice for clusters whose nodes have no accelerators. */
public final class NoAccelerators {
    static final String ADVICE =
            "Declare the accelerators when a node joins Ray: ray start --num-gpus=N (or --resources='{\"NPU\": N}').";

    private NoAccelerators() {}

    /**
     * A refusal's message with another advice in place of this one, for a cluster whose nodes are not joined by hand; the same message
     * when it does not have this advice.
     */
    public static String advising(String message, String advice) {
        return message.replace(ADVICE, advice);
    }
}
