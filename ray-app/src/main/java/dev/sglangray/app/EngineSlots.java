/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.placement.ray.FleetReservation;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;

/**
 * The berths of a fleet: those with an engine by rank, and those that are kept without. Ray gives a placement group back as a
 * whole only, so a berth of the launch's group stays when its engine goes; a further group goes with its last engine. Safe
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
        taken.forEach(berth -> this.taken.put(berth.engine().rank(), berth));
    }

    /** All places, for a successor. */
    synchronized List<FleetState.Seat> seats() {
        List<FleetState.Seat> seats = new ArrayList<>();
        taken.values().forEach(berth -> seats.add(berth.seat(true)));
        idle.forEach(berth -> seats.add(berth.seat(false)));
        return seats;
    }

    synchronized List<Integer> ranks() {
        return List.copyOf(taken.keySet());
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

    /** Those of these ranks that have no engine, or whose engine is on none of these nodes. */
    synchronized List<Integer> out(Collection<Integer> ranks, Set<String> livingNodeIps) {
        List<Integer> out = new ArrayList<>();
        for (int rank : ranks) {
            EngineSlot berth = taken.get(rank);
            if (berth == null || !livingNodeIps.contains(berth.nodeIp())) {
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

    /** The plans of all berths: what a further engine must stay clear of. */
    synchronized List<EnginePlan> all() {
        List<EnginePlan> all = new ArrayList<>(engines());
        idle.forEach(berth -> all.add(berth.engine()));
        return all;
    }

    /** Takes up to so many idle berths on these nodes; they are nobody's then. */
    synchronized List<EngineSlot> takeIdle(int most, Set<String> nodeIps) {
        List<EngineSlot> found = new ArrayList<>();
        Iterator<EngineSlot> each = idle.iterator();
        while (each.hasNext() && found.size() < most) {
            EngineSlot berth = each.next();
            if (nodeIps.contains(berth.nodeIp())) {
                found.add(berth);
                each.remove();
            }
        }
        return found;
    }

    /** Engines moved in. */
    synchronized void put(Collection<EngineSlot> berths) {
        berths.forEach(berth -> taken.put(berth.engine().rank(), berth));
    }

    /** Engines moved out. */
    synchronized void leave(Collection<Integer> ranks) {
        List<EngineSlot> left = new ArrayList<>();
        for (int rank : ranks) {
            EngineSlot berth = taken.remove(rank);
            if (berth != null) {
                left.add(berth);
            }
        }
        giveBack(left);
    }

    /** Keeps berths that nobody has, or gives them back to Ray with the others of their group. */
    synchronized void giveBack(Collection<EngineSlot> berths) {
        idle.addAll(berths);
        for (EngineSlot berth : berths) {
            FleetReservation reservation = berth.reservation();
            boolean used = reservation == launch
                    || taken.values().stream().anyMatch(other -> other.reservation() == reservation);
            if (!used) {
                idle.removeIf(other -> other.reservation() == reservation);
                reservation.close();
            }
        }
        // In somebody else's group a bundle without our engine is theirs.
        idle.removeIf(berth -> !berth.reservation().isOwn());
    }

    /** The reservations made since the launch. */
    synchronized List<FleetReservation> further() {
        List<FleetReservation> further = new ArrayList<>();
        for (EngineSlot berth : taken.values()) {
            if (berth.reservation() != launch && !further.contains(berth.reservation())) {
                further.add(berth.reservation());
            }
        }
        return further;
    }
}
