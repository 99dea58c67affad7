/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * Reads a stream on the calling thread, once. Few events are read ahead. Not thread-safe, except {@link #close}, which also wakes a
 * waiting reader.
 *
 * @param <T> an event
 */
@SuppressWarnings("IterableAndIterator") // For loops want the one, reading event by event the other.
public final class StreamIterator<T> implements Iterator<T>, Iterable<T>, AutoCloseable {
    private static final int AHEAD = 16;

    private final BlockingQueue<Signal<T>> signals = new LinkedBlockingQueue<>();
    private final CountDownLatch subscribed = new CountDownLatch(1);
    private volatile Flow.@Nullable Subscription subscription;
    private @Nullable Signal<T> next;
    private int taken;

    private StreamIterator() {}

    static <T> StreamIterator<T> over(Flow.Publisher<T> events) {
        StreamIterator<T> iterator = new StreamIterator<>();
        events.subscribe(iterator.new Receiver());
        return iterator;
    }

    /** Itself: it can be iterated over once. */
    @Override
    public Iterator<T> iterator() {
        return this;
    }

    /**
     * Waits for the next event or the end.
     *
     * @throws InferenceException if the request failed
     * @throws RequestCancelledException if the thread was interrupted, whose flag is set again, or it was closed meanwhile
     */
    @Override
    public boolean hasNext() {
        return peek().event != null;
    }

    /** The next event; waits as {@link #hasNext} does. */
    @Override
    public T next() {
        T event = peek().event;
        if (event == null) {
            throw new NoSuchElementException("the stream has ended");
        }
        next = null;
        if (++taken == AHEAD / 2) {
            taken = 0;
            Flow.Subscription open = subscription;
            if (open != null) {
                open.request(AHEAD / 2);
            }
        }
        return event;
    }

    /** Waits for all events that are left; throws as {@link #hasNext} does. */
    public List<T> toList() {
        List<T> all = new ArrayList<>();
        forEachRemaining(all::add);
        return all;
    }

    /** Cancels what has not come yet. Idempotent. */
    @Override
    public void close() {
        Flow.Subscription open = subscription;
        if (open != null) {
            open.cancel();
        }
        signals.add(new Signal<>(null, new RequestCancelledException("the stream was closed", null)));
    }

    private Signal<T> peek() {
        Signal<T> signal = next == null ? take() : next;
        next = signal;
        if (signal.failure instanceof InferenceException known) {
            // Made on a transport thread, whose trace says nothing.
            known.fillInStackTrace();
            throw known;
        }
        if (signal.failure != null) {
            throw new CompletionException(signal.failure);
        }
        return signal;
    }

    private Signal<T> take() {
        try {
            subscribed.await();
            return signals.take();
        } catch (InterruptedException e) {
            close();
            Thread.currentThread().interrupt();
            return new Signal<>(null, new RequestCancelledException("interrupted while waiting for the next event", e));
        }
    }

    /** An event, a failure, or the end. */
    private record Signal<T>(@Nullable T event, @Nullable Throwable failure) {}

    private final class Receiver implements Flow.Subscriber<T> {
        @Override
        public void onSubscribe(Flow.Subscription made) {
            subscription = made;
            subscribed.countDown();
            made.request(AHEAD);
        }

        @Override
        public void onNext(T event) {
            signals.add(new Signal<>(event, null));
        }

        @Override
        public void onError(Throwable failure) {
            signals.add(new Signal<>(null, failure));
        }

        @Override
        public void onComplete() {
            signals.add(new Signal<>(null, null));
        }
    }
}
