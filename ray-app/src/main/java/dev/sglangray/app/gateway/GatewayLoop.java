/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps one call for requests pending at the mailbox, has them carried out on threads of its own and gives the answers
 * back. Only the first part of an operation takes a thread, so that long ones do not hold up short ones.
 */
final class GatewayLoop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(GatewayLoop.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    /** A mailbox that is asked so often and holds each question so long looks alive and costs nothing. */
    private static final double WAIT_SECONDS = 10;

    private static final int THREADS = 16;
    /** So many failed questions in a row are too many; Ray needs some seconds to start the actor again, more on a busy node. */
    static final int PATIENCE = 120;

    private final String name;
    private final Mailbox mailbox;
    private final Dispatcher dispatcher;
    private final Duration pause;
    private final ThreadPoolExecutor workers;
    private int failures;
    private volatile @Nullable String facts;
    private volatile boolean closed;

    /**
     * Does nothing before {@link #start()}.
     *
     * @param pause how long to wait after a failed question to the mailbox
     */
    GatewayLoop(String name, Mailbox mailbox, Dispatcher dispatcher, Duration pause) {
        this.name = name;
        this.mailbox = mailbox;
        this.dispatcher = dispatcher;
        this.pause = pause;
        AtomicInteger number = new AtomicInteger();
        this.workers =
                new ThreadPoolExecutor(THREADS, THREADS, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, name + "-" + number.getAndIncrement());
                    thread.setDaemon(true);
                    thread.setContextClassLoader(GatewayLoop.class.getClassLoader());
                    return thread;
                });
        workers.allowCoreThreadTimeOut(true);
    }

    /** Begins to ask; returns at once. */
    void start() {
        workers.execute(this::ask);
    }

    /** Whoever attaches is told this from now on, also by a successor of the mailbox. */
    void tell(String factsJson) {
        facts = factsJson;
        tell();
    }

    private void tell() {
        String now = facts;
        if (now != null && !closed) {
            try {
                mailbox.tell(now);
            } catch (RuntimeException e) {
                LOG.debug("{} was not told what has changed", name, e);
            }
        }
    }

    private void ask() {
        if (closed) {
            return;
        }
        CompletableFuture<String> asked;
        try {
            asked = mailbox.next(WAIT_SECONDS);
        } catch (RuntimeException e) {
            asked = CompletableFuture.failedFuture(e);
        }
        CompletableFuture<Void> unused = asked.handle((requests, failure) -> {
            if (!closed) {
                workers.execute(() -> goOn(requests, failure));
            }
            return null;
        });
    }

    private void goOn(String requests, Throwable failure) {
        if (failure == null) {
            if (failures > 0) {
                // It may be a new one, which knows what it was created with.
                tell();
            }
            failures = 0;
            try {
                accept(requests);
            } catch (JsonProcessingException e) {
                LOG.warn("{} gave something that is no list of requests: {}", name, e.getOriginalMessage());
            }
            ask();
        } else if (++failures > PATIENCE) {
            LOG.warn(
                    "{} does not answer; Python can no longer call this fleet, which goes on: {}",
                    name,
                    failure.toString());
        } else {
            LOG.debug("{} did not answer", name, failure);
            CompletableFuture.delayedExecutor(pause.toMillis(), TimeUnit.MILLISECONDS, this::later)
                    .execute(this::ask);
        }
    }

    // Closed meanwhile: nothing to do any more.
    private void later(Runnable task) {
        if (!closed) {
            workers.execute(task);
        }
    }

    private void accept(String requests) throws JsonProcessingException {
        for (JsonNode request : JSON.readTree(requests)) {
            long id = request.path("id").longValue();
            String text = request.path("request").asText();
            workers.execute(() -> carryOut(id, text));
        }
    }

    private void carryOut(long id, String request) {
        CompletableFuture<Void> unused = dispatcher.answer(request).thenAccept(answer -> {
            if (!closed) {
                try {
                    mailbox.answer(id, answer);
                } catch (RuntimeException e) {
                    LOG.debug("{} took no answer", name, e);
                }
            }
        });
    }

    /** Asks no more and gives no more answers. Harmless when repeated. */
    @Override
    public void close() {
        closed = true;
        workers.shutdown();
    }
}
