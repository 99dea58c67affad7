/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class SecretValuesTest {
    private static final Map<String, String> VARIABLES =
            Map.of("MY_SECRET", "of-a-variable", "MODEL", "/models/small", "PIN_TOKEN", "1234");

    @Test
    void findsThemByTheNamesOfKeysAndOfVariables() {
        Config config = Config.parse("""
                api_key: of-a-key
                keys: [first-of-all, {a: second-one}]
                name: x-${oc.env:MY_SECRET}
                model: ${oc.env:MODEL}
                pin: ${oc.env:PIN_TOKEN}
                token: ${.model}
                url: redis://user:pass-word@host/0
                absent: ${oc.env:NO_SECRET,none}
                broken: ${oc.env:NO_SECRET}
                flag_token: true
                """, VARIABLES);

        assertThat(config.secretValues())
                .containsExactlyInAnyOrder(
                        "of-a-key",
                        "first-of-all",
                        "second-one",
                        "of-a-variable",
                        "/models/small",
                        "pass-word",
                        "1234");
    }
}
