/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import java.io.IOException;
import java.util.Optional;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;

/**
 * Asks a server that somebody registered by its URL which weights it has. SGLang tells in {@code /model_info},
 * {@code /get_model_info} in older versions. Safe for use by many threads.
 */
final class WeightQuestion {
    private final OkHttpClient http;

    WeightQuestion(OkHttpClient http) {
        this.http = http;
    }

    /** The version that it tells; empty when it does not answer, or tells none. */
    Optional<String> ask(ServerEndpoint server) {
        return ask(server, "model_info").or(() -> ask(server, "get_model_info"));
    }

    private Optional<String> ask(ServerEndpoint server, String route) {
        HttpUrl base = HttpUrl.parse(server.url());
        if (base == null) {
            // For the router to refuse.
            return Optional.empty();
        }
        Request.Builder request = new Request.Builder()
                .url(base.newBuilder().addPathSegment(route).build());
        if (server.apiKey() != null) {
            request.header("Authorization", "Bearer " + server.apiKey());
        }
        try (Response response = http.newCall(request.build()).execute()) {
            return response.code() == 200
                    ? Optional.ofNullable(Json.tree(response.body().string())
                            .path("weight_version")
                            .textValue())
                    : Optional.empty();
        } catch (IOException | RuntimeException e) {
            // It is not up, or is something else than SGLang: its owner's business.
            return Optional.empty();
        }
    }
}
