/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.argument;

import dev.sglangray.config.argument.ArgumentSchema.Field;
import dev.sglangray.config.tree.Numbers;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Which values fit the types of arguments. */
final class ArgumentTypes {
    private ArgumentTypes() {}

    static boolean fits(Field field, Object value) {
        return field.alternatives().isEmpty()
                ? fits(field.type(), value)
                : field.alternatives().stream().anyMatch(type -> fits(type, value));
    }

    private static boolean fits(ArgumentSchema.Type type, Object value) {
        return switch (type) {
            case INT -> Numbers.isInteger(value);
            case FLOAT -> value instanceof Number;
            case STR -> value instanceof String;
            case BOOL -> value instanceof Boolean;
            case LIST -> value instanceof List;
            case DICT -> value instanceof Map;
            case ANY -> true;
        };
    }

    static boolean isScalar(Object value) {
        return !(value instanceof List) && !(value instanceof Map);
    }

    /** What the argument must be, for people. */
    static String describe(Field field) {
        List<ArgumentSchema.Type> types = field.alternatives().isEmpty() ? List.of(field.type()) : field.alternatives();
        String nouns = types.stream().map(ArgumentTypes::noun).collect(Collectors.joining(" or "));
        return field.nullable() ? nouns + " or null" : nouns;
    }

    private static String noun(ArgumentSchema.Type type) {
        return switch (type) {
            case INT -> "an integer";
            case FLOAT -> "a number";
            case STR -> "a text";
            case BOOL -> "true or false";
            case LIST -> "a list";
            case DICT -> "a map";
            case ANY -> "a value";
        };
    }
}
