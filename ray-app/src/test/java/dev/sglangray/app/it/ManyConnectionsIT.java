/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.sun.management.UnixOperatingSystemMXBean;
import dev.sglangray.client.GenerateRequest;
import dev.sglangray.client.GenerateResponse;
import dev.sglangray.client.InferenceHttpClient;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** As many connections at once as the original's client has by default. */
@Tag("fault")
class ManyConnectionsIT {
    private static final int CONNECTIONS = 16_384;

    @Test
    void holdsAllOfThemInAFewThreadsAndNoMore() throws Exception {
        var system = (UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        assumeThat(system.getMaxFileDescriptorCount())
                .as("file descriptors that this process may have (ulimit -Hn)")
                .isGreaterThan(CONNECTIONS + 1000);
        GenerateRequest request = GenerateRequest.builder().text("x").build();
        int threads = Thread.activeCount();
        try (PythonServer server = new PythonServer("many_connections.py", String.valueOf(CONNECTIONS));
                InferenceHttpClient client = InferenceHttpClient.of(server.url())) {
            List<CompletableFuture<GenerateResponse>> all = Stream.generate(() -> client.generateAsync(request))
                    .limit(CONNECTIONS + 100)
                    .toList();
            CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).get(2, TimeUnit.MINUTES);
            assertThat(Thread.activeCount()).isLessThan(threads + 64);
            assertThat(all)
                    .allSatisfy(answer -> assertThat(answer.join().text()).isEqualTo("a"));
            try (InferenceHttpClient other = InferenceHttpClient.of(server.url())) {
                // One is the asker's own.
                assertThat(other.get("/").path("most").asInt()).isBetween(CONNECTIONS, CONNECTIONS + 1);
            }
        }
    }
}
