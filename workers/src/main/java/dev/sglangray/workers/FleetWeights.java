/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import org.jspecify.annotations.Nullable;

/**
 * The weights that the engines of a fleet are to have. Travels as JSON.
 *
 * @param updated by the last update, or null before the first: those with which engines start
 */
record FleetWeights(@Nullable Weights updated) {
    static final FleetWeights INITIAL = new FleetWeights(null);
}
