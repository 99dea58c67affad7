/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.call;

import dev.sglangray.client.CallOptions;
import dev.sglangray.client.ServerStatusException;
import dev.sglangray.client.internal.http.BaseUrl;
import dev.sglangray.client.internal.json.JsonText;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Aborts requests on an engine, by {@code /abort_request}. Best effort: no call waits for it and failures are of no interest, because
 * an engine also notices a closed connection, if seconds later. A router has no such endpoint. It passes the closed connection on, and
 * that is left to it: each of its engines would have to be asked for each request. Thread-safe.
 */
final class Aborter {
    /** At an engine. More at once would hold up what it does for others. */
    private static final int AT_ONCE = 8;

    private static final CallOptions OPTIONS =
            CallOptions.DEFAULT.withRequestTimeout(Duration.ofSeconds(5)).withAbortOnCancel(false);

    private final Caller caller;
    private final Map<BaseUrl, Engine> engines = new ConcurrentHashMap<>();

    Aborter(Caller caller) {
        this.caller = caller;
    }

    /** Returns at once; runs nothing on the calling thread. */
    void abort(BaseUrl server, List<String> rids) {
        if (!rids.isEmpty()) {
            engines.computeIfAbsent(server, Engine::new).add(rids);
        }
    }

    /** A server that may be an engine; the first answer shows whether it is. */
    private final class Engine {
        private final BaseUrl server;
        private final Deque<String> waiting = new ArrayDeque<>();
        private int underWay;
        private boolean known;
        private boolean router;

        Engine(BaseUrl server) {
            this.server = server;
        }

        synchronized void add(List<String> rids) {
            if (!router) {
                waiting.addAll(rids);
                sendMore();
            }
        }

        private synchronized void ended(boolean answered, boolean isRouter) {
            underWay--;
            known = true;
            router |= isRouter;
            if (!answered) {
                waiting.clear(); // What closed connections tell it must do.
            }
            sendMore();
        }

        private void sendMore() {
            while (underWay < (known ? AT_ONCE : 1) && !waiting.isEmpty()) {
                String rid = waiting.remove();
                underWay++;
                caller.transport().after(Duration.ZERO, () -> send(rid));
            }
        }

        private void send(String rid) {
            CallSpec abort = CallSpec.post("/abort_request", JsonText.write(Map.of("rid", rid)), CallSpec.JSON, OPTIONS)
                    .at(server);
            Futures.onEnd(
                    new RetryingCall(caller, abort).start(),
                    (done, failure) -> ended(
                            failure == null,
                            failure instanceof ServerStatusException answer
                                    && (answer.status() == 404 || answer.status() == 405)));
        }
    }
}
