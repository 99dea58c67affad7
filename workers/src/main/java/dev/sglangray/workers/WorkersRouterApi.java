/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import okhttp3.HttpUrl;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/**
 * The dialect of sglang-router 0.2.2 and later: {@code /workers} with JSON. A POST is answered 202 and only queues a job;
 * the worker appears some time later and is usable when it is healthy. Checked with 0.3.2.
 */
public final class WorkersRouterApi implements RouterApi {
    private static final MediaType JSON = MediaType.get("application/json");
    private static final List<String> TYPES = List.of("regular", "prefill", "decode");
    private static final Duration POST_TIMEOUT = Duration.ofMinutes(1);
    private static final Duration GET_TIMEOUT = Duration.ofSeconds(10);
    /** The last look before the deadline still needs time for its answer. */
    private static final Duration SHORTEST_GET = Duration.ofSeconds(2);

    private static final long FIRST_PAUSE_MS = 25;
    /** SGLang takes a second for the {@code /health} that the router waits for: to look seldom would add half of one. */
    private static final long LONGEST_PAUSE_MS = 100;

    private final HttpUrl base;
    private final @Nullable String apiKey;
    private final OkHttpClient http;
    private final Map<String, String> idsByUrl = new ConcurrentHashMap<>();

    /**
     * Talks to a router.
     *
     * @param baseUrl where it serves
     * @param apiKey the key that guards it, or null
     * @param http a client for HTTP/1.1 without a proxy
     */
    public WorkersRouterApi(String baseUrl, @Nullable String apiKey, OkHttpClient http) {
        this.base = HttpUrl.get(baseUrl);
        this.apiKey = apiKey;
        this.http = http;
    }

    @Override
    public RegisteredServer register(ServerEndpoint server, Duration timeout) {
        String url = server.url();
        String workerType = server.workerType();
        if (!TYPES.contains(workerType)) {
            throw new RouterApiException(
                    "worker_type is '" + workerType + "'; allowed are " + String.join(", ", TYPES) + ".");
        }
        long end = System.nanoTime() + timeout.toNanos();
        String id = post(server, min(POST_TIMEOUT, timeout));
        idsByUrl.put(url, id);
        long pause = FIRST_PAUSE_MS;
        String last = "the router does not list it yet";
        while (true) {
            Answer answer = send(get("workers", id), max(SHORTEST_GET, min(GET_TIMEOUT, until(end))));
            if (answer.code() == 200) {
                JsonNode worker = answer.json();
                if (worker.path("is_healthy").asBoolean()) {
                    return server(worker, id, url, workerType);
                }
                requireNotFailed(worker, url);
                last = worker.toString();
            } else if (answer.code() != 404) {
                throw new RouterApiException("The router answered " + answer.text() + " when asked about " + url + ".");
            }
            if (System.nanoTime() - end >= 0) {
                throw new RouterApiException("The router at " + base + " did not find " + url + " healthy within "
                        + timeout.toSeconds() + " s; last: " + last + ".");
            }
            pause(Math.min(pause, Math.max(1, until(end).toMillis())));
            pause = Math.min(LONGEST_PAUSE_MS, pause * 2);
        }
    }

    private String post(ServerEndpoint server, Duration timeout) {
        String url = server.url();
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("url", url);
        body.put("worker_type", server.workerType());
        if (server.bootstrapPort() != null) {
            body.put("bootstrap_port", server.bootstrapPort());
        }
        if (server.apiKey() != null) {
            body.put("api_key", server.apiKey());
        }
        // Bytes, not a string: OkHttp would add a charset to the content type.
        RequestBody json = RequestBody.create(Json.write(body).getBytes(StandardCharsets.UTF_8), JSON);
        Answer answer = send(request("workers").post(json).build(), timeout);
        if (answer.code() < 200 || answer.code() > 299) {
            throw new RouterApiException("The router refused " + url + ": " + answer.text() + ".");
        }
        String id = answer.json().path("worker_id").asText();
        if (id.isEmpty()) {
            throw new RouterApiException("The router gave no worker_id for " + url + ": " + answer.text() + ".");
        }
        return id;
    }

    private static void requireNotFailed(JsonNode worker, String url) {
        JsonNode job = worker.path("job_status");
        if ("failed".equals(job.path("status").asText())) {
            String message = job.path("message").asText();
            throw new RouterApiException(
                    "The router refused " + url + ": " + (message.isEmpty() ? job.toString() : message));
        }
    }

    @Override
    public boolean unregister(String url, Duration timeout) {
        Optional<String> id = idOf(url, timeout);
        if (id.isEmpty()) {
            return false;
        }
        Answer answer = send(request("workers", id.get()).delete().build(), timeout);
        boolean gone = answer.code() == 404;
        if (!gone && (answer.code() < 200 || answer.code() > 299)) {
            throw new RouterApiException("The router refused to let go of " + url + ": " + answer.text() + ".");
        }
        // Only now: a DELETE that failed must be repeatable.
        idsByUrl.remove(url, id.get());
        return !gone;
    }

    /** From our own registrations, else from the router's list, so that it works after a worker's restart too. */
    private Optional<String> idOf(String url, Duration timeout) {
        String known = idsByUrl.get(url);
        return known != null
                ? Optional.of(known)
                : servers(timeout).stream()
                        .filter(s -> s.url().equals(url))
                        .map(RegisteredServer::id)
                        .findFirst();
    }

    @Override
    public List<RegisteredServer> servers(Duration timeout) {
        Answer answer = send(get("workers"), timeout);
        if (answer.code() != 200) {
            throw new RouterApiException("The router at " + base + " answered " + answer.text() + " for its servers.");
        }
        List<RegisteredServer> servers = new ArrayList<>();
        for (JsonNode worker : answer.json().path("workers")) {
            servers.add(server(worker, "", "", "regular"));
        }
        return servers;
    }

    private static RegisteredServer server(JsonNode worker, String id, String url, String type) {
        return new RegisteredServer(
                worker.path("id").asText(id),
                worker.path("url").asText(url),
                worker.path("worker_type").asText(type),
                worker.path("model_id").textValue(),
                worker.path("is_healthy").asBoolean());
    }

    private Request get(String... path) {
        return request(path).get().build();
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
            return Json.tree(body);
        }

        String text() {
            return "HTTP " + code + (body.isBlank() ? "" : " " + body.strip());
        }
    }

    private Answer send(Request request, Duration timeout) {
        long millis = Math.max(1, timeout.toMillis());
        OkHttpClient client = http.newBuilder()
                .callTimeout(millis, TimeUnit.MILLISECONDS)
                .readTimeout(millis, TimeUnit.MILLISECONDS)
                .build();
        try (Response response = client.newCall(request).execute()) {
            return new Answer(response.code(), response.body().string());
        } catch (IOException e) {
            throw new RouterApiException(
                    "The router did not answer " + request.method() + " " + request.url() + ": " + e, e);
        }
    }

    private static void pause(long millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RouterApiException("The wait for the router was interrupted.", e);
        }
    }

    private static Duration until(long end) {
        return Duration.ofNanos(Math.max(1_000_000, end - System.nanoTime()));
    }

    private static Duration max(Duration a, Duration b) {
        return a.compareTo(b) >= 0 ? a : b;
    }

    private static Duration min(Duration a, Duration b) {
        return a.compareTo(b) <= 0 ? a : b;
    }
}
