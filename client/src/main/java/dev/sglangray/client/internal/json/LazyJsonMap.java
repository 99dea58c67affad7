/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.json;

import java.util.AbstractMap;
import java.util.AbstractSet;
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
    public Set<Entry<String, Object>> entrySet() {
        return new Entries();
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
        return member == null ? null : member.getValue();
    }

    /** Collects members. */
    public static final class Builder {
        private @Nullable Map<String, Member> members;

        public void add(String name, byte[] bytes, int start, int end) {
            if (members == null) {
                members = new LinkedHashMap<>();
            }
            members.put(name, new Member(name, bytes, start, end));
        }

        public LazyJsonMap build() {
            return members == null ? EMPTY : new LazyJsonMap(members);
        }
    }

    private final class Entries extends AbstractSet<Entry<String, Object>> {
        @Override
        public Iterator<Entry<String, Object>> iterator() {
            Iterator<Member> values = members.values().iterator();
            return new Iterator<>() {
                @Override
                public boolean hasNext() {
                    return values.hasNext();
                }

                @Override
                public Entry<String, Object> next() {
                    return values.next();
                }
            };
        }

        @Override
        public int size() {
            return members.size();
        }
    }

    private static final class Member implements Entry<String, Object> {
        private final String name;
        private final int start;
        private final int end;
        private byte @Nullable [] bytes;
        private @Nullable Object value;

        Member(String name, byte[] bytes, int start, int end) {
            this.name = name;
            this.bytes = bytes;
            this.start = start;
            this.end = end;
        }

        @Override
        public String getKey() {
            return name;
        }

        @Override
        @SuppressWarnings("NullAway") // See get.
        public synchronized @Nullable Object getValue() {
            if (bytes != null) {
                value = JsonText.toJava(bytes, start, end - start);
                bytes = null;
            }
            return value;
        }

        @Override
        public Object setValue(Object ignored) {
            throw new UnsupportedOperationException("an answer cannot be changed");
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Entry<?, ?> entry
                    && name.equals(entry.getKey())
                    && java.util.Objects.equals(getValue(), entry.getValue());
        }

        @Override
        public int hashCode() {
            return name.hashCode() ^ java.util.Objects.hashCode(getValue());
        }

        @Override
        public String toString() {
            return name + "=" + getValue();
        }
    }
}
