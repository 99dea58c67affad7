/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.call;

import dev.sglangray.client.internal.json.Checks;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The JSON of a generation with the ids by which it can be aborted. */
public record GenerationBody(Map<String, @Nullable Object> fields, String requestId, List<String> rids) {
    /**
     * Gives a request ids unless it has its own.
     *
     * @param fields changed
     * @param batch the number of prompts in a batch, or 0 if it is none
     * @param samples the number of samples of each prompt; more than one share ids in ways that differ between engines, so they get none
     */
    public static GenerationBody of(Map<String, @Nullable Object> fields, int batch, int samples, boolean abortable) {
        String requestId = RequestIds.next();
        Object own = fields.get("rid");
        if (own instanceof String rid) {
            return new GenerationBody(fields, Checks.isHeaderValue(rid) ? rid : requestId, List.of(rid));
        }
        if (own instanceof List<?> several) {
            return new GenerationBody(
                    fields, requestId, several.stream().map(String::valueOf).toList());
        }
        if (!abortable || samples != 1 || own != null) {
            return new GenerationBody(fields, requestId, List.of());
        }
        if (batch == 0) {
            fields.put("rid", requestId);
            return new GenerationBody(fields, requestId, List.of(requestId));
        }
        List<String> rids = new ArrayList<>(batch);
        for (int i = 0; i < batch; i++) {
            rids.add(requestId + "-" + i);
        }
        fields.put("rid", rids);
        return new GenerationBody(fields, requestId, List.copyOf(rids));
    }

    /** The value of {@code n}, which is 1 unless set. */
    public static int samples(@Nullable Object n) {
        return n == null ? 1 : n instanceof Number number ? number.intValue() : 0;
    }
}
