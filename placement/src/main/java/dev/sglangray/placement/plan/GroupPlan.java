/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The Ray placement group that a fleet's actors live in. */
public sealed interface GroupPlan {
    /** The group's name. */
    String name();

    /**
     * A group of the fleet's own, made and removed with it.
     *
     * @param strategy how its bundles lie
     */
    record Own(String name, GroupStrategy strategy) implements GroupPlan {}

    /**
     * A group that another program made, and keeps.
     *
     * @param namespaceName the Ray namespace that it was made in, or null for the driver's own
     */
    record Existing(String name, @Nullable String namespaceName) implements GroupPlan {
        /** The Ray namespace that it was made in; empty for the driver's own. */
        public Optional<String> namespace() {
            return Optional.ofNullable(namespaceName);
        }
    }
}
