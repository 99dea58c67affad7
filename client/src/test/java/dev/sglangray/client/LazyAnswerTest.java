/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.client.internal.json.JsonText;
import dev.sglangray.client.internal.json.LazyJsonMap;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LazyAnswerTest {
    @Test
    void logprobsAreDecodedWhenTheyAreAskedFor() throws Exception {
        MetaInfo meta = Generation.parse(bytes(
                        Answers.GENERATED.replace("[[NaN, 7, null]]", "[[-0.5, 7, \" é\\\"]\"], [NaN, 8, null]]")))
                .metaInfo();
        assertThat(meta.outputTokenLogprobs()).hasSize(2);
        assertThat(meta.outputTokenLogprobs().get(0)).isEqualTo(new TokenLogprob(-0.5, 7, " é\"]"));
        assertThat(meta.outputTokenLogprobs().get(1).logprob()).isNaN();
        assertThat(meta.inputTokenLogprobs()).isEmpty();
    }

    @Test
    void aChatsLogprobsAreLeftUntilTheyAreAskedFor() throws Exception {
        ChatResponse answer = ChatResponse.parse(bytes("""
                {"choices": [{"logprobs": {"content": [{"token": "é\\"", "logprob": -0.5}]}, "message": {"tool_calls": null,
                 "content": "Hi", "role": "assistant"}, "index": 0}], "usage": {"total_tokens": 3, "x": [1, {}]},
                 "object": {"a": [null]}}
                """));
        ChatChoice choice = answer.choices().get(0);
        assertThat(answer.text()).isEqualTo("Hi");
        assertThat(choice.extra()).isInstanceOf(LazyJsonMap.class);
        assertThat(choice.extra().get("logprobs"))
                .isEqualTo(Map.of("content", List.of(Map.of("token", "é\"", "logprob", -0.5))));
        assertThat(choice.message().extra()).containsOnlyKeys("tool_calls");
        assertThat(choice.message().toolCalls()).isEmpty();
        assertThat(answer.usage().extra()).isEqualTo(Map.of("x", List.of(1, Map.of())));
        assertThat(answer.extra()).containsOnlyKeys("object");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"choices\": [{\"message\": {\"content\": [{\"text\": \"x\"}]}, \"usage\": 1}], \"usage\": [1], \"id\": {\"a\": 1}}",
                "{\"choices\": [{\"index\": [0], \"message\": [\"no message\"]}], \"model\": null, \"usage\": null}"
            })
    void valuesOfOtherTypesThanExpectedSpoilNothingElse(String text) throws Exception {
        ChatResponse answer = ChatResponse.parse(bytes(text));
        assertThat(answer.choices()).hasSize(1);
        assertThat(answer.id() + answer.model() + answer.text()).isEmpty();
        assertThat(answer.usage().totalTokens()).isZero();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"{}", "[]", "1", "{\"choices\": null}", "{\"choices\": {}}", "{\"error\": {\"message\": \"x\"}}"
            })
    void answersWithoutChoicesAreRefused(String text) {
        for (EventStream.EventReader<?> reader :
                List.<EventStream.EventReader<?>>of(ChatResponse::parse, ChatChunk::parse, CompletionResponse::parse)) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> reader.read(bytes(text)))
                    .withMessageContaining("choices");
        }
    }

    /** Positions of values must be right whatever stands before them. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void whatIsLeftForLaterReadsAsIfItWereReadAtOnce(long seed) throws Exception {
        Random random = new Random(seed);
        Map<String, Object> meta = new java.util.LinkedHashMap<>();
        for (int i = 0; i < 30; i++) {
            meta.put("k" + "é".repeat(random.nextInt(3)) + i, value(random, 4));
        }
        Map<String, Object> whole = Map.of("text", "a😀\"\\", "meta_info", meta, "other", value(random, 5));
        Generation read = Generation.parse(JsonText.write(whole));
        assertThat(read.text()).isEqualTo("a😀\"\\");
        Object expected = java(JsonText.write(meta));
        assertThat(read.metaInfo().extra())
                .as("seed %d", seed)
                .isEqualTo(expected)
                .hasSameHashCodeAs(expected);
        assertThat(List.copyOf(read.metaInfo().extra().keySet()))
                .isEqualTo(List.copyOf(((Map<?, ?>) expected).keySet()));
        assertThat(read.extra().get("other")).isEqualTo(((Map<?, ?>) java(JsonText.write(whole))).get("other"));
    }

    @Test
    void recordsOfTheSameAnswerAreEqual() throws Exception {
        Generation one = Generation.parse(bytes(Answers.GENERATED));
        Generation other = Generation.parse(bytes(Answers.GENERATED));
        assertThat(one).isEqualTo(other).hasSameHashCodeAs(other).hasToString(other.toString());
        assertThatThrownBy(() -> one.metaInfo().extra().clear()).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> one.outputIds().add(1)).isInstanceOf(UnsupportedOperationException.class);
        assertThat(one.outputIds()).isEqualTo(List.of(7, 8));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"{\"text\": \"a\", \"x\": [1 2]}", "{\"text\": \"a\", \"x\": [1,}", "{\"text\": \"a\" \"x\": 1}"
            })
    void brokenJsonIsFoundEvenWhereItWouldBeLeftForLater(String text) {
        assertThatThrownBy(() -> Generation.parse(bytes(text)))
                .isInstanceOf(com.fasterxml.jackson.core.JsonProcessingException.class);
    }

    private static Object value(Random random, int depth) {
        return switch (random.nextInt(depth > 0 ? 6 : 4)) {
            case 0 -> random.nextDouble();
            case 1 -> "t\"\\é\n😀".substring(random.nextInt(4)) + random.nextInt();
            case 2 -> random.nextInt();
            case 3 -> random.nextBoolean();
            case 4 -> List.of(value(random, depth - 1), value(random, depth - 1));
            default -> Map.of("m", value(random, depth - 1));
        };
    }

    private static Object java(byte[] json) {
        return Objects.requireNonNull(JsonText.toJava(json, 0, json.length));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
