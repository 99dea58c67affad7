/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.simulation;

import dev.sglangray.workers.loop.RecordStore;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** What one worker keeps on its disk; a write takes time, and is lost when the process dies before it is done. */
final class SimStore<T> {
    private final World world;
    private final UnaryOperator<T> written;
    private @Nullable T onDisk;
    private long order;
    private long writtenOrder;

    SimStore(World world, UnaryOperator<T> written) {
        this.world = world;
        this.written = written;
    }

    @Nullable
    T onDisk() {
        return onDisk;
    }

    /** For one life of the process. */
    RecordStore<T> in(World.Loop loop) {
        return new RecordStore<>() {
            @Override
            public CompletableFuture<Void> save(T record) {
                CompletableFuture<Void> done = new CompletableFuture<>();
                long number = ++order;
                Supplier<Long> delay = () -> world.isCalm() ? 300L : world.between(100, 20_000);
                world.after(delay.get(), () -> {
                    if (loop.isAlive()) {
                        if (number > writtenOrder) {
                            onDisk = written.apply(record);
                            writtenOrder = number;
                        }
                        done.complete(null);
                    }
                });
                return done;
            }

            @Override
            public Optional<T> load() {
                return Optional.ofNullable(onDisk);
            }

            @Override
            public void delete() {
                onDisk = null;
            }
        };
    }
}
