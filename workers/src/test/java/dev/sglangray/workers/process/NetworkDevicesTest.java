/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NetworkDevicesTest {
    private static final String NODE = "{\"0\": \"a\", \"1\": \"b\", \"4\": \"c, d\", \"5\": \"e\"}";

    private static String own(String given, String... devices) {
        Map<String, Object> arguments = new HashMap<>(Map.of("disaggregation_ib_device", given));
        NetworkDevices.renumber(arguments, List.of(devices));
        return String.valueOf(arguments.get("disaggregation_ib_device"));
    }

    @Test
    void anEngineGetsTheDevicesOfItsAcceleratorsByItsOwnNumbers() {
        assertThat(own(NODE, "4", "5")).isEqualTo("{\"0\":\"c, d\",\"1\":\"e\"}");
        assertThat(own(NODE, "5", "0")).isEqualTo("{\"0\":\"e\",\"1\":\"a\"}");
        assertThat(own(" " + NODE, "0", "1")).isEqualTo("{\"0\":\"a\",\"1\":\"b\"}");
    }

    @Test
    void theMapMayBeInAFileOfTheNode(@TempDir Path folder) throws IOException {
        String file = Files.writeString(folder.resolve("devices.json"), NODE).toString();
        assertThat(own(file, "5")).isEqualTo("{\"0\":\"e\"}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mlx5_0,mlx5_1",
                "{\"0\": \"a\", \"4\": \"b\"}",
                "{\"4\": ",
                "[\"4\", \"5\"]",
                "/nowhere/devices.json",
                "{\"0\": \"a\", \"1\": \"b\"}"
            })
    void whatIsNoMapOfItsAcceleratorsIsLeftToSglang(String given) {
        assertThat(own(given, "4", "5")).isEqualTo(given);
        assertThat(own(given)).as("an engine without accelerators").isEqualTo(given);
    }
}
