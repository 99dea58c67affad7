/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.error;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NearestNameTest {
    private static final List<String> KNOWN =
            List.of("tp_size", "pp_size", "mem_fraction_static", "attention_backend", "log_level");

    @ParameterizedTest
    @CsvSource({
        "tp_sizes, tp_size",
        "mem_fraction_statik, mem_fraction_static",
        "mem-fraction-static, mem_fraction_static",
        "LOG_LEVEL, log_level",
        "atention_backend, attention_backend",
        "attention, attention_backend",
        "lgo_level, log_level"
    })
    void findsWhatWasMeant(String written, String meant) {
        assertThat(NearestName.nearest(written, KNOWN)).contains(meant);
    }

    @Test
    void suggestsNothingWhenNothingIsNear() {
        assertThat(NearestName.nearest("chunked_prefill_size", KNOWN)).isEmpty();
        assertThat(NearestName.didYouMean("x", KNOWN)).isEmpty();
    }

    @Test
    void prefersTheFirstOfEquals() {
        assertThat(NearestName.nearest("xp_size", KNOWN)).contains("pp_size");
    }
}
