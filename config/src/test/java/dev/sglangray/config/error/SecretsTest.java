/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.error;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SecretsTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "api_key",
                "admin_api_key",
                "router_server_args.router.api_key",
                "HF_TOKEN",
                "auth-token",
                "client_secret",
                "db_password",
                "control_plane_api_keys",
                "S3_ACCESS_KEY",
                "private-key",
                "Authorization"
            })
    void hidesValuesOfSecretLookingKeys(String key) {
        assertThat(Secrets.isSecret(key)).isTrue();
        assertThat(Secrets.display(key, "s3cr3t")).doesNotContain("s3cr3t");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "model_path",
                "tokenizer_path",
                "secrets.model",
                "log_level",
                "server_key_path",
                "ssl_keyfile",
                "key_value"
            })
    void showsOthers(String key) {
        assertThat(Secrets.isSecret(key)).isFalse();
        assertThat(Secrets.display(key, "value")).isEqualTo("'value'");
    }

    @Test
    void showsNumbersOfTokens() {
        assertThat(Secrets.display("max_total_tokens", 32)).isEqualTo("32");
        assertThat(Secrets.display("api_key", 20251124)).isEqualTo("<hidden>");
        assertThat(Secrets.display("hf_token", 20251124)).isEqualTo("<hidden>");
        assertThat(Secrets.display("api_key", true)).isEqualTo("true");
    }

    @Test
    void shortensLongValues() {
        assertThat(Secrets.display("a", "x".repeat(1_000))).hasSizeLessThan(200);
    }
}
