/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.tree;

import dev.sglangray.config.error.SourcePosition;
import org.jspecify.annotations.Nullable;

/**
 * A value that is not a container: null, a boolean, an integer (Integer, Long or BigInteger, the smallest that holds
 * it), a double, a text or bytes. A resolver's result may also be a plain Java list or map, which interpolation does
 * not look into, as OmegaConf does not.
 */
public final class ValueNode extends Node {
    private final @Nullable Object value;
    private final boolean result;

    public ValueNode(@Nullable Object value, SourcePosition position) {
        this(value, position, false);
    }

    private ValueNode(@Nullable Object value, SourcePosition position, boolean result) {
        super(position);
        this.value = value;
        this.result = result;
    }

    /** What an interpolation came to: never itself an interpolation or missing, whatever its text looks like. */
    public static ValueNode result(@Nullable Object value, SourcePosition position) {
        return new ValueNode(value, position, true);
    }

    public @Nullable Object value() {
        return value;
    }

    /** The value if it is a text; empty otherwise. */
    public String text() {
        return value instanceof String text ? text : "";
    }

    /** Whether the value is a text with an interpolation in it, which has to be resolved before it means anything. */
    public boolean isInterpolation() {
        return !result && value instanceof String text && text.contains("${");
    }

    /** Whether the value is {@code ???}: the user must give one before it is read. */
    public boolean isMissing() {
        return !result && "???".equals(value);
    }

    @Override
    public @Nullable Node child(String name) {
        return null;
    }

    @Override
    public ValueNode copy() {
        return new ValueNode(value, position(), result);
    }
}
