/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Whose arguments a schema describes. */
public enum SchemaKind {
    /** SGLang's {@code ServerArgs}. */
    SERVER("sglang"),
    /** The router's {@code RouterArgs}. */
    ROUTER("sglang-router");

    private final String distribution;

    SchemaKind(String distribution) {
        this.distribution = distribution;
    }

    /** The Python distribution that must be installed. */
    public String distribution() {
        return distribution;
    }

    /** The word that the Python side uses. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    @Nullable
    String versionIn(PythonVersions versions) {
        return this == SERVER ? versions.sglang() : versions.sglangRouter();
    }
}
