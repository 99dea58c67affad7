/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.placement.ray.FleetReservation;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Without Ray, so that every reservation counts as another program's: its bundles are not kept. */
class EngineSlotsTest {
    private final FleetReservation launch = FleetPlans.reservation();
    private final List<EnginePlan> four = FleetPlans.engines(4);
    private final EngineSlots slots = new EngineSlots(four.subList(0, 2), launch);

    @Test
    void numbersFurtherEnginesFromTheLowestFreeRank() {
        assertThat(slots.freeRanks(2)).containsExactly(2, 3);
        slots.leave(List.of(0));
        assertThat(slots.ranks()).containsExactly(1);
        assertThat(slots.freeRanks(2)).containsExactly(0, 2);
    }

    @Test
    void aFurtherReservationLastsAsLongAsItsLastEngine() {
        FleetReservation further = FleetPlans.reservation();
        slots.put(List.of(new EngineSlot(four.get(2), further), new EngineSlot(four.get(3), further)));
        assertThat(slots.further()).containsExactly(further);
        slots.leave(List.of(3));
        assertThat(slots.further()).containsExactly(further);
        slots.leave(List.of(2));
        assertThat(slots.further()).isEmpty();
        assertThat(slots.ranks()).containsExactly(0, 1);
        assertThat(slots.all()).hasSize(2);
    }

    @Test
    void anEngineIsOutWhenItsNodeIsGoneOrItHasNone() {
        assertThat(slots.out(List.of(0, 1, 2), Set.of("10.0.0.1"))).containsExactly(1, 2);
        assertThat(slots.out(List.of(0, 1), Set.of("10.0.0.1", "10.0.0.2")))
                .as("a node that returned keeps its engines")
                .isEmpty();
    }
}
