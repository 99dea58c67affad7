/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra.override;

import dev.sglangray.config.hydra.override.ConfigOverride.Sweep;
import dev.sglangray.config.tree.Numbers;
import dev.sglangray.config.tree.PythonText;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Functions of the override grammar: casts and sorting; those that sweep give a {@link Sweep}. */
final class OverrideFunctions {
    private static final Set<String> SWEEPS = Set.of("choice", "range", "interval", "glob", "tag", "shuffle");

    private OverrideFunctions() {}

    static @Nullable Object call(
            OverrideToken name, List<@Nullable Object> positional, Map<String, @Nullable Object> named) {
        try {
            return switch (name.text()) {
                case "int" -> cast(argument(positional, named), OverrideFunctions::toInteger);
                case "float" -> cast(argument(positional, named), OverrideFunctions::toReal);
                case "str" -> cast(argument(positional, named), OverrideFunctions::toText);
                case "bool" -> cast(argument(positional, named), OverrideFunctions::toBoolean);
                case "sort" -> sort(positional, named);
                default -> {
                    if (SWEEPS.contains(name.text())) {
                        yield new Sweep("the function " + name.text());
                    }
                    throw new IllegalArgumentException(
                            "there is no function '" + name.text() + "'; there are int, float, str, bool and sort");
                }
            };
        } catch (IllegalArgumentException e) {
            throw new OverrideSyntaxException(String.valueOf(e.getMessage()), name.start());
        }
    }

    private static @Nullable Object argument(List<@Nullable Object> positional, Map<String, @Nullable Object> named) {
        if (named.isEmpty() && positional.size() == 1) {
            return positional.get(0);
        }
        if (positional.isEmpty() && named.size() == 1 && named.containsKey("value")) {
            return named.get("value");
        }
        if (named.isEmpty() && positional.size() > 1) {
            return new Sweep("a cast of several values");
        }
        throw new IllegalArgumentException("a cast takes one value");
    }

    private static @Nullable Object cast(@Nullable Object value, UnaryOperator<@Nullable Object> function) {
        if (value instanceof Sweep) {
            return value;
        } else if (value instanceof Quoted quoted) {
            return function.apply(quoted.text());
        } else if (value instanceof List<?> list) {
            List<@Nullable Object> cast = new ArrayList<>();
            list.forEach(item -> cast.add(cast(item, function)));
            return cast;
        } else if (value instanceof Map<?, ?> map) {
            Map<@Nullable Object, @Nullable Object> cast = new LinkedHashMap<>();
            map.forEach((key, item) -> cast.put(key, cast(item, function)));
            return cast;
        }
        return function.apply(value);
    }

    private static Object toInteger(@Nullable Object value) {
        if (value instanceof Boolean truth) {
            return truth ? 1 : 0;
        } else if (value instanceof Double number && !number.isNaN() && !number.isInfinite()) {
            return Numbers.narrow(new BigDecimal(number).toBigInteger());
        } else if (value instanceof String text) {
            BigInteger parsed = Numbers.parsePythonInt(text);
            if (parsed != null) {
                return Numbers.narrow(parsed);
            }
        } else if (value != null && Numbers.isInteger(value)) {
            return value;
        }
        throw new IllegalArgumentException("int cannot use " + PythonText.repr(value));
    }

    private static Object toReal(@Nullable Object value) {
        if (value instanceof Boolean truth) {
            return truth ? 1.0 : 0.0;
        } else if (value instanceof Number number) {
            return number.doubleValue();
        } else if (value instanceof String text) {
            try {
                return OverrideValues.real(text);
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("float cannot use " + PythonText.repr(value), e);
            }
        }
        throw new IllegalArgumentException("float cannot use " + PythonText.repr(value));
    }

    private static Object toText(@Nullable Object value) {
        if (value == null) {
            throw new IllegalArgumentException("str cannot use null");
        }
        return value instanceof Boolean truth ? truth.toString() : PythonText.str(value);
    }

    private static Object toBoolean(@Nullable Object value) {
        if (value instanceof String text) {
            if (text.equalsIgnoreCase("true") || text.equalsIgnoreCase("false")) {
                return text.equalsIgnoreCase("true");
            }
            throw new IllegalArgumentException("bool cannot use " + PythonText.repr(value));
        } else if (value instanceof Boolean) {
            return value;
        }
        return value instanceof Number number && number.doubleValue() != 0;
    }

    private static @Nullable Object sort(List<@Nullable Object> positional, Map<String, @Nullable Object> named) {
        Object only = named.containsKey("list") ? named.get("list") : positional.size() == 1 ? positional.get(0) : null;
        if (!(only instanceof List<?> list)) {
            if (positional.size() == 1 && !named.containsKey("list")) {
                return positional.get(0);
            }
            return new Sweep("the function sort");
        }
        List<@Nullable Object> sorted = new ArrayList<>(list);
        Comparator<@Nullable Object> order = OverrideFunctions::compare;
        sorted.sort(Boolean.TRUE.equals(named.get("reverse")) ? order.reversed() : order);
        return sorted;
    }

    private static int compare(@Nullable Object a, @Nullable Object b) {
        if (a instanceof String x && b instanceof String y) {
            return x.compareTo(y);
        } else if (a instanceof Number x && b instanceof Number y) {
            return Double.compare(x.doubleValue(), y.doubleValue());
        }
        throw new IllegalArgumentException("sort cannot compare " + PythonText.repr(a) + " and " + PythonText.repr(b));
    }
}
