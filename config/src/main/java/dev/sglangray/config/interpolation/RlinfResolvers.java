/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.interpolation;

import dev.sglangray.config.tree.ListNode;
import dev.sglangray.config.tree.MapNode;
import dev.sglangray.config.tree.Numbers;
import dev.sglangray.config.tree.PythonText;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The resolvers that RLinf registers, with Python's arithmetic. */
final class RlinfResolvers {
    /** A repeated text or list longer than this is no configuration. */
    private static final int LONGEST_REPEAT = 1_000_000;

    private RlinfResolvers() {}

    static Map<String, Resolver> all() {
        return Map.of(
                "multiply", (site, arguments) -> multiply(two("multiply", arguments)),
                "int_div", (site, arguments) -> floorDivide(two("int_div", arguments)),
                "subtract", (site, arguments) -> subtract(two("subtract", arguments)),
                "not", (site, arguments) -> not(arguments),
                "torch.dtype", (site, arguments) -> TorchTypes.name(arguments));
    }

    private static List<@Nullable Object> two(String name, List<@Nullable Object> arguments) {
        BuiltinResolvers.arity(name, arguments, 2, 2);
        return arguments;
    }

    private static Object multiply(List<@Nullable Object> pair) {
        Object a = number(pair.get(0));
        Object b = number(pair.get(1));
        if (a instanceof BigInteger x && b instanceof BigInteger y) {
            return Numbers.narrow(x.multiply(y));
        } else if (a != null && b != null) {
            return real(a) * real(b);
        } else if (a instanceof BigInteger times && pair.get(1) instanceof String text) {
            return repeat(text, times);
        } else if (b instanceof BigInteger times && pair.get(0) instanceof String text) {
            return repeat(text, times);
        }
        throw unfit("multiply", pair);
    }

    private static String repeat(String text, BigInteger times) {
        if (times.signum() <= 0 || text.isEmpty()) {
            return "";
        }
        if (times.multiply(BigInteger.valueOf(text.length())).compareTo(BigInteger.valueOf(LONGEST_REPEAT)) > 0) {
            throw new ResolutionException("'multiply' would make a text longer than " + LONGEST_REPEAT);
        }
        return text.repeat(times.intValue());
    }

    private static Object floorDivide(List<@Nullable Object> pair) {
        Object a = number(pair.get(0));
        Object b = number(pair.get(1));
        if (a == null || b == null) {
            throw unfit("int_div", pair);
        }
        if (real(b) == 0) {
            throw new ResolutionException("'int_div' divides by zero");
        }
        if (a instanceof BigInteger x && b instanceof BigInteger y) {
            BigInteger[] parts = x.divideAndRemainder(y);
            boolean below = parts[1].signum() != 0 && parts[1].signum() != y.signum();
            return Numbers.narrow(below ? parts[0].subtract(BigInteger.ONE) : parts[0]);
        }
        return Math.floor(real(a) / real(b));
    }

    private static Object subtract(List<@Nullable Object> pair) {
        Object a = number(pair.get(0));
        Object b = number(pair.get(1));
        if (a instanceof BigInteger x && b instanceof BigInteger y) {
            return Numbers.narrow(x.subtract(y));
        } else if (a != null && b != null) {
            return real(a) - real(b);
        }
        throw unfit("subtract", pair);
    }

    private static boolean not(List<@Nullable Object> arguments) {
        BuiltinResolvers.arity("not", arguments, 1, 1);
        Object value = arguments.get(0);
        Object number = number(value);
        if (number != null) {
            return real(number) == 0;
        } else if (value instanceof String text) {
            return text.isEmpty();
        } else if (value instanceof List<?> list) {
            return list.isEmpty();
        } else if (value instanceof Map<?, ?> map) {
            return map.isEmpty();
        } else if (value instanceof ListNode list) {
            return list.items().isEmpty();
        } else if (value instanceof MapNode map) {
            return map.entries().isEmpty();
        }
        return !(value instanceof byte[] bytes) || bytes.length == 0;
    }

    /** A number as BigInteger or Double; booleans count as 0 and 1, as in Python; null for anything else. */
    private static @Nullable Object number(@Nullable Object value) {
        if (value instanceof Boolean truth) {
            return truth ? BigInteger.ONE : BigInteger.ZERO;
        }
        if (value != null && Numbers.isInteger(value)) {
            return Numbers.big(value);
        }
        return value instanceof Double ? value : null;
    }

    private static double real(Object number) {
        return ((Number) number).doubleValue();
    }

    private static ResolutionException unfit(String name, List<@Nullable Object> pair) {
        return new ResolutionException("'" + name + "' cannot use " + describe(pair.get(0)) + " and "
                + describe(pair.get(1)) + ": both must be numbers");
    }

    /** Texts may be secret, so they are not shown. */
    private static String describe(@Nullable Object value) {
        if (value == null || value instanceof Number || value instanceof Boolean) {
            return PythonText.repr(value);
        }
        return value instanceof String ? "a text" : "a container";
    }
}
