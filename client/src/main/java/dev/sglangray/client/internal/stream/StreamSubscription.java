/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.stream;

import dev.sglangray.client.AttemptResult;
import dev.sglangray.client.EventStream;
import dev.sglangray.client.internal.call.CallAttempt;
import dev.sglangray.client.internal.call.CallSpec;
import dev.sglangray.client.internal.call.Caller;
import dev.sglangray.client.internal.call.Reports;
import dev.sglangray.client.internal.call.RetryPolicy;
import dev.sglangray.client.internal.transport.NettyExchange;
import java.time.Duration;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** One request whose events go to one subscriber. Signals to the subscriber do not overlap. */
public final class StreamSubscription<T> implements Flow.Subscription {
    private final Caller caller;
    private final CallSpec call;
    private final EventStream.EventReader<T> reader;
    private final Flow.Subscriber<? super T> subscriber;
    private final Queue<T> events = new ConcurrentLinkedQueue<>();
    private final AtomicLong requested = new AtomicLong();
    private final AtomicInteger draining = new AtomicInteger();
    private final RetryPolicy retries;
    private volatile @Nullable StreamAnswer<T> current;
    private volatile boolean cancelled;
    private volatile boolean complete;
    private volatile @Nullable Throwable failure;
    private boolean ended; // Guarded by draining.

    public StreamSubscription(
            Caller caller, CallSpec call, EventStream.EventReader<T> reader, Flow.Subscriber<? super T> subscriber) {
        this.caller = caller;
        this.call = call;
        this.retries = new RetryPolicy(caller, call);
        this.reader = reader;
        this.subscriber = subscriber;
    }

    public void start() {
        try {
            subscriber.onSubscribe(this);
        } catch (Throwable e) {
            fail(e);
            return;
        }
        attempt();
    }

    @Override
    public void request(long count) {
        if (count <= 0) {
            fail(new IllegalArgumentException("a subscriber asked for " + count + " events"));
            stop();
            return;
        }
        requested.getAndUpdate(now -> now + count < 0 ? Long.MAX_VALUE : now + count);
        drain();
    }

    @Override
    public void cancel() {
        if (cancelled) {
            return;
        }
        boolean open = !complete && failure == null;
        cancelled = true;
        if (open) {
            stop();
        }
        drain();
    }

    boolean isCancelled() {
        return cancelled;
    }

    void offer(T event) {
        events.add(event);
    }

    /** No more events follow those offered. */
    void complete() {
        complete = true;
    }

    /** No more events follow those offered, because of this; the first reason counts. */
    void fail(Throwable reason) {
        if (failure == null) {
            failure = reason;
        }
        drain();
    }

    /** Hands over what is there and asked for; then, if more is asked for, reads on. */
    void drain() {
        if (draining.getAndIncrement() != 0) {
            return;
        }
        int missed = 1;
        while (missed != 0) {
            deliver();
            missed = draining.addAndGet(-missed);
        }
    }

    /** An attempt brought no event: tries again where that is allowed. */
    void attemptFailed(CallAttempt attempt, AttemptResult result, Throwable reason) {
        Optional<Duration> pause = retries.afterFailure(attempt, reason, !cancelled);
        if (pause.isPresent()) {
            attempt.retried(result, pause.get());
            caller.transport().after(pause.get(), this::attempt);
        } else {
            fail(reason);
        }
    }

    private void attempt() {
        if (cancelled || failure != null) {
            return;
        }
        // An Error is caught too: on a transport's thread it would be lost.
        CallAttempt attempt;
        try {
            attempt = retries.begin(CallSpec.EVENTS);
        } catch (Throwable e) {
            fail(e);
            return;
        }
        StreamAnswer<T> answer = new StreamAnswer<>(caller, call, attempt, reader, this);
        current = answer;
        NettyExchange exchange;
        try {
            exchange = caller.transport().start(attempt.http(), true, answer);
        } catch (Throwable e) {
            attempt.end(0, 0, e);
            fail(e);
            return;
        }
        answer.started(exchange);
    }

    private void abandon(Throwable thrown) {
        boolean open = !complete && failure == null;
        ended = true;
        cancelled = true;
        events.clear();
        if (open) {
            stop();
        }
        signalEnd(thrown);
    }

    private void signalEnd(@Nullable Throwable reason) {
        try {
            if (reason != null) {
                subscriber.onError(reason);
            } else {
                subscriber.onComplete();
            }
        } catch (Throwable e) {
            Reports.thrown("a subscriber's last signal", e);
        }
    }

    private void stop() {
        StreamAnswer<T> answer = current;
        if (answer != null) {
            answer.stop();
            answer.abort();
        }
    }

    private void deliver() {
        while (!ended && !cancelled && requested.get() > 0) {
            T event = events.poll();
            if (event == null) {
                break;
            }
            if (requested.get() != Long.MAX_VALUE) {
                requested.decrementAndGet();
            }
            try {
                subscriber.onNext(event);
            } catch (Throwable e) {
                // It must not; what it may still expect then is one error and nothing more.
                abandon(e);
            }
        }
        if (ended) {
            return;
        }
        Throwable reason = failure;
        if (cancelled) {
            ended = true;
            events.clear();
        } else if (events.isEmpty() && (reason != null || complete)) {
            ended = true;
            signalEnd(reason);
        } else if (events.isEmpty() && requested.get() > 0) {
            StreamAnswer<T> answer = current;
            if (answer != null) {
                answer.read();
            }
        }
    }
}
