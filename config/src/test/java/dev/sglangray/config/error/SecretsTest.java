/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.error;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class SecretsTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The table that the workers and the Python side are tested with too. */
    private static JsonNode cases() throws IOException {
        return JSON.readTree(Objects.requireNonNull(SecretsTest.class.getResourceAsStream("secret-cases.json")));
    }

    @Test
    void hidesValuesOfSecretLookingKeys() throws IOException {
        for (JsonNode key : cases().path("names").path("secret")) {
            assertThat(Secrets.isSecret(key.asText())).as(key.asText()).isTrue();
            assertThat(Secrets.display(key.asText(), "s3cr3t")).doesNotContain("s3cr3t");
        }
    }

    @Test
    void showsOthers() throws IOException {
        for (JsonNode key : cases().path("names").path("open")) {
            assertThat(Secrets.isSecret(key.asText())).as(key.asText()).isFalse();
            assertThat(Secrets.display(key.asText(), "value")).isEqualTo("'value'");
        }
    }

    @Test
    void findsTheSecretsOfATree() throws IOException {
        for (JsonNode one : cases().path("values")) {
            Map<String, Object> arguments = JSON.convertValue(one.path("arguments"), new TypeReference<>() {});
            List<String> secrets = JSON.convertValue(one.path("secrets"), new TypeReference<>() {});
            assertThat(Secrets.valuesIn(arguments)).as(one.toString()).isEqualTo(secrets);
        }
    }

    @Test
    void hidesWhatLooksSecretInsideATextAndNothingElse() throws IOException {
        for (JsonNode one : cases().path("texts")) {
            assertThat(Secrets.inText(one.get(0).asText())).isEqualTo(one.get(1).asText());
        }
    }

    @Test
    void showsNumbersOfTokens() {
        assertThat(Secrets.display("max_total_tokens", 32)).isEqualTo("32");
        assertThat(Secrets.display("api_key", 20251124)).isEqualTo("<hidden>");
        assertThat(Secrets.display("hf_token", 20251124)).isEqualTo("<hidden>");
        assertThat(Secrets.display("api_key", true)).isEqualTo("true");
    }

    @Test
    void longTextsAreReadInTime() {
        String nested = "a: {".repeat(5_000);

        assertThat(Secrets.inText(nested)).isEqualTo(nested);
    }

    @Test
    void shortensLongValues() {
        assertThat(Secrets.display("a", "x".repeat(1_000))).hasSizeLessThan(200);
    }
}
