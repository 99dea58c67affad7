/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SecretsTest {

    @Test
    void hidesTheValuesOfSecretNamesAndNothingElse() {
        Secrets secrets = Secrets.of(
                Map.of(
                        "api_key",
                        "k-123456",
                        "tokenizer_path",
                        "/models/t",
                        "keys",
                        List.of("other-key"),
                        "tp_size",
                        2),
                Map.of("HF_TOKEN", "hf_abc", "HOME", "/home/me"));

        assertThat(secrets.hide("k-123456 other-key hf_abc /models/t /home/me 2"))
                .isEqualTo("*** *** *** /models/t /home/me 2");
    }
}
