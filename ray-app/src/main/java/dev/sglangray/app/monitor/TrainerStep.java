/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.monitor;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a trainer reports of one of its steps, such as its mean reward. Immutable.
 *
 * @param step the step's number, 0 or more
 * @param values finite numbers by name: 1 to 16 of them, with names of 1 to 64 characters
 */
public record TrainerStep(long step, Map<String, Double> values) {
    /** How many names a fleet's trainer may use in all. */
    public static final int MOST_NAMES = 16;

    private static final int LONGEST_NAME = 64;
    private static final String ALLOWED =
            "; a step has 1 to " + MOST_NAMES + " finite numbers, with names of 1 to " + LONGEST_NAME + " characters";

    /** Copies and checks the values; a wrong one is an {@link IllegalArgumentException} that says what is allowed. */
    public TrainerStep {
        if (step < 0) {
            throw new IllegalArgumentException("the step must be 0 or more, not " + step);
        }
        if (values.isEmpty() || values.size() > MOST_NAMES) {
            throw new IllegalArgumentException(values.size() + " values are reported of step " + step + ALLOWED);
        }
        values.forEach((name, value) -> {
            if (name.isBlank() || name.length() > LONGEST_NAME) {
                throw new IllegalArgumentException(
                        "the name '" + name + "' of step " + step + " is not allowed" + ALLOWED);
            }
            if (value == null || !Double.isFinite(value)) {
                throw new IllegalArgumentException(
                        "the value of '" + name + "' of step " + step + " is " + value + ALLOWED);
            }
        });
        values = Collections.unmodifiableMap(new TreeMap<>(values));
    }
}
