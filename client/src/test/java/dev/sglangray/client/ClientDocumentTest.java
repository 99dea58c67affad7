/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import mockwebserver3.MockWebServer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ClientDocumentTest {
    private static final Path DOCUMENT = Path.of("..", "docs", "client.md");
    private static final Path EXAMPLE = Path.of("src/test/java/dev/sglangray/client/ClientExample.java");

    @ParameterizedTest
    @ValueSource(strings = {"example", "stream"})
    void theDocumentHasTheExample(String name) throws IOException {
        String source = Files.readString(EXAMPLE);
        String begin = "// snippet: " + name + "\n";
        int start = source.indexOf(begin) + begin.length();
        String snippet = source.substring(start, source.indexOf("    // end of snippet", start));
        assertThat(Files.readString(DOCUMENT))
                .contains("```java\n" + snippet.stripTrailing().stripIndent() + "\n```\n");
    }

    @Test
    void theExampleRuns() throws Exception {
        try (MockWebServer server = new MockWebServer()) {
            server.start();
            server.enqueue(Answers.json(Answers.GENERATED));
            server.enqueue(
                    Answers.json("{\"choices\": [{\"message\": {\"role\": \"assistant\", \"content\": \"Hi\"}}]}"));
            server.enqueue(Answers.json("{\"text\": \"a\"}"));
            server.enqueue(Answers.json("{\"text\": \"a\"}"));
            String url = server.url("/").toString();

            assertThat(ClientExample.run(url)).isEqualTo(" Paris / Hi");
            try (InferenceHttpClient client = InferenceHttpClient.of(url)) {
                server.enqueue(
                        Answers.json("data: {\"choices\": [{\"delta\": {\"content\": \"b\"}}]}\n\ndata: [DONE]\n\n"));
                assertThat(ClientExample.fanOut(client, List.of("x", "y"))).containsExactly("a", "a");
                assertThat(ClientExample.stream(client, "x")).isEqualTo("b");
            }
        }
    }
}
