/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.call;

import java.util.concurrent.ThreadLocalRandom;

/** Makes the ids of requests: 32 hexadecimal digits, unique for all practical purposes, no secret. */
final class RequestIds {
    private RequestIds() {}

    public static String next() {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        String digits = Long.toHexString(random.nextLong() | Long.MIN_VALUE);
        return digits + Long.toHexString(random.nextLong() | Long.MIN_VALUE);
    }
}
