/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.ray;

import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.plan.ExistingGroup;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Finds placement groups that other programs made. */
public final class ExistingGroups {
    private static final String CREATED = "CREATED";

    private ExistingGroups() {}

    /**
     * The group of a name.
     *
     * @param namespace the Ray namespace that it was made in, or null for the driver's own
     * @param ownNamespace the driver's own
     * @throws PlacementException when there is none, or it is not ready
     */
    public static ExistingGroup require(
            String name, @Nullable String namespace, String ownNamespace, LedgerSnapshot ledger) {
        String wanted = namespace == null ? ownNamespace : namespace;
        LedgerSnapshot.Group group = ledger.groups().stream()
                .filter(candidate ->
                        candidate.name().equals(name) && candidate.namespace().equals(wanted))
                .findFirst()
                .orElseThrow(() -> PlacementException.builder(
                                "there is no placement group \"%s\" in Ray namespace \"%s\"".formatted(name, wanted))
                        .available("Placement groups", names(ledger))
                        .fix("Its maker must do so first; a name counts only in the namespace that it was made in.")
                        .build());
        boolean placed =
                group.bundles().stream().noneMatch(bundle -> bundle.nodeId().isEmpty());
        if (!group.state().equals(CREATED) || !placed) {
            throw PlacementException.of(
                    "placement group \"%s\" is not ready yet: Ray calls it %s".formatted(name, group.state()));
        }
        return new ExistingGroup(
                name,
                namespace,
                group.bundles().stream()
                        .map(bundle -> new ExistingGroup.Bundle(bundle.nodeId(), bundle.resources()))
                        .toList());
    }

    private static List<String> names(LedgerSnapshot ledger) {
        return ledger.groups().stream()
                .map(group ->
                        "\"%s\" in namespace \"%s\"  (%s)".formatted(group.name(), group.namespace(), group.state()))
                .sorted()
                .toList();
    }
}
