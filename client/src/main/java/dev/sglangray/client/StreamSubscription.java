/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** One request whose events go to one subscriber. Signals to the subscriber do not overlap. */
final class StreamSubscription<T> implements Flow.Subscription {
    private static final byte[] DONE = "[DONE]".getBytes(StandardCharsets.US_ASCII);

    private final Caller caller;
    private final CallSpec call;
    private final EventStream.EventReader<T> reader;
    private final Flow.Subscriber<? super T> subscriber;
    private final Queue<T> events = new ConcurrentLinkedQueue<>();
    private final AtomicLong requested = new AtomicLong();
    private final AtomicInteger draining = new AtomicInteger();
    private final Set<BaseUrl> unreachable = new HashSet<>();
    private volatile @Nullable Answer current;
    private volatile boolean cancelled;
    private volatile boolean complete;
    private volatile @Nullable Throwable failure;
    private boolean ended; // Guarded by draining.
    private int attempts;

    StreamSubscription(
            Caller caller, CallSpec call, EventStream.EventReader<T> reader, Flow.Subscriber<? super T> subscriber) {
        this.caller = caller;
        this.call = call;
        this.reader = reader;
        this.subscriber = subscriber;
    }

    void start() {
        subscriber.onSubscribe(this);
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

    private void stop() {
        Answer answer = current;
        if (answer != null) {
            answer.stop();
            caller.abort(answer.attempt.server(), call);
        }
    }

    private void attempt() {
        if (cancelled || failure != null) {
            return;
        }
        try {
            Attempt attempt = caller.begin(call, unreachable, CallSpec.EVENTS, attempts + 1);
            Answer answer = new Answer(attempt);
            current = answer;
            answer.started(caller.transports().events().start(attempt.http(), true, answer));
        } catch (RuntimeException e) {
            fail(e);
        }
    }

    private void attemptFailed(Attempt attempt, AttemptResult ended, Throwable reason) {
        if (reason instanceof ServerUnreachableException && unreachable.add(attempt.server())) {
            if (unreachable.size() < caller.servers().size()) {
                attempt();
                return;
            }
            unreachable.clear();
        }
        attempts++;
        Optional<Duration> pause = RetryPolicy.pause(call, attempts, reason);
        if (pause.isPresent() && !cancelled && caller.budget().take()) {
            attempt.retried(ended, pause.get());
            CompletableFuture.delayedExecutor(pause.get().toNanos(), TimeUnit.NANOSECONDS, Runnable::run)
                    .execute(this::attempt);
        } else {
            fail(reason);
        }
    }

    private void fail(Throwable reason) {
        if (failure == null) {
            failure = reason;
        }
        drain();
    }

    /** Hands over what is there and asked for; then, if more is asked for, reads on. */
    private void drain() {
        if (draining.getAndIncrement() != 0) {
            return;
        }
        int missed = 1;
        while (missed != 0) {
            deliver();
            missed = draining.addAndGet(-missed);
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
            subscriber.onNext(event);
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
            if (reason != null) {
                subscriber.onError(reason);
            } else {
                subscriber.onComplete();
            }
        } else if (events.isEmpty() && requested.get() > 0) {
            Answer answer = current;
            if (answer != null) {
                answer.read();
            }
        }
    }

    /** What comes back from one attempt. */
    private final class Answer implements AnswerHandler {
        private final Attempt attempt;
        private final SseParser parser;
        private final ByteArrayOutputStream refusal = new ByteArrayOutputStream();
        private volatile HttpTransport.@Nullable Exchange exchange;
        private volatile boolean stopped;
        private @Nullable AnswerHead head;
        private boolean streaming;
        private boolean done;
        private long received;

        Answer(Attempt attempt) {
            this.attempt = attempt;
            this.parser = new SseParser(caller.options().maxAnswerBytes(), this::event);
        }

        void started(HttpTransport.Exchange value) {
            exchange = value;
            if (stopped || cancelled) {
                value.cancel();
            } else {
                drain();
            }
        }

        void stop() {
            stopped = true;
            HttpTransport.Exchange started = exchange;
            if (started != null) {
                started.cancel();
            }
        }

        void read() {
            HttpTransport.Exchange started = exchange;
            if (started != null) {
                started.read();
            }
        }

        @Override
        public void onHead(AnswerHead value) {
            head = value;
            if (!value.isSuccess()) {
                read();
            } else {
                drain();
            }
        }

        @Override
        public void onBytes(ByteBuffer piece) {
            received += piece.remaining();
            if (head == null || !head.isSuccess()) {
                byte[] bytes = new byte[piece.remaining()];
                piece.get(bytes);
                // What follows would not be shown.
                refusal.write(bytes, 0, Math.min(bytes.length, Math.max(0, 64 * 1024 - refusal.size())));
                read();
                return;
            }
            try {
                parser.feed(piece);
            } catch (SseParser.TooLargeException e) {
                giveUp(Failures.tooLarge(caller.options(), attempt.http()));
            }
            if (done) {
                read(); // To the end, so that the connection can be used again.
            }
            drain();
        }

        @Override
        public void onEnd() {
            AnswerHead seen = head;
            int status = seen == null ? 0 : seen.status();
            if (seen == null || !seen.isSuccess()) {
                Throwable reason = Failures.status(
                        caller.options(),
                        attempt.http(),
                        status,
                        refusal.toString(StandardCharsets.UTF_8),
                        seen == null ? null : seen.header("Retry-After"));
                attemptFailed(attempt, attempt.end(status, received, reason), reason);
            } else if (done) {
                caller.budget().succeeded();
                attempt.end(status, received, null);
            } else {
                Throwable reason = endedEarly(seen);
                attempt.end(status, received, reason);
                fail(reason);
            }
        }

        private InferenceException endedEarly(AnswerHead seen) {
            String type = seen.header("Content-Type");
            if (!streaming && type != null && !type.toLowerCase(Locale.ROOT).startsWith(CallSpec.EVENTS)) {
                return Failures.noStream(attempt.http(), type);
            }
            return Failures.lost(caller.options(), attempt.http(), new IOException("the stream ended without [DONE]"));
        }

        @Override
        public void onFailure(InferenceException reason) {
            AnswerHead seen = head;
            AttemptResult ended = attempt.end(seen == null ? 0 : seen.status(), received, done ? null : reason);
            if (done || stopped) {
                return;
            }
            if (seen == null) {
                attemptFailed(attempt, ended, reason);
            } else {
                fail(reason);
            }
        }

        private void event(byte[] data) {
            if (done || stopped) {
                return;
            }
            streaming = true;
            if (Arrays.equals(data, DONE)) {
                done = true;
                complete = true;
                return;
            }
            try {
                events.add(reader.read(data));
            } catch (StreamError e) {
                giveUp(Failures.status(
                        caller.options(), attempt.http(), e.status(), new String(data, StandardCharsets.UTF_8), null));
            } catch (IOException | IllegalArgumentException e) {
                giveUp(Failures.malformed(caller.options(), attempt.http(), data, e));
            }
        }

        private void giveUp(InferenceException reason) {
            stop();
            fail(reason);
        }
    }

    /** The server says in the middle of a stream that it failed. */
    static final class StreamError extends IOException {
        private final int status;

        StreamError(int status) {
            super("the server reports an error");
            this.status = status;
        }

        int status() {
            return status;
        }
    }
}
