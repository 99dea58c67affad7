/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.call;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Keeps retries from multiplying a server's load when most calls fail: a retry takes one from the budget, and ten successes put one
 * back.
 */
public final class RetryBudget {
    private static final int COST = 10;

    private final int full;
    private final AtomicInteger left;

    /**
     * Allows so many retries.
     *
     * @param retries how many there may be without a success in between; at least 0
     */
    RetryBudget(int retries) {
        this.full = Math.multiplyExact(retries, COST);
        this.left = new AtomicInteger(full);
    }

    public boolean take() {
        return left.getAndUpdate(now -> now >= COST ? now - COST : now) >= COST;
    }

    public void succeeded() {
        if (left.get() < full) {
            left.updateAndGet(now -> Math.min(full, now + 1));
        }
    }
}
