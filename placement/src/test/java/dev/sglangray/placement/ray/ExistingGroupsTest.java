/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.ray;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.plan.ExistingGroup;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ExistingGroupsTest {
    private static LedgerSnapshot.Group group(String name, String namespace, String state, String nodeId) {
        return new LedgerSnapshot.Group(
                name + "-id",
                name,
                namespace,
                state,
                "",
                List.of(new LedgerSnapshot.Bundle(nodeId, Map.of("GPU", 1.0))));
    }

    private static final LedgerSnapshot LEDGER = new LedgerSnapshot(
            List.of(
                    group("training", "a", "CREATED", "n1"),
                    group("training", "b", "CREATED", "n2"),
                    group("late", "a", "PENDING", "")),
            List.of());

    @Test
    void findsByNameAndNamespace() {
        assertThat(ExistingGroups.require("training", null, "b", LEDGER))
                .isEqualTo(new ExistingGroup(
                        "training", null, List.of(new ExistingGroup.Bundle("n2", Map.of("GPU", 1.0)))));
        assertThat(ExistingGroups.require("training", "a", "b", LEDGER)
                        .bundles()
                        .get(0)
                        .nodeId())
                .isEqualTo("n1");
    }

    @Test
    void namesWhatThereIs() {
        assertThatThrownBy(() -> ExistingGroups.require("training", "c", "a", LEDGER))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining("no placement group \"training\" in Ray namespace \"c\"")
                .hasMessageContaining("\"late\" in namespace \"a\"  (PENDING)");
        assertThatThrownBy(() -> ExistingGroups.require("late", "a", "a", LEDGER))
                .hasMessageContaining("not ready yet: Ray calls it PENDING");
    }
}
