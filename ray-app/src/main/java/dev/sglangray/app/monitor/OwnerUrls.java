/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.monitor;

import org.jspecify.annotations.Nullable;

/**
 * Where a fleet's owner serves what it sees, without slashes at the ends. Travels as JSON. Immutable.
 *
 * @param metrics the metrics, health and service discovery, or null where they are not served
 * @param dashboard the page for people, or null where it is not served
 * @param node the address by which Ray knows the owner's node, or null where nothing is served
 */
public record OwnerUrls(
        @Nullable String metrics,
        @Nullable String dashboard,
        @Nullable String node) {
    /** Nothing is served, or that is not known. */
    public static final OwnerUrls NONE = new OwnerUrls(null, null, null);
}
