/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.node;

import dev.sglangray.workers.loop.RecordStore;
import dev.sglangray.workers.protocol.ProtocolJson;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The specification of one actor, whose secrets are sealed until the key to them has come ({@link SealedSecrets}). Safe for use by
 * many threads.
 */
public final class SealedSpec<T> implements Supplier<T> {
    private final String sealed;
    private final Function<String, T> reader;
    private final RecordStore<SealedSecrets.Key> keys;
    private volatile T spec;
    private volatile boolean open;

    /**
     * Opens it with the key that a predecessor left in the handover file, if it did.
     *
     * @param sealed as the actor got it
     * @param reader makes the specification of a JSON text, whether its secrets are sealed or not
     */
    public SealedSpec(String sealed, Function<String, T> reader, HandoverFile file) {
        this(sealed, reader, file.section("secrets", SealedSecrets.Key.class));
    }

    SealedSpec(String sealed, Function<String, T> reader, RecordStore<SealedSecrets.Key> keys) {
        this.sealed = sealed;
        this.reader = reader;
        this.keys = keys;
        Optional<SealedSecrets.Key> predecessors = keys.load();
        spec = reader.apply(predecessors.map(key -> key.open(sealed)).orElse(sealed));
        open = predecessors.isPresent();
    }

    /** The specification; its secrets are still sealed before the key has come. */
    @Override
    public T get() {
        return spec;
    }

    /** Whether the key has come. */
    public boolean isOpen() {
        return open;
    }

    /** Takes the key from the actor's creator, as JSON, and keeps it for a successor; always true. */
    public boolean unseal(String keyJson) {
        SealedSecrets.Key key = ProtocolJson.read(keyJson, SealedSecrets.Key.class);
        CompletableFuture<Void> unused = keys.save(key);
        spec = reader.apply(key.open(sealed));
        open = true;
        return true;
    }
}
