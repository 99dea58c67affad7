/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import java.time.Duration;
import java.util.function.Consumer;

/**
 * One cell of the fault matrix: what is done to which part of a fleet that serves, and what is to be seen then.
 *
 * @param target the part
 * @param fault what happens to it
 * @param seen how it shows in the fleet's service
 * @param first what is done before; no time of it counts
 * @param inflict does it
 * @param relief what is done when it has been seen, such as to let a stopped process go on
 * @param losses how many requests may fail; where the router has another engine to try, none
 * @param within when it must serve again at the latest; generous, as no timing is tested here
 */
record FaultCell(
        String target,
        String fault,
        Seen seen,
        Consumer<FaultScene> first,
        Consumer<FaultScene> inflict,
        Consumer<FaultScene> relief,
        int losses,
        Duration within) {

    /** How a fault shows. */
    enum Seen {
        /** The router takes the second engine off its list, and on again. */
        ENGINE_LEAVES,
        /** Requests fail for a while. */
        ROUTER_FAILS,
        /** No program that sends requests sees anything, for some seconds at least. */
        NOTHING
    }

    private static final Duration GENEROUS = Duration.ofMinutes(2);

    /** A fault of the second engine or of what it needs. */
    static FaultCell engine(String target, String fault, Consumer<FaultScene> inflict) {
        return new FaultCell(target, fault, Seen.ENGINE_LEAVES, scene -> {}, inflict, scene -> {}, 0, GENEROUS);
    }

    /** A fault of the router or of what it needs. */
    static FaultCell router(String target, String fault, Consumer<FaultScene> inflict) {
        return new FaultCell(
                target, fault, Seen.ROUTER_FAILS, scene -> {}, inflict, scene -> {}, Integer.MAX_VALUE, GENEROUS);
    }

    /** A fault that the service outlasts. */
    static FaultCell unseen(String target, String fault, Consumer<FaultScene> inflict) {
        return new FaultCell(target, fault, Seen.NOTHING, scene -> {}, inflict, scene -> {}, 0, GENEROUS);
    }

    FaultCell first(Consumer<FaultScene> earlier) {
        return new FaultCell(target, fault, seen, earlier.andThen(first), inflict, relief, losses, within);
    }

    FaultCell thenRelief(Consumer<FaultScene> later) {
        return new FaultCell(target, fault, seen, first, inflict, later, losses, within);
    }

    FaultCell mayLose(int requests) {
        return new FaultCell(target, fault, seen, first, inflict, relief, requests, within);
    }

    FaultCell within(Duration longest) {
        return new FaultCell(target, fault, seen, first, inflict, relief, losses, longest);
    }

    String name() {
        return target + ", " + fault;
    }
}
