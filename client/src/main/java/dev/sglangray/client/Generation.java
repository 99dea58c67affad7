/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import dev.sglangray.client.internal.json.JsonReader;
import dev.sglangray.client.internal.json.JsonText;
import dev.sglangray.client.internal.json.LazyJsonMap;
import dev.sglangray.client.internal.json.TokenIds;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One generated continuation, or as much of it as a stream has brought so far. Immutable.
 *
 * @param text the generated text; empty from an engine that does not detokenize. In a stream, all of it so far, unless the engine was
 *     started with {@code --incremental-streaming-output} or the like
 * @param outputIds the generated token ids; empty if the engine did not send them
 * @param metaInfo what the engine says about the generation
 * @param extra every other field of the answer, as it came
 */
public record Generation(String text, List<Integer> outputIds, MetaInfo metaInfo, Map<String, Object> extra) {
    public Generation {
        outputIds = outputIds instanceof TokenIds ? outputIds : List.copyOf(outputIds);
        extra = JsonText.freezeMap(extra);
    }

    /** Its number in a batch or among samples; 0 if it stands alone. */
    public int index() {
        return extra.get("index") instanceof Number number ? number.intValue() : 0;
    }

    /** One event of a stream. */
    static Generation parse(byte[] bytes) throws IOException {
        try (JsonReader reader = JsonReader.of(bytes)) {
            Generation generation = read(reader);
            reader.end();
            return generation;
        }
    }

    static Generation read(JsonReader reader) throws IOException {
        @Nullable String text = null;
        @Nullable TokenIds ids = null;
        MetaInfo metaInfo = MetaInfo.NONE;
        LazyJsonMap.Builder rest = new LazyJsonMap.Builder();
        @Nullable String name = reader.firstMember();
        while (name != null) {
            switch (name) {
                case "text" -> text = reader.isNull() ? text : reader.text();
                case "output_ids" -> ids = reader.isNull() ? ids : reader.tokenIds();
                case "meta_info" -> metaInfo = MetaInfo.read(reader);
                default -> reader.leave(name, rest);
            }
            name = reader.nextMember();
        }
        if (text == null && ids == null) {
            throw new IllegalArgumentException("it has neither \"text\" nor \"output_ids\"");
        }
        return new Generation(text == null ? "" : text, ids == null ? TokenIds.EMPTY : ids, metaInfo, rest.build());
    }
}
