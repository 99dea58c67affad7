/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.placement.ray.FleetReservation;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The slots of a fleet: those with an engine by rank, and those that are kept without. Ray gives a placement group back as a
 * whole only, so a slot of the launch's group stays when its engine goes; a further group goes with its last engine. Safe
 * for use by several threads.
 */
final class EngineSlots {
    private final FleetReservation launch;
    private final TreeMap<Integer, EngineSlot> taken = new TreeMap<>();
    private final List<EngineSlot> idle = new ArrayList<>();

    /** Those of a launch. */
    EngineSlots(List<EnginePlan> engines, FleetReservation launch) {
        this.launch = launch;
        engines.forEach(engine -> taken.put(engine.rank(), new EngineSlot(engine, launch)));
    }

    /** Those of a fleet that is taken over. */
    EngineSlots(FleetReservation launch, Collection<EngineSlot> taken, Collection<EngineSlot> idle) {
        this.launch = launch;
        this.idle.addAll(idle);
        taken.forEach(slot -> this.taken.put(slot.engine().rank(), slot));
    }

    /** All places, for a successor. */
    synchronized List<FleetState.Seat> seats() {
        List<FleetState.Seat> seats = new ArrayList<>();
        taken.values().forEach(slot -> seats.add(slot.seat(true)));
        idle.forEach(slot -> seats.add(slot.seat(false)));
        return seats;
    }

    synchronized List<Integer> ranks() {
        return List.copyOf(taken.keySet());
    }

    /** The ranks of a pool's engines, ascending. */
    synchronized List<Integer> ranks(String pool) {
        return taken.entrySet().stream()
                .filter(entry -> entry.getValue().engine().pool().equals(pool))
                .map(Map.Entry::getKey)
                .toList();
    }

    /** The lowest ranks that no engine has. */
    synchronized List<Integer> freeRanks(int count) {
        List<Integer> ranks = new ArrayList<>();
        for (int rank = 0; ranks.size() < count; rank++) {
            if (!taken.containsKey(rank)) {
                ranks.add(rank);
            }
        }
        return ranks;
    }

    /** Those of these ranks that have no engine, or whose engine has a part on none of these nodes. */
    synchronized List<Integer> out(Collection<Integer> ranks, Set<String> livingNodeIps) {
        List<Integer> out = new ArrayList<>();
        for (int rank : ranks) {
            EngineSlot slot = taken.get(rank);
            if (slot == null || !slot.isOn(livingNodeIps)) {
                out.add(rank);
            }
        }
        return out;
    }

    /** Those with an engine, by rank. */
    synchronized List<EngineSlot> taken() {
        return List.copyOf(taken.values());
    }

    /** The engines' plans by rank. */
    synchronized List<EnginePlan> engines() {
        return taken.values().stream().map(EngineSlot::engine).toList();
    }

    /** The plans of all slots: what a further engine must stay clear of. */
    synchronized List<EnginePlan> all() {
        List<EnginePlan> all = new ArrayList<>(engines());
        idle.forEach(slot -> all.add(slot.engine()));
        return all;
    }

    /** Takes up to so many idle slots of a pool on these nodes; they belong to no engine then. */
    synchronized List<EngineSlot> takeIdle(String pool, int most, Set<String> nodeIps) {
        List<EngineSlot> found = new ArrayList<>();
        Iterator<EngineSlot> each = idle.iterator();
        while (each.hasNext() && found.size() < most) {
            EngineSlot slot = each.next();
            if (slot.engine().pool().equals(pool) && slot.isOn(nodeIps)) {
                found.add(slot);
                each.remove();
            }
        }
        return found;
    }

    /** Engines moved in. */
    synchronized void put(Collection<EngineSlot> slots) {
        slots.forEach(slot -> taken.put(slot.engine().rank(), slot));
    }

    /** Engines moved out. */
    synchronized void leave(Collection<Integer> ranks) {
        List<EngineSlot> left = new ArrayList<>();
        for (int rank : ranks) {
            EngineSlot slot = taken.remove(rank);
            if (slot != null) {
                left.add(slot);
            }
        }
        giveBack(left);
    }

    /** Keeps slots without an engine, or gives them back to Ray with the others of their group. */
    synchronized void giveBack(Collection<EngineSlot> slots) {
        idle.addAll(slots);
        for (EngineSlot slot : slots) {
            FleetReservation reservation = slot.reservation();
            boolean used = reservation == launch
                    || taken.values().stream().anyMatch(other -> other.reservation() == reservation);
            if (!used) {
                idle.removeIf(other -> other.reservation() == reservation);
                reservation.close();
            }
        }
        // In an existing group a bundle without our engine is theirs.
        idle.removeIf(slot -> !slot.reservation().isOwn());
    }

    /** The reservations made since the launch. */
    synchronized List<FleetReservation> further() {
        List<FleetReservation> further = new ArrayList<>();
        for (EngineSlot slot : taken.values()) {
            if (slot.reservation() != launch && !further.contains(slot.reservation())) {
                further.add(slot.reservation());
            }
        }
        return further;
    }
}
