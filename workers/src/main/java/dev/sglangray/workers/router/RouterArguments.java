/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.router;

import dev.sglangray.config.WholeNumber;
import dev.sglangray.config.error.Secrets;
import dev.sglangray.workers.loop.RecordStore;
import dev.sglangray.workers.protocol.WorkerFailure;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * A router's arguments: those of its launch, and what was changed since. The changes are kept in a file for a successor, and
 * hold no secrets. Null stands for the router's own default. Safe for use by many threads.
 */
public final class RouterArguments {
    /** The URL is what a fleet's users have, the servers are those of the roster, and the mode follows from what they are. */
    private static final Set<String> FIXED = Set.of("host", "port", "worker_urls", "enable_igw", "pd_disaggregation");

    private static final Pattern WITH_PASSWORD = Pattern.compile("://[^/@]*:[^/@]*@");

    private final Supplier<Map<String, Object>> launched;
    private final RecordStore<Kept> store;
    private Map<String, Object> changes = Map.of();

    /** As it is kept. */
    public record Kept(Map<String, Object> changes) {}

    public RouterArguments(Supplier<Map<String, Object>> launched, RecordStore<Kept> store) {
        this.launched = launched;
        this.store = store;
    }

    /** Takes over what a predecessor kept. */
    public synchronized void inherit() {
        store.load().ifPresent(kept -> changes = copy(kept.changes()));
    }

    /** What the router is to have. */
    synchronized Map<String, Object> current() {
        return laid(launched.get(), changes);
    }

    /** What was changed since the launch; null inside where that was unset. */
    public synchronized Map<String, Object> changes() {
        return changes;
    }

    /** Whether an argument of the router is set, and is not off. */
    public boolean isOn(String key) {
        return WholeNumber.isTrue(current().get(key));
    }

    /** What the router would have with more changes. */
    synchronized Map<String, Object> with(Map<String, Object> more) {
        return laid(current(), more);
    }

    /** These changes hold from now on, for successors too. */
    synchronized void keep(Map<String, Object> more) {
        Map<String, Object> all = new LinkedHashMap<>(changes);
        all.putAll(more);
        changes = copy(all);
        CompletableFuture<Void> unused = store.save(new Kept(changes));
    }

    void delete() {
        store.delete();
    }

    /** A {@link WorkerFailure} names a change that cannot be made on a router that runs. */
    static void requireChangeable(Map<String, Object> changes) {
        if (changes.isEmpty()) {
            throw new WorkerFailure("no argument of the router is named that is to change");
        }
        changes.forEach((key, value) -> {
            if (FIXED.contains(key)) {
                throw new WorkerFailure(
                        key + " cannot change on a router that runs: its URL, its servers and its mode stay");
            }
            if (Secrets.isSecret(key)
                    || WITH_PASSWORD.matcher(String.valueOf(value)).find()) {
                throw new WorkerFailure(
                        key + " cannot change on a router that runs: changes are kept on the node's disk,"
                                + " where no secret goes. Launch the fleet again with it");
            }
        });
    }

    /** For people. */
    static String text(Map<String, Object> changes) {
        StringBuilder text = new StringBuilder();
        changes.forEach((key, value) -> text.append(text.length() == 0 ? "" : ", ")
                .append(key)
                .append('=')
                .append(value == null ? "(default)" : value));
        return text.toString();
    }

    private static Map<String, Object> laid(Map<String, Object> under, Map<String, Object> over) {
        Map<String, Object> all = new LinkedHashMap<>(under);
        all.putAll(over);
        return Collections.unmodifiableMap(all);
    }

    private static Map<String, Object> copy(Map<String, Object> map) {
        return Collections.unmodifiableMap(new LinkedHashMap<>(map));
    }
}
