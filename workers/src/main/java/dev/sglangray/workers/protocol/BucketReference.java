/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.protocol;

import java.util.List;
import java.util.Objects;

/**
 * Where the buckets of an update lie when they are not in the update itself: a Python actor of the trainer's, from which each
 * engine's worker reads them just before its engine gets them. Travels as JSON.
 *
 * @param actor the actor's name
 * @param namespace its Ray namespace
 * @param update which update's buckets
 * @param sizes the length of each, in bytes
 */
public record BucketReference(String actor, String namespace, String update, List<Long> sizes) {
    /** Checks that there are buckets. */
    public BucketReference {
        Objects.requireNonNull(actor, "actor");
        Objects.requireNonNull(namespace, "namespace");
        Objects.requireNonNull(update, "update");
        sizes = List.copyOf(sizes);
        if (sizes.isEmpty() || sizes.stream().anyMatch(size -> size < 2)) {
            throw new IllegalArgumentException("buckets are JSON objects, one or more, not of sizes " + sizes);
        }
    }
}
