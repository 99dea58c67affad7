/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.call;

import dev.sglangray.client.internal.http.BaseUrl;
import dev.sglangray.client.internal.http.ClientOptions;
import dev.sglangray.client.internal.http.Failures;
import dev.sglangray.client.internal.http.HttpAnswer;
import dev.sglangray.client.internal.http.HttpCall;
import dev.sglangray.client.internal.transport.NettyTransport;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/** What all views of a client share: servers, the transport, the retry budget. Thread-safe. */
public final class Caller {
    private final ClientOptions options;
    private final NettyTransport transport;
    private final Servers servers;
    private final RetryBudget budget;
    private final Aborter aborter;

    public Caller(ClientOptions options) {
        this.options = options;
        this.transport = new NettyTransport(options);
        this.servers = new Servers(options.baseUrls());
        this.budget = new RetryBudget(options.retryBudget());
        this.aborter = new Aborter(this);
    }

    public ClientOptions options() {
        return options;
    }

    public NettyTransport transport() {
        return transport;
    }

    public Servers servers() {
        return servers;
    }

    public RetryBudget budget() {
        return budget;
    }

    /** Tells the engine, as well as we can, that its caller has left. Returns at once. */
    public void abort(BaseUrl server, CallSpec call) {
        if (call.options().abortOnCancel()) {
            aborter.abort(server, call.rids());
        }
    }

    /** For a thread that waits. It reads the answer itself, which the event loops then need not. */
    public <T> T await(CallSpec call, Reader<T> reader) {
        refuseEventLoop();
        return read(call, Futures.await(new RetryingCall(this, call).start()), reader);
    }

    public <T> CompletableFuture<T> send(CallSpec call, Reader<T> reader) {
        Executor executor = options.callbackExecutor();
        return Futures.map(new RetryingCall(this, call).start(), answer -> read(call, answer, reader), executor);
    }

    /**
     * To be asked before a thread waits.
     *
     * @throws IllegalStateException on an event loop of the client, which would wait for itself
     */
    public void refuseEventLoop() {
        if (transport.isEventLoopThread()) {
            throw new IllegalStateException("waiting here would block an event loop of the client;"
                    + " use an asynchronous call, or give the client a callbackExecutor");
        }
    }

    private <T> T read(CallSpec call, HttpAnswer answer, Reader<T> reader) {
        try {
            return reader.read(answer);
        } catch (IOException | RuntimeException e) {
            throw Failures.malformed(options, named(call), answer.body(), e);
        } catch (StackOverflowError | OutOfMemoryError e) {
            throw Failures.unexpected(options, named(call), e);
        }
    }

    private HttpCall named(CallSpec call) {
        BaseUrl named = call.onlyAt() == null ? options.baseUrls().get(0) : call.onlyAt();
        return new HttpCall(call.method(), named, call.path(), call.options().headers(), null, null, null);
    }

    public void close() {
        transport.close();
    }

    /** Reads an answer. */
    public interface Reader<T> {
        /** Decodes it; throws {@link IllegalArgumentException} if something is missing in it. */
        T read(HttpAnswer answer) throws IOException;
    }
}
