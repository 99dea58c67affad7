/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.router;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.protocol.ProtocolJson;
import dev.sglangray.workers.protocol.RegisteredServer;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.registry.RouterPort;
import dev.sglangray.workers.registry.ServerFacts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.HttpUrl;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/**
 * The dialect of sglang-router 0.2.2 and later, and of smg: {@code /workers} with JSON. A POST is answered 202 and only queues a
 * job; the worker appears some time later. A DELETE is answered 202 too, and does not end the job of a worker that has not appeared
 * yet. A job that failed is listed as such by sglang-router, and unknown to smg. Checked with sglang-router 0.3.2 and smg 1.13.0. Safe for use by many threads.
 */
public final class WorkersRouterApi implements RouterPort {
    private static final MediaType JSON = MediaType.get("application/json");
    private static final List<String> TYPES = List.of("regular", "prefill", "decode");
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final HttpUrl base;
    private final @Nullable String apiKey;
    private final boolean byModel;
    private final OkHttpClient http;
    private final ThreadLoop loop;

    /**
     * Talks to a router.
     *
     * @param baseUrl where it serves
     * @param apiKey the key that guards it, or null
     * @param byModel whether it serves several models: it is in its gateway mode, and each server has the model that we name
     * @param http a client for HTTP/1.1 without a proxy
     * @param loop where the futures complete
     */
    public WorkersRouterApi(
            String baseUrl, @Nullable String apiKey, boolean byModel, OkHttpClient http, ThreadLoop loop) {
        this.base = HttpUrl.get(baseUrl);
        this.apiKey = apiKey;
        this.byModel = byModel;
        this.http =
                http.newBuilder().callTimeout(PATIENCE).readTimeout(PATIENCE).build();
        this.loop = loop;
    }

    @Override
    public CompletableFuture<String> add(ServerEndpoint server) {
        if (!TYPES.contains(server.workerType())) {
            return CompletableFuture.failedFuture(new Refused(
                    "worker_type is '" + server.workerType() + "'; allowed are " + String.join(", ", TYPES) + "."));
        }
        String url = server.url();
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("url", url);
        body.put("worker_type", server.workerType());
        if (byModel && server.model() != null) {
            body.put("model_id", server.model());
        }
        if (server.bootstrapPort() != null) {
            body.put("bootstrap_port", server.bootstrapPort());
        }
        if (server.apiKey() != null) {
            body.put("api_key", server.apiKey());
        }
        // Bytes, not a string: OkHttp would add a charset to the content type.
        RequestBody json = RequestBody.create(ProtocolJson.write(body).getBytes(StandardCharsets.UTF_8), JSON);
        return send(request("workers").post(json).build()).thenApply(answer -> {
            if (answer.code() < 200 || answer.code() > 299) {
                throw new Refused("The router refused " + url + ": " + answer.text() + ".");
            }
            String id = answer.json().path("worker_id").asText();
            if (id.isEmpty()) {
                throw new WorkerFailure("The router gave no worker_id for " + url + ": " + answer.text() + ".");
            }
            return id;
        });
    }

    @Override
    public CompletableFuture<Progress> progress(String id) {
        return send(request("workers", id).get().build()).thenApply(answer -> {
            if (answer.code() == 404) {
                return new Progress.Unknown();
            }
            if (answer.code() != 200) {
                throw new WorkerFailure("The router answered " + answer.text() + " when asked about " + id + ".");
            }
            JsonNode worker = answer.json();
            if (isLeaving(worker)) {
                return new Progress.Unknown();
            }
            JsonNode job = worker.path("job_status");
            if (worker.path("is_healthy").asBoolean() || job.isMissingNode() || job.isNull()) {
                return new Progress.Listed(server(worker));
            }
            if ("failed".equals(job.path("status").asText())) {
                String message = job.path("message").asText();
                return new Progress.Failed(message.isEmpty() ? job.toString() : message);
            }
            return new Progress.Pending(job.path("status").asText());
        });
    }

    @Override
    public CompletableFuture<Boolean> remove(String id) {
        return send(request("workers", id).delete().build()).thenApply(answer -> {
            if (answer.code() != 404 && (answer.code() < 200 || answer.code() > 299)) {
                throw new WorkerFailure("The router refused to let go of " + id + ": " + answer.text() + ".");
            }
            return answer.code() != 404;
        });
    }

