/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Aborts requests on the engines that work on them. An engine takes {@code /abort_request} itself; a router has none, so its
 * engines are asked for ({@code /workers}) and each is told. Best effort: nobody waits for it and failures are of no interest, because
 * an engine also notices a closed connection, if later. Thread-safe.
 */
final class Aborter {
    private static final CallOptions OPTIONS =
            CallOptions.DEFAULT.withRequestTimeout(Duration.ofSeconds(5)).withAbortOnCancel(false);

    private final Caller caller;
    private final Set<BaseUrl> routers = ConcurrentHashMap.newKeySet();
    private final Map<BaseUrl, CompletableFuture<List<BaseUrl>>> asked = new ConcurrentHashMap<>();

    Aborter(Caller caller) {
        this.caller = caller;
    }

    /** Returns at once. */
    void abort(BaseUrl server, List<String> rids) {
        if (rids.isEmpty()) {
            return;
        }
        if (routers.contains(server)) {
            tellEnginesOf(server, rids);
            return;
        }
        // The first shows what the server is.
        Futures.onEnd(send(server, rids.get(0)), (done, failure) -> {
            if (failure instanceof ServerStatusException answer && (answer.status() == 404 || answer.status() == 405)) {
                routers.add(server);
                tellEnginesOf(server, rids);
            } else {
                rids.stream().skip(1).forEach(rid -> tell(server, rid));
            }
        });
    }

    private void tellEnginesOf(BaseUrl router, List<String> rids) {
        Futures.onEnd(engines(router), (engines, failure) -> {
            if (engines != null) {
                engines.forEach(engine -> rids.forEach(rid -> tell(engine, rid)));
            }
        });
    }

    /** One question for all who want to know it at the same time. */
    private CompletableFuture<List<BaseUrl>> engines(BaseUrl router) {
        CompletableFuture<List<BaseUrl>> mine = new CompletableFuture<>();
        CompletableFuture<List<BaseUrl>> others = asked.putIfAbsent(router, mine);
        if (others != null) {
            return others;
        }
        CallSpec workers = CallSpec.get("/workers", OPTIONS).at(router);
        Futures.onEnd(caller.send(workers, answer -> engines(Json.read(answer.body()))), (engines, failure) -> {
            asked.remove(router);
            mine.complete(engines == null ? List.of() : engines);
        });
        return mine;
    }

    private static List<BaseUrl> engines(JsonNode answer) {
        List<BaseUrl> engines = new ArrayList<>();
        for (JsonNode worker : answer.path("workers")) {
            engines.add(BaseUrl.parse(worker.path("url").asText()));
        }
        return engines;
    }

    private void tell(BaseUrl server, String rid) {
        var unused = send(server, rid);
    }

    private CompletableFuture<HttpAnswer> send(BaseUrl server, String rid) {
        CallSpec abort = CallSpec.post("/abort_request", Json.write(Map.of("rid", rid)), CallSpec.JSON, OPTIONS);
        return new RetryingCall(caller, caller.transports().events(), abort.at(server)).start();
    }
}
