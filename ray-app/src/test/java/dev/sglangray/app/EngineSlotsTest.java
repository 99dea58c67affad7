/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.placement.ray.FleetReservation;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Without Ray, so that every reservation counts as somebody else's: their bundles are not kept. */
class EngineSlotsTest {
    private final FleetReservation launch = FleetPlans.reservation();
    private final List<EnginePlan> four = FleetPlans.engines(4);
    private final EngineSlots berths = new EngineSlots(four.subList(0, 2), launch);

    @Test
    void numbersFurtherEnginesFromTheLowestFreeRank() {
        assertThat(berths.freeRanks(2)).containsExactly(2, 3);
        berths.leave(List.of(0));
        assertThat(berths.ranks()).containsExactly(1);
        assertThat(berths.freeRanks(2)).containsExactly(0, 2);
    }

    @Test
    void aFurtherReservationLastsAsLongAsItsLastEngine() {
        FleetReservation further = FleetPlans.reservation();
        berths.put(List.of(new EngineSlot(four.get(2), further), new EngineSlot(four.get(3), further)));
        assertThat(berths.further()).containsExactly(further);
        berths.leave(List.of(3));
        assertThat(berths.further()).containsExactly(further);
        berths.leave(List.of(2));
        assertThat(berths.further()).isEmpty();
        assertThat(berths.ranks()).containsExactly(0, 1);
        assertThat(berths.all()).hasSize(2);
    }

    @Test
    void anEngineIsOutWhenItsNodeIsGoneOrItHasNone() {
        assertThat(berths.out(List.of(0, 1, 2), Set.of("10.0.0.1"))).containsExactly(1, 2);
        assertThat(berths.out(List.of(0, 1), Set.of("10.0.0.1", "10.0.0.2")))
                .as("a node that returned keeps its engines")
                .isEmpty();
    }
}
