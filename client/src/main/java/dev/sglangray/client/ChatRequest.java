/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import dev.sglangray.client.internal.call.GenerationBody;
import dev.sglangray.client.internal.json.Checks;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A request to {@code POST /v1/chat/completions}. Immutable.
 *
 * @param model any name that the server accepts; engines with one model take any
 * @param messages the conversation; not empty
 * @param extra further top-level fields, passed on as they are, for example {@code temperature} or {@code max_tokens}
 */
public record ChatRequest(String model, List<ChatMessage> messages, Map<String, Object> extra) {
    /** The model name that is sent unless another is given; it is RLinf's. */
    public static final String DEFAULT_MODEL = "sglang-model";

    private static final Set<String> OWN_FIELDS = Set.of("model", "messages");

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException without messages, or if {@code extra} names another parameter or asks for a stream
     */
    public ChatRequest {
        messages = List.copyOf(messages);
        if (messages.isEmpty()) {
            throw new IllegalArgumentException("a chat needs a message");
        }
        extra = Checks.fieldsOfRequest(extra, OWN_FIELDS);
    }

    /** A builder; it needs a message, the rest is optional. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The request's body.
     *
     * @param abortable whether to give it an id, by which an engine can abort it
     */
    GenerationBody body(boolean stream, boolean abortable) {
        return GenerationBody.of(toJson(), null, extra.get("n"), stream, abortable);
    }

    Map<String, @Nullable Object> toJson() {
        Map<String, @Nullable Object> body = new LinkedHashMap<>();
        body.put("model", model);
        body.put("messages", messages.stream().map(ChatMessage::toJson).toList());
        body.putAll(extra);
        return body;
    }

    /** Collects the parts of a request. Not thread-safe. */
    public static final class Builder {
        private String model = DEFAULT_MODEL;
        private final List<ChatMessage> messages = new ArrayList<>();
        private final Map<String, Object> extra = new LinkedHashMap<>();
        private final List<Tool> tools = new ArrayList<>();

        private Builder() {}

        /** The model's name; {@link #DEFAULT_MODEL} unless set. */
        public Builder model(String value) {
            this.model = value;
            return this;
        }

        /** Adds a message. */
        public Builder message(ChatMessage message) {
            messages.add(message);
            return this;
        }

        /** Adds a message of the role {@code user}. */
        public Builder user(String text) {
            return message(ChatMessage.user(text));
        }

        /** Adds a message of the role {@code system}. */
        public Builder system(String text) {
            return message(ChatMessage.system(text));
        }

        /** Offers a tool to the model. */
        public Builder tool(Tool tool) {
            tools.add(tool);
            return this;
        }

        /** Which tool the model is to call: {@code auto}, {@code none}, {@code required}, or OpenAI's object for one of them. */
        public Builder toolChoice(Object choice) {
            return extra("tool_choice", choice);
        }

        /**
         * Lets the model answer only with JSON of this schema.
         *
         * @param name of the schema, any
         * @param schema a JSON schema as maps and lists
         */
        public Builder jsonSchema(String name, Map<String, ?> schema) {
            return extra(
                    "response_format",
                    Map.of(
                            "type",
                            "json_schema",
                            "json_schema",
                            Map.of("name", name, "schema", schema, "strict", true)));
        }

        /** Adds a further top-level field, for example {@code max_tokens}. */
        public Builder extra(String name, Object value) {
            extra.put(name, value);
            return this;
        }

        /**
         * The request.
         *
         * @throws IllegalArgumentException where {@link ChatRequest} throws it
         */
        public ChatRequest build() {
            Map<String, Object> all = new LinkedHashMap<>(extra);
            if (!tools.isEmpty()) {
                all.put("tools", tools.stream().map(Tool::toJson).toList());
            }
            return new ChatRequest(model, messages, all);
        }
    }
}
