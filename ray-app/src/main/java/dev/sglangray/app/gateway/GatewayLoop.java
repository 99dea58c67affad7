/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.config.thread.Threads;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the mailbox for requests on a thread of its own, claims them, has them carried out and gives the answers back.
 * That thread carries nothing out itself, so the mailbox is asked whatever the operations do.
 */
final class GatewayLoop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(GatewayLoop.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    /** A mailbox that is asked so often and holds each question so long looks alive and costs nothing. */
    private static final double WAIT_SECONDS = 10;
    /** Longest wait for an answer of the mailbox, which holds a question for less. */
    private static final long ANSWER_SECONDS = 60;

    /** So many failed questions in a row are too many; Ray needs some seconds to start the actor again, more on a busy node. */
    static final int PATIENCE = 120;

    private final String name;
    private final Mailbox mailbox;
    private final Dispatcher dispatcher;
    private final Duration pause;
    private final OperationThreads threads;
    private final CompletableFuture<@Nullable Void> closing = new CompletableFuture<>();
    private final Thread asking;
    private volatile @Nullable String facts;

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
        this.threads = new OperationThreads(name);
        this.asking = Threads.thread(name + "-asks", this::askUntilClosed);
    }

    /** Begins to ask; returns at once. */
    void start() {
        asking.start();
    }

    /** These are the facts from now on, also for a successor of the mailbox. */
    void tell(String factsJson) {
        facts = factsJson;
        tell();
    }

    private void tell() {
        String now = facts;
        if (now != null && !closing.isDone()) {
            try {
                mailbox.tell(now);
            } catch (RuntimeException e) {
                LOG.debug("{} does not have the new facts", name, e);
            }
        }
    }

    private void askUntilClosed() {
        int failures = 0;
        while (!closing.isDone()) {
            try {
                String requests = await(mailbox.next(WAIT_SECONDS));
                if (failures > 0) {
                    // It may be a new one, which has the facts that it was created with.
                    tell();
                }
                failures = 0;
                accept(requests);
            } catch (ClosedException e) {
                return;
            } catch (Throwable e) {
                if (++failures > PATIENCE) {
                    LOG.warn("{} does not answer; Python can no longer call this fleet, which serves on", name, e);
                    return;
                }
                LOG.debug("{} did not answer", name, e);
                pause();
            }
        }
    }

    private void pause() {
        closing.copy()
                .completeOnTimeout(null, pause.toMillis(), TimeUnit.MILLISECONDS)
                .join();
    }

    private void accept(String given) {
        Map<Long, String> requests;
        try {
            requests = read(given);
        } catch (Throwable e) {
            // The mailbox answers what it has given and is not claimed before the next question.
            LOG.warn("{} gave something that is no list of requests", name, e);
            return;
        }
        if (requests.isEmpty()) {
            return;
        }
        try {
            for (JsonNode id : JSON.readTree(await(mailbox.claim(JSON.writeValueAsString(requests.keySet()))))) {
                String request = requests.remove(id.longValue());
                if (request != null) {
                    carryOut(id.longValue(), request);
                }
            }
        } catch (ClosedException e) {
            throw e;
        } catch (Throwable e) {
            LOG.warn("{} did not say which requests are still wanted", name, e);
            // They may be claimed, and are not carried out.
            requests.keySet().forEach(id -> give(id, GatewayResponses.failure(e)));
        }
    }

    private static Map<Long, String> read(String given) throws JsonProcessingException {
        Map<Long, String> requests = new LinkedHashMap<>();
        for (JsonNode request : JSON.readTree(given)) {
            requests.put(request.path("id").longValue(), request.path("request").asText());
        }
        return requests;
    }

    private void carryOut(long id, String request) {
        CompletableFuture<Void> unused = dispatcher.answer(request, threads).thenAccept(answer -> give(id, answer));
    }

    private void give(long id, String answer) {
        if (!closing.isDone()) {
            try {
                mailbox.answer(id, answer);
            } catch (Throwable e) {
                LOG.warn("{} took no answer", name, e);
            }
        }
    }

    private <T> T await(CompletableFuture<T> asked) throws InterruptedException, ExecutionException, TimeoutException {
        CompletableFuture.anyOf(asked, closing).get(ANSWER_SECONDS, TimeUnit.SECONDS);
        if (closing.isDone()) {
            throw new ClosedException();
        }
        return asked.get(0, TimeUnit.SECONDS);
    }

    /** Nothing is asked any more. */
    private static final class ClosedException extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    /** Asks no more and gives no more answers. Harmless when repeated. */
    @Override
    public void close() {
        closing.complete(null);
        threads.close();
    }

    /** Whether it has stopped asking, waited for so long. */
    boolean awaitEnd(Duration atMost) throws InterruptedException {
        asking.join(atMost.toMillis());
        return !asking.isAlive();
    }
}
