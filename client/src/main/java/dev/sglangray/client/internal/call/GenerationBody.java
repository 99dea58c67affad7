/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.call;

import dev.sglangray.client.Prompt;
import dev.sglangray.client.internal.json.Checks;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** The JSON of a generation with the ids by which it can be aborted. */
public record GenerationBody(Map<String, @Nullable Object> fields, String requestId, List<String> rids) {
    /**
     * Gives a request ids unless it has its own.
     *
     * @param fields changed
     * @param prompt what to continue, or null for a chat
     * @param n the number of samples of each prompt, 1 unless set; more than one share ids in ways that differ between engines, so they
     *     get none
     * @param stream whether to ask for a stream
     * @param abortable whether to give it ids, by which an engine can abort it
     */
    public static GenerationBody of(
            Map<String, @Nullable Object> fields,
            @Nullable Prompt prompt,
            @Nullable Object n,
            boolean stream,
            boolean abortable) {
        if (stream) {
            fields.put("stream", true);
        }
        String requestId = CallSpec.nextId();
        Object own = fields.get("rid");
        if (own instanceof String rid) {
            return new GenerationBody(fields, Checks.isHeaderValue(rid) ? rid : requestId, List.of(rid));
        }
        if (own instanceof List<?> several) {
            return new GenerationBody(
                    fields, requestId, several.stream().map(String::valueOf).toList());
        }
        boolean single = n == null || (n instanceof Number number && number.intValue() == 1);
        if (!abortable || !single || own != null) {
            return new GenerationBody(fields, requestId, List.of());
        }
        boolean batch = prompt instanceof Prompt.Texts || prompt instanceof Prompt.InputIdsBatch;
        if (prompt == null || !batch) {
            fields.put("rid", requestId);
            return new GenerationBody(fields, requestId, List.of(requestId));
        }
        int size = ((List<?>) prompt.value()).size();
        List<String> rids =
                IntStream.range(0, size).mapToObj(i -> requestId + "-" + i).toList();
        fields.put("rid", rids);
        return new GenerationBody(fields, requestId, rids);
    }
}
