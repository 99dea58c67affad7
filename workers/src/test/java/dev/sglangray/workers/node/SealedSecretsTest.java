/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.workers.loop.RecordStore;
import dev.sglangray.workers.protocol.ProtocolJson;
import dev.sglangray.workers.protocol.WorkerFailure;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class SealedSecretsTest {
    private static final String SPEC = """
            {"groupName":"engines","serverArgs":{"api_key":"hunter22","port":null,"tp_size":2,"max_total_tokens":4096,
            "model_path":"https://me:pass-word@models/x","served_model_name":"x-hunter22","jwt_role_mapping":{"a":["bb"]},
            "other_key":"abc","pin_token":1234567},"environment":{"HF_TOKEN":"hf_abcdef","LANG":"C"}}""";

    /** In memory, as the file of a worker's node. */
    private static final class Store implements RecordStore<SealedSecrets.Key> {
        private SealedSecrets.@Nullable Key kept;

        @Override
        public CompletableFuture<Void> save(SealedSecrets.Key record) {
            kept = record;
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public Optional<SealedSecrets.Key> load() {
            return Optional.ofNullable(kept);
        }

        @Override
        public void delete() {
            kept = null;
        }
    }

    private final Store store = new Store();

    @Test
    void sealsWhatIsSecretAndNothingElse() {
        String sealed = SealedSecrets.Key.random().seal(SPEC);

        assertThat(sealed)
                .doesNotContain("hunter22", "pass-word", "hf_abcdef", "\"abc\"", "1234567")
                .contains("\"groupName\":\"engines\"", "\"tp_size\":2", "\"max_total_tokens\":4096", "\"LANG\":\"C\"")
                .contains("\"port\":null");
    }

    @Test
    void opensToWhatItWasTypesIncluded() {
        SealedSecrets.Key key = SealedSecrets.Key.random();
        SealedSecrets worker = new SealedSecrets(store);
        worker.unseal(key);

        assertThat(ProtocolJson.tree(worker.open(key.seal(SPEC)))).isEqualTo(ProtocolJson.tree(SPEC));
    }

    @Test
    void aSuccessorHasTheKeyOfItsPredecessor() {
        SealedSecrets.Key key = SealedSecrets.Key.random();
        new SealedSecrets(store).unseal(key);

        assertThat(ProtocolJson.tree(new SealedSecrets(store).open(key.seal(SPEC))))
                .isEqualTo(ProtocolJson.tree(SPEC));
    }

    @Test
    void withoutTheKeyNothingStarts() {
        String sealed = new SealedSecrets(store).open(SealedSecrets.Key.random().seal(SPEC));

        assertThat(sealed).doesNotContain("hunter22");
        assertThatThrownBy(() -> SealedSecrets.requireOpen(sealed))
                .isInstanceOf(WorkerFailure.class)
                .hasMessageContaining("the key to its secrets is lost");
        SealedSecrets.requireOpen(SPEC);
    }

    @Test
    void aWrongKeyOpensNothing() {
        SealedSecrets worker = new SealedSecrets(store);
        worker.unseal(SealedSecrets.Key.random());
        String sealed = SealedSecrets.Key.random().seal(SPEC);

        assertThatThrownBy(() -> worker.open(sealed))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("does not open");
    }

    @Test
    void aValueThatLooksSealedStaysWhatItIs() {
        SealedSecrets.Key key = SealedSecrets.Key.random();
        SealedSecrets worker = new SealedSecrets(store);
        worker.unseal(key);
        String odd = "{\"served_model_name\":\"sglang-ray-sealed:AAAA\"}";

        assertThat(worker.open(key.seal(odd))).isEqualTo(odd);
    }

    @Test
    void theKeyIsNotInItsText() {
        SealedSecrets.Key key = SealedSecrets.Key.random();

        assertThat(key.toString()).doesNotContain(key.base64());
        assertThat(key).isNotEqualTo(SealedSecrets.Key.random());
    }
}
