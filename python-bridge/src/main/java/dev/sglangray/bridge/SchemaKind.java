/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import java.util.Locale;

/** Whose arguments a schema describes. */
public enum SchemaKind {
    /** SGLang's {@code ServerArgs}. */
    SERVER,
    /** The {@code ServerArgs} of {@code sglang.multimodal_gen}. */
    EMBODIED,
    /** The {@code RouterArgs} of sglang-router; asked of a Python that has only smg, those of smg. */
    ROUTER,
    /** The {@code RouterArgs} of smg. */
    SMG;

    /** The Python package that declares them. */
    public String packageName() {
        return switch (this) {
            case SERVER, EMBODIED -> "sglang";
            case ROUTER -> "sglang-router";
            case SMG -> "smg";
        };
    }

    /** The word that the Python side uses. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
