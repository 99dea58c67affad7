/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import java.util.Locale;

/** Whose arguments a schema describes. */
public enum SchemaKind {
    /** SGLang's {@code ServerArgs}. */
    SERVER,
    /** The {@code ServerArgs} of {@code sglang.multimodal_gen}. */
    EMBODIED,
    /** The router's {@code RouterArgs}. */
    ROUTER;

    /** The Python package that declares them. */
    public String packageName() {
        return this == ROUTER ? "sglang-router" : "sglang";
    }

    /** The word that the Python side uses. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
