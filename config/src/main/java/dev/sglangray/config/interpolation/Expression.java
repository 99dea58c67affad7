/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.interpolation;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A parsed value. */
sealed interface Expression {

    /** A value that needs no resolving: text, number, boolean or null. */
    record Constant(@Nullable Object value) implements Expression {}

    /** Parts whose texts are joined. */
    record Text(List<Expression> parts) implements Expression {}

    /** Quoted text: what is inside, as text even when it is a single interpolation. */
    record Quoted(Expression content) implements Expression {}

    /** A reference to a key: its pieces in order, dots and brackets included. */
    record Reference(List<Expression> pieces) implements Expression {}

    /** A call of a resolver. */
    record Call(List<Expression> name, List<Expression> arguments) implements Expression {}

    record ListValue(List<Expression> items) implements Expression {}

    record MapValue(List<Entry> entries) implements Expression {}

    record Entry(@Nullable Object key, Expression value) {}
}
