/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.workers.protocol.WorkerFailure;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VisibleDevicesTest {
    private static final String VARIABLE = "CUDA_VISIBLE_DEVICES";

    @ParameterizedTest
    @CsvSource({
        "'GPU-8932f937,GPU-1a2b3c4d', 1, GPU-1a2b3c4d",
        "'MIG-GPU-8932f937/1/0, MIG-GPU-8932f937/2/0', 0, MIG-GPU-8932f937/1/0",
        "'4,5,6,7', 2, 6",
        "'5,3', 0, 5"
    })
    void aNumberIsAPlaceInTheNodesOwnList(String shown, String number, String name) {
        assertThat(VisibleDevices.names(List.of(number), VARIABLE, shown)).containsExactly(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " "})
    void withoutAListNumbersAreNames(String shown) {
        assertThat(VisibleDevices.names(List.of("2", "3"), VARIABLE, shown)).containsExactly("2", "3");
        assertThat(VisibleDevices.names(List.of("2", "3"), VARIABLE, null)).containsExactly("2", "3");
    }

    @ParameterizedTest
    @CsvSource({"'level_zero:2,3', 3", "'2,3', 3", "level_zero:gpu, 1", "'*:*', 1"})
    void oneApiNamesABackendBeforeTheList(String shown, String name) {
        assertThat(VisibleDevices.names(List.of("1"), "ONEAPI_DEVICE_SELECTOR", shown))
                .containsExactly(name);
    }

    @Test
    void aListThatIsTooShortIsAFailureWithWords() {
        assertThatThrownBy(() -> VisibleDevices.names(List.of("1", "2"), VARIABLE, "GPU-8932f937,GPU-1a2b3c4d"))
                .isInstanceOf(WorkerFailure.class)
                .hasMessageContaining("accelerator 2 of its node")
                .hasMessageContaining("CUDA_VISIBLE_DEVICES=GPU-8932f937,GPU-1a2b3c4d, which has 2 only");
    }
}
