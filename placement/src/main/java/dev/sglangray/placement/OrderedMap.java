/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import java.util.AbstractMap;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * An immutable map that keeps its order, allows null values, and is not copied again. It may be made of a pure function
 * that is called when a caller first looks: a plan of a hundred thousand engines has as many environments, and most
 * who read the plan look at none. Safe for use by several threads.
 */
public final class OrderedMap<K, V> extends AbstractMap<K, V> {
    private final Supplier<? extends Map<K, V>> source;
    private volatile @Nullable Map<K, V> entries;

    private OrderedMap(Supplier<? extends Map<K, V>> source) {
        this.source = source;
    }

    /** The map itself when it is one of these, else a copy. */
    public static <K, V> Map<K, V> copyOf(Map<K, V> map) {
        if (map instanceof OrderedMap) {
            return map;
        }
        Map<K, V> copy = Collections.unmodifiableMap(new LinkedHashMap<>(map));
        return new OrderedMap<>(() -> copy);
    }

    /** The map that a pure function gives, which is asked when it is needed. */
    public static <K, V> Map<K, V> of(Supplier<? extends Map<K, V>> function) {
        return new OrderedMap<>(function);
    }

    private Map<K, V> entries() {
        Map<K, V> known = entries;
        if (known == null) {
            known = Collections.unmodifiableMap(source.get());
            entries = known;
        }
        return known;
    }

    @Override
    public Set<Entry<K, V>> entrySet() {
        return entries().entrySet();
    }

    @Override
    public boolean containsKey(@Nullable Object key) {
        return entries().containsKey(key);
    }

    @Override
    public @Nullable V get(@Nullable Object key) {
        return entries().get(key);
    }
}
