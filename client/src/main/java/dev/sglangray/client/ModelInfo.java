/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import dev.sglangray.client.internal.json.JsonReader;
import dev.sglangray.client.internal.json.JsonReader.Part;
import dev.sglangray.client.internal.json.JsonText;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/**
 * A model that a server serves ({@code /v1/models}). Immutable.
 *
 * @param id the name to give in requests
 * @param maxModelLen how many tokens a context may have; 0 if unknown
 * @param extra every other field, as it came
 */
public record ModelInfo(String id, int maxModelLen, Map<String, Object> extra) {
    private static final Map<String, Part<?>> PARTS =
            Map.of("id", JsonReader::text, "max_model_len", JsonReader::integer);

    public ModelInfo {
        extra = JsonText.freezeMap(extra);
    }

    static List<ModelInfo> parse(byte[] bytes) throws IOException {
        Map<String, Part<?>> data = Map.of("data", reader -> reader.list(ModelInfo::read));
        List<ModelInfo> models =
                JsonReader.whole(bytes, reader -> reader.members(data)).get("data");
        if (models == null) {
            throw new IllegalArgumentException("it has no \"data\"");
        }
        return List.copyOf(models);
    }

    private static ModelInfo read(JsonReader reader) throws IOException {
        JsonReader.Members members = reader.members(PARTS);
        return new ModelInfo(members.get("id", ""), members.get("max_model_len", 0), members.rest());
    }
}
