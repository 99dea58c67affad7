/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import dev.sglangray.client.internal.json.JsonReader;
import dev.sglangray.client.internal.json.JsonReader.Part;
import dev.sglangray.client.internal.json.JsonText;
import dev.sglangray.client.internal.json.TokenIds;
import java.io.IOException;
import java.util.List;
import java.util.Map;

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
    private static final Map<String, Part<?>> PARTS =
            Map.of("text", JsonReader::text, "output_ids", JsonReader::tokenIds, "meta_info", MetaInfo::read);

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
        return JsonReader.whole(bytes, Generation::read);
    }

    static Generation read(JsonReader reader) throws IOException {
        JsonReader.Members members = reader.members(PARTS);
        if (members.read().get("text") == null && members.read().get("output_ids") == null) {
            throw new IllegalArgumentException("it has neither \"text\" nor \"output_ids\"");
        }
        return new Generation(
                members.get("text", ""),
                members.get("output_ids", TokenIds.EMPTY),
                members.get("meta_info", MetaInfo.NONE),
                members.rest());
    }
}
