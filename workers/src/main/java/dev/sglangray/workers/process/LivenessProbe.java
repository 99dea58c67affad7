/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.supervision.ProbeKind;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import okhttp3.ConnectionPool;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;

/**
 * Finds out whether a server does its work. SGLang's {@code /health_generate} generates one token, or is content with what
 * the engine produced for others meanwhile, so that it costs a busy engine nothing; it gives up by itself after 20 s. Servers
 * that do not know it are asked for {@code /health}. Safe for use by many threads.
 */
public final class LivenessProbe {
    private final OkHttpClient http;
    private final ProbeKind kind;
    private final Duration timeout;

    public LivenessProbe(OkHttpClient http, ProbeKind kind, Duration timeout) {
        // A new connection for each probe: a server that takes no new ones any more serves no router.
        this.http = http.newBuilder()
                .callTimeout(timeout)
                .readTimeout(timeout)
                .connectionPool(new ConnectionPool(0, 1, TimeUnit.SECONDS))
                .build();
        this.kind = kind;
        this.timeout = timeout;
    }

    /** Returns when the server at this URL works; a {@link WorkerFailure} says what came instead. */
    public void require(String url) {
        int code = kind == ProbeKind.GENERATE ? code(url + "/health_generate") : 404;
        if (code == 404) {
            code = code(url + "/health");
        }
        if (code != 200) {
            throw new WorkerFailure("the probe was answered with HTTP " + code);
        }
    }

    private int code(String url) {
        try (Response response =
                http.newCall(new Request.Builder().url(url).build()).execute()) {
            return response.code();
        } catch (IOException e) {
            throw new WorkerFailure("the probe was not answered within " + timeout.toSeconds() + " s: " + e);
        }
    }
}
