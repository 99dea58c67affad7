/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.engine;

import dev.sglangray.workers.loop.Backoff;
import dev.sglangray.workers.loop.EventLoop;
import dev.sglangray.workers.protocol.EngineReport;
import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.ReportReply;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.supervision.EventKind;
import dev.sglangray.workers.supervision.EventSink;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Brings what a worker says of its engine to the registry, until the registry has acted on it. Each statement has an epoch, so
 * that the last one counts whatever order they arrive in; a new statement does not wait for the answer to an older one. For use
 * on the worker's event loop only.
 */
final class RegistrationReporter {
    private static final Duration FIRST_LOOK = Duration.ofMillis(20);
    private static final Duration LONGEST_LOOK = Duration.ofMillis(500);
    private static final Duration FIRST_RETRY = Duration.ofMillis(100);
    private static final Duration LONGEST_RETRY = Duration.ofSeconds(5);
    /** The same statement is repeated this often: a registry that lost something learns it again. */
    static final Duration HEARTBEAT = Duration.ofSeconds(10);

    private final String key;
    private final String actor;
    private final EventLoop loop;
    private final RegistryPort registry;
    private final EventSink events;
    private final LongConsumer keepEpoch;
    private final Consumer<ReportReply> replied;
    private final Backoff looks = new Backoff(FIRST_LOOK, LONGEST_LOOK);
    private final Backoff retries = new Backoff(FIRST_RETRY, LONGEST_RETRY);

    private long epoch;
    private @Nullable Statement statement;
    private @Nullable ReportReply reply;
    private EventLoop.@Nullable Timer timer;
    private String told = "";
    private boolean ended;

    /**
     * What is said of an engine.
     *
     * @param why why it gets no requests; empty when it may have some
     */
    record Statement(
            String why,
            @Nullable ServerEndpoint endpoint,
            @Nullable String weightsId) {
        boolean serves() {
            return why.isEmpty();
        }
    }

    /**
     * Says nothing yet.
     *
     * @param epoch the last one that a predecessor used, 0 without one
     * @param keepEpoch keeps an epoch for a successor
     * @param replied takes each reply that is up to date
     */
    RegistrationReporter(
            String key,
            String actor,
            long epoch,
            EventLoop loop,
            RegistryPort registry,
            EventSink events,
            LongConsumer keepEpoch,
            Consumer<ReportReply> replied) {
        this.key = key;
        this.actor = actor;
        this.epoch = epoch;
        this.loop = loop;
        this.registry = registry;
        this.events = events;
        this.keepEpoch = keepEpoch;
        this.replied = replied;
    }

    /** Says this from now on; nothing when it is what was said last. */
    public void say(Statement now) {
        if (!now.equals(statement)) {
            statement = now;
            again();
        }
    }

    /** Says the same under a new epoch: the registry knows something else, or nothing. */
    void again() {
        if (statement == null || ended) {
            return;
        }
        next(epoch + 1);
        send();
    }

    private void next(long higher) {
        epoch = higher;
        keepEpoch.accept(epoch);
        reply = null;
        looks.reset();
    }

    private void send() {
        Statement now = statement;
        if (now == null || ended) {
            return;
        }
        stopTimer();
        long sent = epoch;
        EngineReport report =
                new EngineReport(key, actor, sent, now.serves(), now.why(), now.endpoint(), now.weightsId());
        CompletableFuture<Void> unused = registry.report(report).handle((answer, failure) -> {
            // A later statement is under way: this answer says nothing of it.
            if (sent == epoch && !ended) {
                if (failure == null) {
                    take(answer);
                } else {
                    failed(EventLoop.words(failure));
                }
            }
            return null;
        });
    }

    private void take(Optional<ReportReply> answer) {
        retries.reset();
        ReportReply now = answer.orElseGet(() -> ReportReply.withoutRouter(epoch, FleetWeights.INITIAL));
        if (now.epoch() > epoch) {
            // A predecessor whose last record was lost used higher ones.
            next(now.epoch() + 1);
            send();
            return;
        }
        reply = now;
        tell(now);
        later(isSettled() ? HEARTBEAT : looks.next());
        replied.accept(now);
    }

    private boolean isSettled() {
        return statement != null && (statement.serves() ? isServed() : isOut());
    }

    private void tell(ReportReply now) {
        if (now.listed() && !told.equals("listed")) {
            told = "listed";
            events.add(EventKind.PUBLISHED, "requests are sent to it");
        } else if (now.out() && told.equals("listed")) {
            told = "out";
            events.add(EventKind.WITHDRAWN, "no requests are sent to it");
        }
    }

    private void failed(String why) {
        if (retries.isFresh()) {
            events.add(EventKind.TELLING_FAILED, why);
        }
        later(retries.next());
    }

    private void later(Duration wait) {
        stopTimer();
        timer = loop.schedule(wait, this::send);
    }

    private void stopTimer() {
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
    }

    /** Whether the router is known not to send to the engine, and not to begin to, by the statement of now. */
    boolean isOut() {
        return statement != null && !statement.serves() && reply != null && reply.out();
    }

    /** Whether the router is known to send to the engine, or to have nothing to do with it, by the statement of now. */
    boolean isServed() {
        return statement != null && statement.serves() && reply != null && (reply.listed() || !reply.member());
    }

    /** Whether the registry has answered the statement of now. */
    boolean isAnswered() {
        return reply != null;
    }

    /** Says no more. */
    void end() {
        ended = true;
        stopTimer();
    }
}
