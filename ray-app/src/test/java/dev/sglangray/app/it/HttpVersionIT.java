/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.client.GenerateRequest;
import dev.sglangray.client.InferenceHttpClient;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Why the client speaks HTTP/1.1 and nothing else: what uvicorn with httptools makes of an offer of HTTP/2. */
@Tag("sglang")
class HttpVersionIT {
    private static final GenerateRequest REQUEST =
            GenerateRequest.builder().text("Once upon a time").build();

    private static PythonServer server;

    @BeforeAll
    static void start() throws IOException {
        server = new PythonServer("echo_on_httptools.py");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    /** The JDK's client offers an upgrade to HTTP/2 unless told otherwise. The answer is 200 all the same. */
    @Test
    void anOfferOfHttp2LosesTheBody() throws Exception {
        assertThat(posted(HttpClient.Version.HTTP_2)).isEqualTo("{\"text\": \"\"}");
        assertThat(posted(HttpClient.Version.HTTP_1_1)).isEqualTo("{\"text\": \"abc\"}");
    }

    @Test
    void theClientsBodiesArrive() {
        try (InferenceHttpClient client = InferenceHttpClient.of(server.url())) {
            for (int i = 0; i < 3; i++) {
                assertThat(client.generate(REQUEST).text()).contains("Once upon a time");
                assertThat(client.generateAsync(REQUEST).join().text()).contains("Once upon a time");
            }
        }
    }

    private static String posted(HttpClient.Version version) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(server.url() + "/generate"))
                .POST(HttpRequest.BodyPublishers.ofString("abc"))
                .build();
        HttpResponse<String> answer =
                HttpClient.newBuilder().version(version).build().send(request, HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).isEqualTo(200);
        return answer.body();
    }
}
