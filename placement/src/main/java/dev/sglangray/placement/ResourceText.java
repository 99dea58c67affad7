/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Ray's resources as people write them. */
public final class ResourceText {
    private static final int DIGITS = 4;

    private ResourceText() {}

    /** {@code "GPU 2, CPU 0.5"}, without the resources that name nodes; {@code "nothing"} when none is left. */
    public static String of(Map<String, Double> resources) {
        List<String> parts = new ArrayList<>();
        resources.forEach((name, amount) -> {
            if (!name.startsWith("node:")) {
                parts.add(name + " " + number(amount));
            }
        });
        return parts.isEmpty() ? "nothing" : String.join(", ", parts);
    }

    /** A number as Ray counts, in ten-thousandths at most. */
    public static String number(double amount) {
        BigDecimal rounded = BigDecimal.valueOf(amount)
                .setScale(DIGITS, RoundingMode.HALF_UP)
                .stripTrailingZeros();
        return rounded.toPlainString();
    }
}
