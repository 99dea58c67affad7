/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.bridge.PythonException;
import dev.sglangray.bridge.SchemaKind;
import dev.sglangray.config.argument.ArgumentSchema;
import dev.sglangray.config.error.ConfigException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ArgumentSchemasTest {
    @Test
    void whyAPythonIsNotUsedIsTold() {
        ArgumentSchemas.Found found = ArgumentSchemas.find(SchemaKind.SERVER, "/no/such/python");

        assertThat(found.python()).isNull();
        assertThat(found.reason()).contains("/no/such/python");
        assertThatThrownBy(() -> ArgumentSchemas.require(SchemaKind.SERVER, "/no/such/python"))
                .isInstanceOf(PythonException.class);
    }

    @ParameterizedTest
    @EnumSource(SchemaKind.class)
    void theTestedVersionIsAmongTheReleases(SchemaKind kind) {
        ArgumentSchema tested = ArgumentSchemas.find(kind, null).schema();

        ArgumentSchema released =
                ArgumentSchemas.released(kind, tested.version()).schema();

        assertThat(released.fields().keySet()).isEqualTo(tested.fields().keySet());
    }

    @Test
    void aReleaseThatIsNotKnownIsRefusedWithThoseThatAre() {
        assertThatThrownBy(() -> ArgumentSchemas.released(SchemaKind.SERVER, "0.5.24"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("--target: error: sglang 0.5.24 is not known")
                .hasMessageContaining("the nearest is 0.5.23; known are 0.4.6.post5, 0.5.2,")
                .hasMessageContaining("0.5.12.post1");
        assertThatThrownBy(() -> ArgumentSchemas.released(SchemaKind.EMBODIED, "0.5.2"))
                .hasMessageContaining("sglang 0.5.2 has no embodied engines that are known")
                .hasMessageContaining("the nearest is 0.5.5");
    }
}
