/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import dev.sglangray.bridge.ForkServer;
import dev.sglangray.bridge.ProcessSpec;
import dev.sglangray.bridge.SupervisedProcess;
import java.time.Instant;
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

    private synchronized Optional<ForkServer> server() {
        return closed ? Optional.empty() : Optional.ofNullable(server);
    }

    @Override
    public SupervisedProcess start(ProcessSpec process, CompletableFuture<?> abort) {
        return server().map(present -> present.start(process, abort)).orElseGet(() -> SupervisedProcess.start(process));
    }

    @Override
    public void prepare(CompletableFuture<?> abort) {
        server().ifPresent(present -> present.awaitImports(abort));
    }

    @Override
    public void trust(SupervisedProcess healthy) {
        server().ifPresent(present -> present.trust(healthy));
    }

    @Override
    public boolean blame(SupervisedProcess ended) {
        return server().filter(present -> present.blame(ended)).isPresent();
    }

    @Override
    public void absolve() {
        server().ifPresent(ForkServer::absolve);
    }

    @Override
    public Optional<String> fault() {
        return server().flatMap(ForkServer::fault);
    }

    @Override
    public Optional<Instant> forkServerSince() {
        return server().flatMap(ForkServer::readySince);
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
