/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import dev.sglangray.bridge.ForkServer;
import dev.sglangray.bridge.ProcessSpec;
import dev.sglangray.bridge.SupervisedProcess;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Starts the engines of one worker, each by a fork of one process that has imported SGLang, where that is possible. Before
 * {@link #open} and after {@link #close} they are started as programs. Safe for use by many threads.
 */
public final class EngineForks implements ProcessStarter, AutoCloseable {
    private @Nullable ForkServer server;
    private boolean closed;

    /** Begins to import, in the background; the first call counts. */
    public synchronized void open(ProcessSpec forkServer) {
        if (server == null && !closed) {
            server = ForkServer.open(forkServer);
        }
    }

    @Override
    public SupervisedProcess start(ProcessSpec process, CompletableFuture<?> abort) {
        ForkServer present = server();
        return present == null ? SupervisedProcess.start(process) : present.start(process, abort);
    }

    @Override
    public void prepare(CompletableFuture<?> abort) {
        ForkServer present = server();
        if (present != null) {
            present.awaitImports(abort);
        }
    }

    private synchronized @Nullable ForkServer server() {
        return closed ? null : server;
    }

    @Override
    public void trust(SupervisedProcess healthy) {
        ForkServer present = server();
        if (present != null) {
            present.trust(healthy);
        }
    }

    @Override
    public boolean blame(SupervisedProcess ended) {
        ForkServer present = server();
        return present != null && present.blame(ended);
    }

    @Override
    public void absolve() {
        ForkServer present = server();
        if (present != null) {
            present.absolve();
        }
    }

    @Override
    public Optional<String> fault() {
        ForkServer present = server();
        return present == null ? Optional.empty() : present.fault();
    }

    /** Ends the process and all that was forked from it. Harmless when repeated. */
    @Override
    public void close() {
        ForkServer present;
        synchronized (this) {
            present = server;
            closed = true;
        }
        if (present != null) {
            present.close();
        }
    }
}
