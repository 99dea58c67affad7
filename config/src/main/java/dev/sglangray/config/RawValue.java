/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import dev.sglangray.config.error.SourcePosition;
import org.jspecify.annotations.Nullable;

/**
 * A value whose meaning another part decides, with its place for that part's errors.
 *
 * @param value as {@link Config#toJava()} gives it: text, number, boolean, list, map or null
 * @param position where it was written
 * @param key its dotted key
 */
public record RawValue(@Nullable Object value, SourcePosition position, String key) {

    public static RawValue of(Config config) {
        return new RawValue(config.toJava(), config.position(), config.path());
    }
}
