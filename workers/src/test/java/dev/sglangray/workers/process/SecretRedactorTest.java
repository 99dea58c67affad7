/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.bridge.LogTail;
import dev.sglangray.config.error.Secrets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SecretRedactorTest {

    @Test
    void hidesTheValuesOfSecretNamesAndNothingElse() {
        SecretRedactor secrets = SecretRedactor.of(
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
                .isEqualTo("<hidden> <hidden> <hidden> /models/t /home/me 2");
    }

    /** The table that the configuration and the Python side are tested with too. */
    @Test
    void hidesWhatTheOthersHide() throws IOException {
        Path table = Path.of("../config/src/test/resources/dev/sglangray/config/error/secret-cases.json");
        ObjectMapper json = new ObjectMapper();
        for (JsonNode one : json.readTree(Files.readString(table)).path("values")) {
            Map<String, Object> arguments = json.convertValue(one.path("arguments"), new TypeReference<>() {});
            SecretRedactor secrets = SecretRedactor.of(arguments, Map.of());
            one.path("secrets")
                    .forEach(secret -> assertThat(secrets.hide("x " + secret.asText() + " y"))
                            .as(one.toString())
                            .isEqualTo("x <hidden> y"));
        }
        for (JsonNode name :
                json.readTree(Files.readString(table)).path("names").path("secret")) {
            assertThat(SecretRedactor.of(Map.of(), Map.of(name.asText(), "s3cr3t"))
                            .hide("s3cr3t"))
                    .isEqualTo("<hidden>");
        }
    }

    @Test
    void aPieceOfALogHasNoSecretInAnyLine() {
        SecretRedactor redactor = SecretRedactor.of(Map.of("api_key", "key-of-the-engine"), Map.of());
        LogTail.Position next = new LogTail.Position("/log", "1", 7, false);

        LogTail.Piece hidden = redactor.hide(
                new LogTail.Piece(next, List.of("a", "with key-of-the-engine"), "key-of-the-engine half", true));

        assertThat(hidden)
                .isEqualTo(new LogTail.Piece(
                        next, List.of("a", "with " + Secrets.HIDDEN), Secrets.HIDDEN + " half", true));
    }
}
