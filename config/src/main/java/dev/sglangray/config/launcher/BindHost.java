/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.launcher;

import java.util.Locale;

/** Which of a node's addresses engines and router listen at. */
public enum BindHost {
    /** All of them, as RLinf's do. */
    ALL,
    /** The one that Ray knows the node by, and no other. */
    NODE;

    /** The name in configurations. */
    public String configName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
