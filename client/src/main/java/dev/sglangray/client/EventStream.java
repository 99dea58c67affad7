/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import dev.sglangray.client.internal.call.CallSpec;
import dev.sglangray.client.internal.call.Caller;
import dev.sglangray.client.internal.stream.StreamSubscription;
import java.io.IOException;
import java.util.concurrent.Flow;
import java.util.function.Supplier;

/**
 * The answer to a request as it is generated. Nothing is sent before it is subscribed to or opened; each subscription is a request of
 * its own. Immutable and thread-safe.
 *
 * <p>Back-pressure reaches the server: bytes that were not asked for are not read from the connection. Cancelling closes the
 * connection, which tells an engine to stop, and aborts the request on the engine.
 *
 * <p>Subscribers are called on the client's threads and must not block; {@link #open()} is for threads that may. One that throws has
 * its subscription cancelled, and gets what it threw by {@code onError}. A failure is an
 * {@link InferenceException}. Retries, if any were asked for, happen before the first event only.
 *
 * @param <T> an event
 */
public final class EventStream<T> implements Flow.Publisher<T> {
    private final Caller caller;
    private final Supplier<CallSpec> source;
    private final EventReader<T> reader;

    /** With a source that makes a request for each subscription: they have ids of their own. */
    EventStream(Caller caller, Supplier<CallSpec> source, EventReader<T> reader) {
        this.caller = caller;
        this.source = source;
        this.reader = reader;
    }

    /** Sends the request and hands over its events as far as they are asked for. */
    @Override
    public void subscribe(Flow.Subscriber<? super T> subscriber) {
        new StreamSubscription<T>(caller, source.get(), reader, subscriber).start();
    }

    /**
     * Sends the request; the events are then read by iterating. Close it, in a try-with-resources statement: closing early cancels.
     *
     * @throws IllegalStateException on one of the client's own threads, which must not wait
     */
    public StreamIterator<T> open() {
        caller.refuseEventLoop();
        return StreamIterator.over(this);
    }

    /** Reads an event's data. */
    public interface EventReader<T> {
        /** Decodes it; throws {@link IllegalArgumentException} if something is missing in it. */
        T read(byte[] data) throws IOException;
    }
}
