/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import java.util.List;

/**
 * What came of a change of a fleet's size.
 *
 * @param before how many engines the fleet had
 * @param after how many it has now
 * @param added the ranks that came, ascending
 * @param removed the ranks that went, ascending
 * @param requestsEnded how many requests had not ended in time and went with their engines; those of engines that could not
 *     tell are not counted
 */
public record ScaleReport(int before, int after, List<Integer> added, List<Integer> removed, int requestsEnded) {
    /** Copies the lists. */
    public ScaleReport {
        added = List.copyOf(added);
        removed = List.copyOf(removed);
    }
}
