/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import java.util.List;

/**
 * What the successor of a worker's process must know. Kept as JSON.
 *
 * @param url where it serves
 * @param restarts how often it came back
 * @param spentMillis when restarts were spent of the current budget, in milliseconds since 1970
 */
record Memory(String url, int restarts, List<Long> spentMillis) {
    Memory {
        spentMillis = List.copyOf(spentMillis);
    }
}
