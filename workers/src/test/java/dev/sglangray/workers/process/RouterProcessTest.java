/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.workers.StandIn;
import dev.sglangray.workers.actor.WorkerHttp;
import dev.sglangray.workers.protocol.ProtocolJson;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import okhttp3.OkHttpClient;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The router's life with a stand-in server, under the real supervisor. */
class RouterProcessTest {
    private final OkHttpClient http = WorkerHttp.create();

    @TempDir
    Path folder;

    @Test
    void nullIsUnsetAndTwoRoutersOfANodeDoNotCollide() {
        Map<String, Object> arguments = new LinkedHashMap<>();
        arguments.put("port", null);
        arguments.put("policy", "cache_aware");
        ProcessFactory kit = StandIn.kit(folder, List.of("0"));
        RouterProcess first = new RouterProcess(spec("one", arguments), kit, http);
        RouterProcess second = new RouterProcess(spec("two", arguments), kit, http);
        try {
            assertThat(first.start()).isNotEqualTo(second.start());

            JsonNode one = given(first);
            JsonNode two = given(second);
            assertThat(one.path("router_args").path("policy").asText()).isEqualTo("cache_aware");
            assertThat(one.path("router_args").path("host").asText()).isEqualTo("0.0.0.0");
            assertThat(one.path("devices").asText()).isEmpty();
            assertThat(List.of(
                            one.path("router_args").path("port").asInt(),
                            one.path("router_args").path("prometheus_port").asInt(),
                            two.path("router_args").path("port").asInt(),
                            two.path("router_args").path("prometheus_port").asInt()))
                    .doesNotHaveDuplicates();
        } finally {
            first.shutdown();
            second.shutdown();
        }
        assertThat(first.status().state()).isEqualTo("STOPPED");
    }

    @Test
    void aChosenPortAndHostAreHonoured() {
        RouterProcess router = new RouterProcess(
                spec("r", Map.of("port", 18390, "host", "localhost")), StandIn.kit(folder, List.of()), http);
        try {
            assertThat(router.start()).isEqualTo("http://localhost:18390");
            assertThat(router.isHealthy()).isTrue();
        } finally {
            router.shutdown();
        }
    }

    @Test
    void aPortThatIsNoNumberIsNamed() {
        RouterProcess router =
                new RouterProcess(spec("r", Map.of("port", "auto")), StandIn.kit(folder, List.of()), http);

        assertThatThrownBy(router::start).hasMessageContaining("port is 'auto'").hasMessageContaining("1 to 65535");
    }

    private static RouterSpec spec(String group, Map<String, Object> arguments) {
        return new RouterSpec(group, arguments, Map.of(), null, 30, null, SupervisionPolicy.DEFAULT);
    }

    private static JsonNode given(RouterProcess router) {
        String line = router.logTail(20)
                .lines()
                .filter(l -> l.startsWith("given "))
                .findFirst()
                .orElseThrow();
        return ProtocolJson.tree(line.substring("given ".length()));
    }
}
