/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.call;

import dev.sglangray.client.BatchItem;
import dev.sglangray.client.BatchOptions;
import dev.sglangray.client.BatchProgress;
import dev.sglangray.client.GenerateRequest;
import dev.sglangray.client.GenerateResponse;
import dev.sglangray.client.InferenceException;
import dev.sglangray.client.RequestCancelledException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Sends many requests, some at a time. Used once. */
public final class Batch {
    private final List<GenerateRequest> requests;
    private final BatchOptions options;
    private final Function<GenerateRequest, CompletableFuture<GenerateResponse>> send;
    private final boolean failFast;
    private final Consumer<BatchItem> items;
    private final Runnable end;
    private final Map<Integer, CompletableFuture<GenerateResponse>> underWay = new HashMap<>();
    private int next;
    private int open;
    private int done;
    private int failed;
    private int held;
    private boolean stopped;
    private boolean starting;
    private final Queue<Optional<BatchProgress>> reports = new ConcurrentLinkedQueue<>(); // Empty: the end.
    private final AtomicInteger reporting = new AtomicInteger();
    private boolean reportThrew; // Guarded by reporting.

    /**
     * Checks the values.
     *
     * @param failFast whether the first failure is the last outcome
     * @param items takes the outcomes, one call at a time
     * @param end runs after the last
     */
    private Batch(
            List<GenerateRequest> requests,
            BatchOptions options,
            Function<GenerateRequest, CompletableFuture<GenerateResponse>> send,
            boolean failFast,
            Consumer<BatchItem> items,
            Runnable end) {
        this.requests = requests;
        this.options = options;
        this.send = send;
        this.failFast = failFast;
        this.items = items;
        this.end = end;
    }

    /** All answers in order; the first failure cancels the rest, and so does cancelling the future. */
    public static CompletableFuture<List<GenerateResponse>> inOrder(
            List<GenerateRequest> requests,
            BatchOptions options,
            Function<GenerateRequest, CompletableFuture<GenerateResponse>> send) {
        List<@Nullable BatchItem> outcomes = new ArrayList<>(Collections.nCopies(requests.size(), null));
        CompletableFuture<List<GenerateResponse>> result = new CompletableFuture<>();
        Batch batch = new Batch(
                requests,
                options,
                send,
                true,
                item -> outcomes.set(item.index(), item),
                () -> complete(result, outcomes));
        Futures.onEnd(result, (all, failure) -> {
            if (failure != null) {
                batch.stop();
            }
        });
        batch.start(0);
        return result;
    }

    private static void complete(CompletableFuture<List<GenerateResponse>> result, List<@Nullable BatchItem> outcomes) {
        List<GenerateResponse> answers = new ArrayList<>(outcomes.size());
        for (BatchItem outcome : outcomes) {
            if (outcome != null && outcome.failureOrNull() != null) {
                result.completeExceptionally(outcome.failureOrNull());
                return;
            }
            if (outcome != null && outcome.responseOrNull() != null) {
                answers.add(outcome.responseOrNull());
            }
        }
        result.complete(Collections.unmodifiableList(answers));
    }

    /** Sends what may be sent now, after {@code freed} outcomes were taken by the caller. */
    private void start(int freed) {
        synchronized (this) {
            held -= freed;
            if (starting) {
                return;
            }
            starting = true;
        }
        if (requests.isEmpty()) {
            end.run(); // Once: it stays starting.
            return;
        }
        while (true) {
            int index;
            synchronized (this) {
                boolean full = open >= options.concurrency() || open + held >= 2L * options.concurrency();
                if (stopped || full || next == requests.size()) {
                    starting = false;
                    return;
                }
                index = next++;
                open++;
            }
            CompletableFuture<GenerateResponse> sent = send(requests.get(index));
            synchronized (this) {
                if (stopped) {
                    sent.cancel(true);
                }
                underWay.put(index, sent);
            }
            Futures.onEnd(sent, (answer, failure) -> finished(index, answer, failure));
        }
    }

    private CompletableFuture<GenerateResponse> send(GenerateRequest request) {
        try {
            return send.apply(request);
        } catch (Throwable e) {
            // It cannot be written, for example. On an event loop it would be lost.
            return CompletableFuture.failedFuture(e);
        }
    }

    /** Outcomes as they come. They are sent ahead of the subscriber by a bounded number only. Cancelling cancels the rest. */
    public static Flow.Publisher<BatchItem> asCompleted(
            List<GenerateRequest> requests,
            BatchOptions options,
            Function<GenerateRequest, CompletableFuture<GenerateResponse>> send) {
        return subscriber -> {
            Batch batch = new Batch(requests, options, send, false, subscriber::onNext, subscriber::onComplete);
            subscriber.onSubscribe(new Flow.Subscription() {
                @Override
                public void request(long count) {
                    batch.start((int) count);
                }

                @Override
                public void cancel() {
                    batch.stop();
                }
            });
        };
    }

    private void stop() {
        List<CompletableFuture<GenerateResponse>> open;
        synchronized (this) {
            stopped = true;
            open = List.copyOf(underWay.values());
        }
        open.forEach(future -> future.cancel(true));
    }

    private void finished(int index, @Nullable GenerateResponse answer, @Nullable Throwable failure) {
        synchronized (this) {
            underWay.remove(index);
            open--;
            if (!stopped) {
                done++;
                InferenceException reason = answer != null ? null : known(failure);
                failed += reason == null ? 0 : 1;
                held += failFast ? 0 : 1;
                items.accept(new BatchItem(index, answer, reason));
                reports.add(Optional.of(new BatchProgress(done, failed, requests.size())));
                stopped = done == requests.size() || (failFast && reason != null);
                if (stopped) {
                    reports.add(Optional.empty());
                }
            }
        }
        start(0);
        report();
    }

    /** Without the lock, because it runs what is not ours; one after the other all the same. */
    private void report() {
        if (reporting.getAndIncrement() != 0) {
            return;
        }
        int missed = 1;
        while (missed != 0) {
            Optional<BatchProgress> report;
            while ((report = reports.poll()) != null) {
                report.ifPresentOrElse(this::report, end);
            }
            missed = reporting.addAndGet(-missed);
        }
    }

    private void report(BatchProgress progress) {
        try {
            options.progress().accept(progress);
        } catch (Throwable e) {
            if (!reportThrew) {
                reportThrew = true;
                Reports.thrown("a batch's report of progress", e);
            }
        }
    }

    private static InferenceException known(@Nullable Throwable failure) {
        return failure instanceof InferenceException known
                ? known
                : new RequestCancelledException("the request was not sent: " + failure, failure);
    }
}
