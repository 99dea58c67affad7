/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Aborts requests on the engines that work on them. An engine takes {@code /abort_request} itself; a router has none, so its
 * engines are asked for ({@code /workers}) and each is told. Best effort: nobody waits for it and failures are of no interest, because
 * an engine also notices a closed connection, if later.
 */
final class Aborter {
    private static final CallOptions OPTIONS =
            CallOptions.DEFAULT.withRequestTimeout(Duration.ofSeconds(5)).withAbortOnCancel(false);

    private final Caller caller;

    Aborter(Caller caller) {
        this.caller = caller;
    }

    void abort(BaseUrl server, CallSpec call) {
        for (String rid : call.rids()) {
            CallSpec abort = at(server, rid);
            Futures.onEnd(new RetryingCall(caller, caller.transports().events(), abort).start(), (done, failure) -> {
                if (failure instanceof ServerStatusException answer
                        && (answer.status() == 404 || answer.status() == 405)) {
                    askRouter(server, rid);
                }
            });
        }
    }

    private void askRouter(BaseUrl router, String rid) {
        CallSpec workers = CallSpec.get("/workers", OPTIONS).at(router);
        var unused = caller.send(workers, answer -> {
            for (BaseUrl engine : engines(Json.read(answer.body()))) {
                Futures.onEnd(
                        new RetryingCall(caller, caller.transports().events(), at(engine, rid)).start(),
                        (done, failure) -> {});
            }
            return answer;
        });
    }

    private static List<BaseUrl> engines(JsonNode answer) {
        List<BaseUrl> engines = new ArrayList<>();
        for (JsonNode worker : answer.path("workers")) {
            engines.add(BaseUrl.parse(worker.path("url").asText()));
        }
        return engines;
    }

    private static CallSpec at(BaseUrl server, String rid) {
        return CallSpec.post("/abort_request", Json.write(Map.of("rid", rid)), CallSpec.JSON, OPTIONS)
                .at(server);
    }
}