    @Override
    public CompletableFuture<List<RegisteredServer>> list() {
        return send(request("workers").get().build()).thenApply(answer -> {
            if (answer.code() != 200) {
                throw new WorkerFailure("The router at " + base + " answered " + answer.text() + " for its servers.");
            }
            List<RegisteredServer> servers = new ArrayList<>();
            for (JsonNode worker : answer.json().path("workers")) {
                if (!isLeaving(worker)) {
                    servers.add(server(worker));
                }
            }
            return servers;
        });
    }

    /** Whether it is removed: smg still lists such a worker for a while, and sends nothing to it. */
    private static boolean isLeaving(JsonNode worker) {
        return worker.path("status").asText().equals("draining");
    }

    /** SGLang says its version in {@code /model_info}, in {@code /get_model_info} in older versions. */
    @Override
    public CompletableFuture<ServerFacts> describe(ServerEndpoint server) {
        return ask(server, "v1/models")
                .thenCompose(models -> version(server, "model_info")
                        .thenCompose(found -> found.isPresent()
                                ? CompletableFuture.completedFuture(found)
                                : version(server, "get_model_info"))
                        .thenApply(version -> new ServerFacts(names(models), version.orElse(null))));
    }

    private static List<String> names(Answer models) {
        List<String> names = new ArrayList<>();
        models.json().path("data").forEach(model -> names.add(model.path("id").asText()));
        return names;
    }

    private CompletableFuture<Optional<String>> version(ServerEndpoint server, String route) {
        return ask(server, route)
                .thenApply(answer ->
                        Optional.ofNullable(answer.json().path("weight_version").textValue()));
    }

    private CompletableFuture<Answer> ask(ServerEndpoint server, String route) {
        HttpUrl url = HttpUrl.parse(server.url());
        if (url == null) {
            // For the router to refuse.
            return CompletableFuture.failedFuture(new WorkerFailure(server.url() + " is no URL of an HTTP server"));
        }
        Request.Builder request = new Request.Builder()
                .url(url.newBuilder().addPathSegments(route).build());
        if (server.apiKey() != null) {
            request.header("Authorization", "Bearer " + server.apiKey());
        }
        Request asked = request.build();
        return send(asked).thenApply(answer -> {
            if (answer.code() == 404) {
                return new Answer(404, "{}"); // it is something else than SGLang, or an older one
            }
            if (answer.code() != 200) {
                throw new WorkerFailure("HTTP " + answer.code() + " to GET " + asked.url());
            }
            return answer;
        });
    }

    private static RegisteredServer server(JsonNode worker) {
        return new RegisteredServer(
                worker.path("id").asText(),
                worker.path("url").asText(),
                worker.path("worker_type").asText("regular"),
                worker.path("model_id").textValue(),
                worker.path("is_healthy").asBoolean());
    }

    private Request.Builder request(String... path) {
        HttpUrl.Builder url = base.newBuilder();
        for (String segment : path) {
            url.addPathSegment(segment);
        }
        Request.Builder request = new Request.Builder().url(url.build());
        return apiKey == null ? request : request.header("Authorization", "Bearer " + apiKey);
    }

    private record Answer(int code, String body) {
        JsonNode json() {
            return ProtocolJson.tree(body);
        }

        String text() {
            return "HTTP " + code + (body.isBlank() ? "" : " " + body.strip());
        }
    }

    private CompletableFuture<Answer> send(Request request) {
        CompletableFuture<Answer> answer = new CompletableFuture<>();
        http.newCall(request).enqueue(new Callback() {
            @Override
            public void onFailure(Call call, IOException e) {
                answer.completeExceptionally(
                        new WorkerFailure("no answer to " + request.method() + " " + request.url() + ": " + e));
            }

            @Override
            public void onResponse(Call call, Response response) {
                try (response) {
                    answer.complete(new Answer(response.code(), response.body().string()));
                } catch (IOException | RuntimeException e) {
                    answer.completeExceptionally(
                            new WorkerFailure("no answer to " + request.method() + " " + request.url() + ": " + e));
                }
            }
        });
        return loop.here(answer);
    }
}
