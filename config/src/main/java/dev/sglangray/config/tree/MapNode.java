/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.tree;

import dev.sglangray.config.error.SourcePosition;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A mapping in the order written. Keys are strings, integers, doubles or booleans, as in OmegaConf. */
public final class MapNode extends Node {
    private final Map<Object, Node> entries = new LinkedHashMap<>();

    public MapNode(SourcePosition position) {
        super(position);
    }

    /** The entries in order; a view that cannot be changed. */
    public Map<Object, Node> entries() {
        return Collections.unmodifiableMap(entries);
    }

    public @Nullable Node get(Object key) {
        return entries.get(key);
    }

    /** Sets an entry and becomes its parent; a key that was there keeps its place in the order. */
    public void put(Object key, Node value) {
        value.attach(this, key);
        entries.put(key, value);
    }

    /** Removes an entry and returns it; null when there was none. */
    public @Nullable Node remove(Object key) {
        return entries.remove(key);
    }

    /** A path names only textual keys: {@code a.1} does not find the integer key 1, as in OmegaConf. */
    @Override
    public @Nullable Node child(String name) {
        return entries.get(name);
    }

    @Override
    public MapNode copy() {
        MapNode copy = new MapNode(position());
        entries.forEach((key, value) -> copy.put(key, value.copy()));
        return copy;
    }
}
