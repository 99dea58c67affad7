/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.autoscaling;

import java.time.Duration;

/**
 * How the engines of a pool follow its load; Ray Serve's words. Immutable. {@link AutoscalingReader} checks the values.
 *
 * @param minEngines the fewest engines, 1 or more
 * @param maxEngines the most, not below {@code minEngines}
 * @param target how many ongoing requests an engine is to have, running and queued, above 0
 * @param upscaleDelay for how long more engines must be wanted before there are more
 * @param downscaleDelay for how long fewer must be wanted before there are fewer
 * @param upscalingFactor what the distance to the target is multiplied by where more are wanted, above 0
 * @param downscalingFactor the same where fewer are wanted
 * @param lookBack over which time the load is averaged, above 0
 * @param interval from one look at the fleet to the next, above 0
 * @param drain how long the requests of engines that go may take to end
 */
public record AutoscalingSettings(
        int minEngines,
        int maxEngines,
        double target,
        Duration upscaleDelay,
        Duration downscaleDelay,
        double upscalingFactor,
        double downscalingFactor,
        Duration lookBack,
        Duration interval,
        Duration drain) {
    /** Rounding errors of the mean are no further engine. */
    private static final double CLOSE = 1e-6;

    /** Whether a number of engines is within the bounds. */
    public boolean allows(int engines) {
        return engines >= minEngines && engines <= maxEngines;
    }

    /** How long the last load that an engine told stands for its load. */
    Duration stands() {
        return interval.multipliedBy(3);
    }

    /**
     * How many engines a pool is to have, as Ray Serve computes it.
     *
     * @param ongoing the mean of its ongoing requests
     * @param engines how many it is to have now, 1 or more
     */
    int desired(double ongoing, int engines) {
        double share = ongoing / (target * engines);
        double factor = share >= 1 ? upscalingFactor : downscalingFactor;
        int smoothed = ceil(engines * (1 + (share - 1) * factor));
        if (smoothed == engines && ceil(engines * share) < engines) {
            smoothed--; // a small factor slows the way down, and does not block it
        }
        return Math.max(minEngines, Math.min(maxEngines, smoothed));
    }

    private static int ceil(double engines) {
        return (int) Math.ceil(engines - CLOSE);
    }
}
