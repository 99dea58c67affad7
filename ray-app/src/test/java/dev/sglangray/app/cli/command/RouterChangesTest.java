/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import dev.sglangray.app.ArgumentSchemas;
import dev.sglangray.bridge.SchemaKind;
import dev.sglangray.config.error.ConfigException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The words of {@code replace-router}. */
class RouterChangesTest {
    private final ArgumentSchemas.Found tested = ArgumentSchemas.find(SchemaKind.ROUTER, null);

    private Map<String, Object> read(String... lines) {
        return RouterChanges.read(List.of(lines), tested);
    }

    @Test
    void onlyWhatIsNamedChanges() {
        assertThat(read("policy=round_robin", "cache_threshold=0.6", "++selector={app: sglang}"))
                .containsOnly(
                        entry("policy", "round_robin"),
                        entry("cache_threshold", 0.6),
                        entry("selector", Map.of("app", "sglang")));
    }

    @Test
    void nullAndTildeAreTheRoutersOwnDefault() {
        assertThat(read("policy=null", "~queue_size")).containsOnly(entry("policy", null), entry("queue_size", null));
    }

    @Test
    void whatIsWrongIsNamed() {
        assertThatThrownBy(() -> read("polcy=random"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContainingAll("polcy", "did you mean 'policy'?");
        assertThatThrownBy(() -> read("queue_size=many")).hasMessageContainingAll("queue_size", "'many'");
        assertThatThrownBy(() -> read("policy=fastest")).hasMessageContainingAll("policy", "round_robin");
        assertThatThrownBy(() -> read("policy")).isInstanceOf(ConfigException.class);
    }
}
