/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.router;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.workers.StandIn;
import dev.sglangray.workers.process.ProcessFactory;
import dev.sglangray.workers.protocol.WorkerFailure;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Changes against the router of the tests' versions, as the Python here has none. */
class RouterSchemaTest {
    private final ProcessFactory kit;

    RouterSchemaTest(@TempDir Path folder) {
        kit = StandIn.kit(folder, List.of());
    }

    private void check(Map<String, Object> changes) {
        check(null, changes);
    }

    private void check(@Nullable String routerType, Map<String, Object> changes) {
        new RouterSchema(kit, "/no/such/python", routerType).accept(changes);
    }

    @Test
    void valuesThatFitPassAndNullIsTheDefault() {
        Map<String, Object> changes = new HashMap<>(Map.of("policy", "round_robin", "cache_threshold", 0.5));
        changes.put("queue_size", null);
        assertThatCode(() -> check(changes)).doesNotThrowAnyException();
    }

    @Test
    void valuesThatDoNotFitAreNamedWithWhatIsAllowed() {
        assertThatThrownBy(() -> check(Map.of("policy", "round_robbin", "queue_size", "many")))
                .isInstanceOf(WorkerFailure.class)
                .hasMessageContainingAll("policy", "did you mean 'round_robin'?", "queue_size", "'many'");
    }

    @Test
    void eachRouterHasItsOwnArguments() {
        Map<String, Object> ofSmg = Map.of("policy", "least_load", "cache_index", "hash");
        assertThatCode(() -> check("smg", ofSmg)).doesNotThrowAnyException();
        assertThatThrownBy(() -> check("sglang-router", ofSmg)).hasMessageContainingAll("policy", "'least_load'");
        assertThatThrownBy(() -> check(null, ofSmg)).hasMessageContainingAll("policy", "'least_load'");
        assertThatThrownBy(() -> check("smg", Map.of("cache_index", "list"))).hasMessageContainingAll("tree, hash");
    }
}
