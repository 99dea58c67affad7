/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra.override;

import dev.sglangray.config.error.Secrets;
import dev.sglangray.config.error.SourcePosition;
import org.jspecify.annotations.Nullable;

/**
 * One parsed override.
 *
 * @param type what it does
 * @param key a dotted key or a config group
 * @param packageName what stands behind {@code @}; null when there is none
 * @param hasValue whether there is a {@code =}
 * @param value the value: text, number, boolean, null, list, map, or a {@link Sweep}
 * @param line the override as written
 * @param position its place among the overrides
 */
public record ConfigOverride(
        Type type,
        String key,
        @Nullable String packageName,
        boolean hasValue,
        @Nullable Object value,
        String line,
        SourcePosition position) {

    public enum Type {
        /** {@code a.b=c}: the key must exist. */
        CHANGE,
        /** {@code +a.b=c}: the key must not exist. */
        ADD,
        /** {@code ++a.b=c}: the key may exist. */
        FORCE_ADD,
        /** {@code ~a.b} or {@code ~a.b=c}: the key must exist, with that value if one is given. */
        DELETE
    }

    /** A value that stands for several, which only Hydra's multirun can use. */
    public record Sweep(String text) {}

    /** The override for people; a value that is probably secret is hidden. */
    public String displayLine() {
        return display(line);
    }

    /** A line of the command line for people, whether or not it can be parsed; what is probably secret in it is hidden. */
    static String display(String line) {
        int equal = line.indexOf('=');
        return equal > 0 && Secrets.isSecretPath(line.substring(0, equal))
                ? line.substring(0, equal) + "=" + Secrets.HIDDEN
                : Secrets.inText(line);
    }

    /** {@code key} or {@code key@package}. */
    public String keyWithPackage() {
        return packageName == null ? key : key + "@" + packageName;
    }
}
