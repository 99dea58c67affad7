/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.launcher;

import java.util.Locale;

/** The programs that can be the router. The second is the first, further developed under another name. */
public enum RouterType {
    /** The package {@code sglang-router}. */
    SGLANG_ROUTER,
    /** The package {@code smg}. */
    SMG;

    /** The name in configurations, which is the Python package's. */
    public String configName() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
