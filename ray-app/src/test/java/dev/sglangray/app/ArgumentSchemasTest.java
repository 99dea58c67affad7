/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.bridge.PythonException;
import dev.sglangray.bridge.SchemaKind;
import org.junit.jupiter.api.Test;

class ArgumentSchemasTest {
    @Test
    void whyAPythonIsNotUsedIsTold() {
        ArgumentSchemas.Found found = ArgumentSchemas.find(SchemaKind.SERVER, "/no/such/python");

        assertThat(found.python()).isNull();
        assertThat(found.reason()).contains("/no/such/python");
        assertThatThrownBy(() -> ArgumentSchemas.require(SchemaKind.SERVER, "/no/such/python"))
                .isInstanceOf(PythonException.class);
    }
}
