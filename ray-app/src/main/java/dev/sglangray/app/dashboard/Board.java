/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.dashboard;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What the page shows at the moment: entries as JSON, in parts. Each reader asks for what changed since it last asked, so that a slow one
 * misses what is past and never what is. Safe for use by several threads.
 */
final class Board {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Map<String, Map<String, Entry>> parts = new LinkedHashMap<>();
    /** Of the last update that changed something. */
    private long version;

    private boolean dirty;

    /**
     * An entry.
     *
     * @param json the value; null once it was removed
     * @param version of the update that changed it
     */
    private record Entry(@Nullable String json, long version) {}

    /**
     * What is new to a reader.
     *
     * @param events as server-sent events, one for each part that changed; empty for none
     * @param version what to ask with next
     */
    record News(String events, long version) {}

    /** Makes changes that readers see at once; they call {@link #put}, {@link #remove} and {@link #drop}. */
    void update(Runnable changes) {
        lock.lock();
        try {
            changes.run();
            if (dirty) {
                dirty = false;
                version++;
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** An entry has this value; a value that is as before is no change. */
    void put(String part, String id, Object value) {
        try {
            String json = JSON.writeValueAsString(value);
            Map<String, Entry> entries = parts.computeIfAbsent(part, name -> new LinkedHashMap<>());
            Entry before = entries.get(id);
            if (before == null || !Objects.equals(before.json(), json)) {
                entries.put(id, new Entry(json, version + 1));
                dirty = true;
            }
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("what the page shows is not JSON", e);
        }
    }

    /** Readers forget an entry. */
    void remove(String part, String id) {
        Map<String, Entry> entries = parts.get(part);
        Entry before = entries == null ? null : entries.get(id);
        if (entries != null && before != null && before.json() != null) {
            entries.put(id, new Entry(null, version + 1));
            dirty = true;
        }
    }

    /** Further readers do not see an entry; those that have it keep it. */
    void drop(String part, String id) {
        Map<String, Entry> entries = parts.get(part);
        if (entries != null) {
            entries.remove(id);
        }
    }

    /**
     * What changed since a version, which is 0 for all there is.
     *
     * @param atMost how long to wait for something
     */
    News after(long seen, Duration atMost) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            long left = atMost.toNanos();
            while (version == seen && left > 0) {
                left = changed.awaitNanos(left);
            }
            StringBuilder events = new StringBuilder();
            for (Map.Entry<String, Map<String, Entry>> part : parts.entrySet()) {
                String data = data(part.getValue(), seen);
                if (!data.isEmpty()) {
                    events.append("event: ")
                            .append(part.getKey())
                            .append("\ndata: {")
                            .append(data)
                            .append("}\n\n");
                }
            }
            return new News(events.toString(), version);
        } finally {
            lock.unlock();
        }
    }

    private static String data(Map<String, Entry> entries, long seen) {
        StringBuilder data = new StringBuilder();
        entries.forEach((id, entry) -> {
            if (entry.version() > seen && (seen > 0 || entry.json() != null)) {
                data.append(data.isEmpty() ? "" : ",")
                        .append(text(id))
                        .append(':')
                        .append(entry.json());
            }
        });
        return data.toString();
    }

    private static String text(String id) {
        try {
            return JSON.writeValueAsString(id);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
