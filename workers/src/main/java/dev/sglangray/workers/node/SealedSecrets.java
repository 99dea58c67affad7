/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.node;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.sglangray.config.error.Secrets;
import dev.sglangray.workers.loop.RecordStore;
import dev.sglangray.workers.protocol.ProtocolJson;
import dev.sglangray.workers.protocol.WorkerFailure;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Keeps secrets out of what Ray's control store (GCS) holds. Ray stores the arguments of an actor's constructor there, for as long
 * as the actor may be restarted. The creator therefore seals each secret value in them (AES-256-GCM), and sends the key by a call,
 * which goes from process to process. The worker keeps the key in its handover file, for a successor on its node: the control store
 * has the values without the key, the node's disk the key without the values.
 *
 * <p>An object of this class is the worker's side. Safe for use by many threads.
 */
public final class SealedSecrets {
    private static final String MARK = "sglang-ray-sealed:";
    private static final int NONCE_BYTES = 12;
    private static final int TAG_BITS = 128;

    private final RecordStore<Key> store;
    private volatile @Nullable Key key;

    /**
     * What opens the values of one actor.
     *
     * @param base64 256 random bits
     */
    public record Key(String base64) {
        /** Another one each time. */
        public static Key random() {
            byte[] bits = new byte[32];
            new SecureRandom().nextBytes(bits);
            return new Key(Base64.getEncoder().encodeToString(bits));
        }

        /** A JSON text, each value in it that is secret or holds a secret being sealed. */
        public String seal(String json) {
            JsonNode tree = ProtocolJson.tree(json);
            List<String> secrets = Secrets.valuesIn(ProtocolJson.map(tree));
            Leaf seal = (name, inSecret, leaf) -> {
                String text = leaf.asText();
                boolean secret = (leaf.isTextual() || leaf.isNumber())
                        && (inSecret
                                || Secrets.hides(name, leaf.isNumber() ? leaf.numberValue() : text)
                                || text.startsWith(MARK)
                                || secrets.stream().anyMatch(text::contains));
                return secret ? new TextNode(MARK + sealed(leaf.toString())) : leaf;
            };
            return mapped("", false, tree, seal).toString();
        }

        private String open(String json) {
            Leaf open = (name, inSecret, leaf) ->
                    isSealed(leaf) ? ProtocolJson.tree(opened(leaf.asText().substring(MARK.length()))) : leaf;
            return mapped("", false, ProtocolJson.tree(json), open).toString();
        }

        private String sealed(String text) {
            byte[] nonce = new byte[NONCE_BYTES];
            new SecureRandom().nextBytes(nonce);
            byte[] sealed = crypt(Cipher.ENCRYPT_MODE, nonce, text.getBytes(StandardCharsets.UTF_8));
            return Base64.getEncoder()
                    .encodeToString(ByteBuffer.allocate(nonce.length + sealed.length)
                            .put(nonce)
                            .put(sealed)
                            .array());
        }

        private String opened(String base64) {
            ByteBuffer bytes = ByteBuffer.wrap(Base64.getDecoder().decode(base64));
            byte[] nonce = new byte[NONCE_BYTES];
            bytes.get(nonce);
            byte[] sealed = new byte[bytes.remaining()];
            bytes.get(sealed);
            return new String(crypt(Cipher.DECRYPT_MODE, nonce, sealed), StandardCharsets.UTF_8);
        }

        private byte[] crypt(int mode, byte[] nonce, byte[] text) {
            try {
                Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
                cipher.init(
                        mode,
                        new SecretKeySpec(Base64.getDecoder().decode(base64), "AES"),
                        new GCMParameterSpec(TAG_BITS, nonce));
                return cipher.doFinal(text);
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("a sealed value does not open with this worker's key", e);
            }
        }

        @Override
        public String toString() {
            return "Key[" + Secrets.HIDDEN + "]";
        }
    }

    /** What becomes of a value that is neither a map nor a list. */
    private interface Leaf {
        JsonNode map(String name, boolean inSecret, JsonNode leaf);
    }

    private static JsonNode mapped(String name, boolean inSecret, JsonNode node, Leaf leaf) {
        if (node.isObject()) {
            ObjectNode map = JsonNodeFactory.instance.objectNode();
            node.properties()
                    .forEach(entry -> map.set(
                            entry.getKey(),
                            mapped(
                                    entry.getKey(),
                                    inSecret
                                            || (entry.getValue().isContainerNode() && Secrets.isSecret(entry.getKey())),
                                    entry.getValue(),
                                    leaf)));
            return map;
        }
        if (node.isArray()) {
            ArrayNode list = JsonNodeFactory.instance.arrayNode();
            node.forEach(item -> list.add(mapped(name, inSecret, item, leaf)));
            return list;
        }
        return leaf.map(name, inSecret, node);
    }

    private static boolean isSealed(JsonNode leaf) {
        return leaf.isTextual() && leaf.asText().startsWith(MARK);
    }

    /** Takes over the key that a predecessor left, if it did. */
    public SealedSecrets(RecordStore<Key> store) {
        this.store = store;
        key = store.load().orElse(null);
    }

    /** Takes the key from the actor's creator. */
    public void unseal(Key creators) {
        key = creators;
        CompletableFuture<Void> unused = store.save(creators);
    }

    /** Whether the key is there. */
    public boolean isOpen() {
        return key != null;
    }

    /** A JSON text with its sealed values opened; as it is while the key has not come. */
    public String open(String json) {
        Key present = key;
        return present == null ? json : present.open(json);
    }

    /** As {@link #open(String)}, for what is expressible as JSON. */
    public <T> T open(T value, Class<T> type) {
        return ProtocolJson.read(open(ProtocolJson.write(value)), type);
    }

    /**
     * Refuses to start a process with values that are sealed still.
     *
     * @throws WorkerFailure when there is one
     */
    public static void requireOpen(String json) {
        if (json.contains("\"" + MARK)) {
            throw new WorkerFailure(
                    "the key to its secrets is lost: it lay in the node's temporary folder, which was emptied."
                            + " End the fleet and launch it again");
        }
    }
}
