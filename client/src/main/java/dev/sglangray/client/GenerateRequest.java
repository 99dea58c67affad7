/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import dev.sglangray.client.internal.call.GenerationBody;
import dev.sglangray.client.internal.json.Checks;
import dev.sglangray.client.internal.json.JsonText;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A request to {@code POST /generate}. Immutable.
 *
 * @param prompt what to continue
 * @param samplingParams SGLang's sampling parameters, for example {@code max_new_tokens}; left out of the request if empty
 * @param returnLogprob whether log-probabilities are wanted
 * @param extra further top-level fields, passed on as they are, for example {@code lora_path}
 */
public record GenerateRequest(
        Prompt prompt, Map<String, Object> samplingParams, boolean returnLogprob, Map<String, Object> extra) {
    private static final Set<String> OWN_FIELDS = Set.of("text", "input_ids", "sampling_params", "return_logprob");

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if {@code extra} names one of the other parameters, or asks for a stream
     */
    public GenerateRequest {
        samplingParams = JsonText.freezeMap(samplingParams);
        extra = Checks.fieldsOfRequest(extra, OWN_FIELDS);
    }

    /** A builder; it needs a prompt, the rest is optional. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The request's body.
     *
     * @param abortable whether to give it an id, by which an engine can abort it
     */
    GenerationBody body(boolean stream, boolean abortable) {
        return GenerationBody.of(toJson(), prompt, samplingParams.get("n"), stream, abortable);
    }

    Map<String, @Nullable Object> toJson() {
        Map<String, @Nullable Object> body = new LinkedHashMap<>();
        body.put("return_logprob", returnLogprob);
        body.put(prompt.field(), prompt.value());
        if (!samplingParams.isEmpty()) {
            body.put("sampling_params", samplingParams);
        }
        body.putAll(extra);
        return body;
    }

    /** Collects the parts of a request. Not thread-safe. The last prompt given counts. */
    public static final class Builder {
        private @Nullable Prompt prompt;
        private final Map<String, Object> samplingParams = new LinkedHashMap<>();
        private final Map<String, Object> extra = new LinkedHashMap<>();
        private boolean returnLogprob;

        private Builder() {}

        /** One text. */
        public Builder text(String text) {
            return prompt(new Prompt.Text(text));
        }

        /** A batch of texts; the answer has one generation for each, in this order. */
        public Builder texts(List<String> texts) {
            return prompt(new Prompt.Texts(texts));
        }

        /** The token ids of one prompt. */
        public Builder inputIds(List<Integer> ids) {
            return prompt(new Prompt.InputIds(ids));
        }

        /** The token ids of a batch of prompts. */
        public Builder inputIdsBatch(List<List<Integer>> ids) {
            return prompt(new Prompt.InputIdsBatch(ids));
        }

        /** Any prompt. */
        public Builder prompt(Prompt value) {
            this.prompt = value;
            return this;
        }

        /** Adds one sampling parameter. */
        public Builder samplingParam(String name, Object value) {
            samplingParams.put(name, value);
            return this;
        }

        /** Adds sampling parameters. */
        public Builder samplingParams(Map<String, ?> params) {
            samplingParams.putAll(params);
            return this;
        }

        /** Lets the engine generate only JSON of this schema: a JSON schema as maps and lists, or as text. */
        public Builder jsonSchema(Object schema) {
            return samplingParam("json_schema", schema instanceof String text ? text : JsonText.text(schema));
        }

        /** Lets the engine generate only what the regular expression matches. */
        public Builder regex(String expression) {
            return samplingParam("regex", expression);
        }

        /** Lets the engine generate only what the grammar, in EBNF, derives. */
        public Builder ebnf(String grammar) {
            return samplingParam("ebnf", grammar);
        }

        /** Whether log-probabilities are wanted; false unless set. */
        public Builder returnLogprob(boolean value) {
            this.returnLogprob = value;
            return this;
        }

        /** Adds a further top-level field. */
        public Builder extra(String name, Object value) {
            extra.put(name, value);
            return this;
        }

        /**
         * The request.
         *
         * @throws IllegalArgumentException without a prompt, and where {@link GenerateRequest} throws it
         */
        public GenerateRequest build() {
            if (prompt == null) {
                throw new IllegalArgumentException("a request needs a prompt: text, texts, inputIds or inputIdsBatch");
            }
            return new GenerateRequest(prompt, samplingParams, returnLogprob, extra);
        }
    }
}
