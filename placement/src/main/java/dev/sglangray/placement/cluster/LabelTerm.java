/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.cluster;

import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * One condition on a node's Ray labels, with Kubernetes' meaning: a node without the label satisfies {@code notin} and
 * {@code !key}.
 *
 * @param key the label
 * @param operator how it is compared
 * @param values with what; empty for {@link Operator#EXISTS} and {@link Operator#ABSENT}
 */
record LabelTerm(String key, Operator operator, Set<String> values) {
    /** The comparisons. */
    enum Operator {
        /** The label has one of the values. */
        IN,
        /** The label has none of the values, or is not there. */
        NOT_IN,
        /** The label is there. */
        EXISTS,
        /** The label is not there. */
        ABSENT
    }

    LabelTerm {
        values = Set.copyOf(values);
    }

    boolean matches(Map<String, String> labels) {
        String value = labels.get(key);
        return switch (operator) {
            case IN -> value != null && values.contains(value);
            case NOT_IN -> value == null || !values.contains(value);
            case EXISTS -> value != null;
            case ABSENT -> value == null;
        };
    }

    /** The condition as Kubernetes writes it. */
    @Override
    public String toString() {
        String list = "(" + String.join(", ", new TreeSet<>(values)) + ")";
        return switch (operator) {
            case IN -> values.size() == 1 ? key + "=" + values.iterator().next() : key + " in " + list;
            case NOT_IN -> values.size() == 1 ? key + "!=" + values.iterator().next() : key + " notin " + list;
            case EXISTS -> key;
            case ABSENT -> "!" + key;
        };
    }
}
