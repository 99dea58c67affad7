/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import mockwebserver3.MockWebServer;
import org.junit.jupiter.api.Test;

class ClientDocumentTest {
    private static final Path DOCUMENT = Path.of("..", "docs", "client.md");
    private static final Path EXAMPLE = Path.of("src/test/java/dev/sglangray/client/ClientExample.java");

    @Test
    void theDocumentHasTheExample() throws IOException {
        String source = Files.readString(EXAMPLE);
        String snippet = source.substring(
                source.indexOf("// snippet: example\n") + "// snippet: example\n".length(),
                source.indexOf("    // end of snippet"));
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
                assertThat(ClientExample.fanOut(client, List.of("x", "y"))).containsExactly("a", "a");
            }
        }
    }
}
