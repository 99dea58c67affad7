/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.json;

import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The members of a JSON object, each read when it is first asked for: log-probabilities of two hundred kilobytes cost nothing to who
 * wants the text. Unmodifiable, thread-safe. It keeps the answer's bytes alive.
 */
public final class LazyJsonMap extends AbstractMap<String, Object> {
    static final LazyJsonMap EMPTY = new LazyJsonMap(Map.of());

    private final Map<String, Member> members;

    private LazyJsonMap(Map<String, Member> members) {
        this.members = members;
    }

    @Override
    public Set<String> keySet() {
        return Collections.unmodifiableSet(members.keySet());
    }

    @Override
    public Set<Entry<String, Object>> entrySet() {
        return new AbstractSet<>() {
            @Override
            public Iterator<Entry<String, Object>> iterator() {
                return keySet().stream()
                        .<Entry<String, Object>>map(name -> new SimpleImmutableEntry<>(name, get(name)))
                        .iterator();
            }

            @Override
            public int size() {
                return members.size();
            }
        };
    }

    @Override
    public int size() {
        return members.size();
    }

    @Override
    public boolean containsKey(@Nullable Object key) {
        return members.containsKey(key);
    }

    @Override
    @SuppressWarnings("NullAway") // As in any map of this library, a value may be JSON's null.
    public @Nullable Object get(@Nullable Object key) {
        Member member = members.get(key);
        return member == null ? null : member.value();
    }

    /** Collects members. */
    public static final class Builder {
        private @Nullable Map<String, Member> members;

        public void add(String name, byte[] bytes, int start, int end) {
            if (members == null) {
                members = new LinkedHashMap<>();
            }
            members.put(name, new Member(bytes, start, end));
        }

        public LazyJsonMap build() {
            return members == null ? EMPTY : new LazyJsonMap(members);
        }
    }

    private static final class Member {
        private final int start;
        private final int end;
        private byte @Nullable [] bytes;
        private @Nullable Object value;

        Member(byte[] bytes, int start, int end) {
            this.bytes = bytes;
            this.start = start;
            this.end = end;
        }

        synchronized @Nullable Object value() {
            if (bytes != null) {
                value = JsonText.toJava(bytes, start, end - start);
                bytes = null;
            }
            return value;
        }
    }
}
