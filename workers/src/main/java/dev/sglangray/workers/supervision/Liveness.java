/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

import java.time.Instant;
import java.util.Optional;

/** When to probe, and when failures in a row are enough. Not thread-safe. */
final class Liveness {
    private final SupervisionPolicy policy;
    private Instant next = Instant.MAX;
    private boolean underWay;
    private boolean paused;
    private int failures;

    Liveness(SupervisionPolicy policy) {
        this.policy = policy;
    }

    /** A new incarnation serves. */
    void begin(Instant now) {
        underWay = false;
        failures = 0;
        next = probes() ? now.plus(policy.probeInterval()) : Instant.MAX;
    }

    private boolean probes() {
        return policy.heals() && policy.probe() != ProbeKind.NONE;
    }

    /** Rests, or goes on with a count of its own; nothing when it does so already. */
    void rest(boolean wanted, Instant now) {
        boolean goesOn = paused && !wanted;
        paused = wanted;
        if (goesOn && next.isBefore(Instant.MAX)) {
            begin(now);
        }
    }

    /** Whether a probe is due, which then counts as under way. */
    boolean take(Instant now) {
        if (paused || underWay || now.isBefore(next)) {
            return false;
        }
        underWay = true;
        return true;
    }

    /** How often it failed in a row by now; empty when this answer does not count. */
    Optional<Integer> answered(boolean alive, Instant now) {
        underWay = false;
        next = now.plus(policy.probeInterval());
        if (paused) {
            return Optional.empty();
        }
        failures = alive ? 0 : failures + 1;
        return Optional.of(failures);
    }

    boolean isDead() {
        return failures >= policy.probeFailures();
    }

    Instant due() {
        return paused || underWay ? Instant.MAX : next;
    }
}
