/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/** Asks a server's {@code /health}. Safe for use by many threads. */
final class HealthProbe {
    private final OkHttpClient http;

    HealthProbe(OkHttpClient http) {
        this.http = http;
    }

    /**
     * What a probe found.
     *
     * @param healthy whether the answer was 200
     * @param listens whether there was an answer at all
     * @param detail what came instead
     */
    record Answer(boolean healthy, boolean listens, String detail) {}

    /** Never completes exceptionally; cancelling it ends the request. */
    CompletableFuture<Answer> ask(String baseUrl) {
        HttpUrl url = HttpUrl.get(baseUrl + "/health");
        Call call = http.newCall(new Request.Builder().url(url).build());
        CompletableFuture<Answer> answer = new CompletableFuture<>();
        call.enqueue(new Callback() {
            @Override
            public void onFailure(Call failed, IOException e) {
                answer.complete(new Answer(false, false, text(e)));
            }

            @Override
            public void onResponse(Call answered, Response response) {
                try (response) {
                    answer.complete(new Answer(response.code() == 200, true, "HTTP " + response.code()));
                }
            }
        });
        var unused = answer.whenComplete((value, failure) -> {
            if (failure != null) {
                call.cancel();
            }
        });
        return answer;
    }

    private static String text(IOException e) {
        @Nullable String message = e.getMessage();
        return e.getClass().getSimpleName() + (message == null ? "" : ": " + message);
    }
}
