/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import java.util.AbstractMap;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** An immutable map that keeps its order, allows null values, and is not copied again. */
final class OrderedMap<K, V> extends AbstractMap<K, V> {
    private final Map<K, V> entries;

    private OrderedMap(Map<? extends K, ? extends V> entries) {
        this.entries = Collections.unmodifiableMap(new LinkedHashMap<>(entries));
    }

    /** The map itself when it is one of these, else a copy. */
    static <K, V> Map<K, V> copyOf(Map<K, V> map) {
        return map instanceof OrderedMap ? map : new OrderedMap<>(map);
    }

    @Override
    public Set<Entry<K, V>> entrySet() {
        return entries.entrySet();
    }

    @Override
    public boolean containsKey(@Nullable Object key) {
        return entries.containsKey(key);
    }

    @Override
    public @Nullable V get(@Nullable Object key) {
        return entries.get(key);
    }
}
