/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.bridge.ProcessSpec;
import dev.sglangray.workers.StandIn;
import dev.sglangray.workers.actor.WorkerHttp;
import dev.sglangray.workers.protocol.ProtocolJson;
import dev.sglangray.workers.protocol.WorkerState;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import okhttp3.OkHttpClient;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The router's life with a stand-in server, under the real supervisor. */
class RouterStartTest {
    private final OkHttpClient http = WorkerHttp.create();

    @TempDir
    Path folder;

    @Test
    void nullIsUnsetAndTwoRoutersOfANodeDoNotCollide() {
        Map<String, Object> arguments = new LinkedHashMap<>();
        arguments.put("port", null);
        arguments.put("policy", "cache_aware");
        ProcessFactory kit = StandIn.kit(folder, List.of("0"));
        HttpServerProcess first = router(spec("one", arguments), kit);
        HttpServerProcess second = router(spec("two", arguments), kit);
        try {
            assertThat(first.start(StandIn.UNHEARD)).isNotEqualTo(second.start(StandIn.UNHEARD));

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
            first.shutdown(ProcessSpec.DEFAULT_GRACE);
            second.shutdown(ProcessSpec.DEFAULT_GRACE);
        }
        assertThat(first.snapshot().state()).isEqualTo(WorkerState.STOPPED);
    }

    @Test
    void aChosenPortAndHostAreHonoured() {
        HttpServerProcess router =
                router(spec("r", Map.of("port", 18390, "host", "localhost")), StandIn.kit(folder, List.of()));
        try {
            assertThat(router.start(StandIn.UNHEARD)).isEqualTo("http://localhost:18390");
            assertThat(router.isHealthy()).isTrue();
        } finally {
            router.shutdown(ProcessSpec.DEFAULT_GRACE);
        }
    }

    @Test
    void aRouterIsAskedForByItsTypeWhereThatIsChosen() {
        ProcessFactory kit = StandIn.kit(folder, List.of());
        HttpServerProcess chosen = router(spec("chosen", "smg", Map.of("policy", "least_load")), kit);
        HttpServerProcess any = router(spec("any", Map.of()), kit);
        try {
            assertThat(chosen.start(StandIn.UNHEARD)).isNotEqualTo(any.start(StandIn.UNHEARD));

            assertThat(given(chosen).path("kind").asText()).isEqualTo("router");
            assertThat(given(chosen).path("router_type").asText()).isEqualTo("smg");
            assertThat(given(any).has("router_type")).isFalse();
        } finally {
            chosen.shutdown(ProcessSpec.DEFAULT_GRACE);
            any.shutdown(ProcessSpec.DEFAULT_GRACE);
        }
    }

    @Test
    void aPortThatIsNoNumberIsNamed() {
        HttpServerProcess router = router(spec("r", Map.of("port", "auto")), StandIn.kit(folder, List.of()));

        assertThatThrownBy(() -> router.start(StandIn.UNHEARD))
                .hasMessageContaining("port is 'auto'")
                .hasMessageContaining("1 to 65535");
    }

    private HttpServerProcess router(RouterSpec spec, ProcessFactory kit) {
        return HttpServerProcess.router(spec, kit, http, Incarnation.FIRST);
    }

    private static RouterSpec spec(String group, Map<String, Object> arguments) {
        return spec(group, null, arguments);
    }

    private static RouterSpec spec(String group, @Nullable String type, Map<String, Object> arguments) {
        return new RouterSpec(group, type, arguments, Map.of(), null, 30, null, SupervisionPolicy.DEFAULT, List.of());
    }

    private static JsonNode given(HttpServerProcess router) {
        String line = router.logTail(20)
                .lines()
                .filter(l -> l.startsWith("given "))
                .findFirst()
                .orElseThrow();
        return ProtocolJson.tree(line.substring("given ".length()));
    }
}
