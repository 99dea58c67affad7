/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.workers.WeightUpdateException;
import dev.sglangray.workers.WorkerException;
import dev.sglangray.workers.WorkerTimeoutException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/** Writes results and failures as what Python's side reads. */
final class GatewayResponses {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** For a failure of which nothing can be written, such as a lack of memory. */
    static final String UNWRITABLE =
            "{\"error\":{\"type\":\"internal\",\"message\":\"the fleet's owner cannot write its answer\",\"others\":[]}}";

    private GatewayResponses() {}

    /** A failure in the words of Python's typed exceptions. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    private record Failure(
            String type,
            String message,
            @Nullable String group,
            @Nullable Integer rank,
            @Nullable String node,
            @Nullable String method,
            @Nullable String cause,
            List<String> others) {}

    static String result(@Nullable Object value, double seconds) {
        Map<String, @Nullable Object> answer = new LinkedHashMap<>();
        answer.put("result", value);
        answer.put("seconds", seconds);
        return write(answer);
    }

    static String failure(Throwable thrown) {
        Throwable failure = unwrapped(thrown);
        List<String> others = Arrays.stream(failure.getSuppressed())
                .map(other -> String.valueOf(other.getMessage()))
                .toList();
        if (failure instanceof WorkerException worker) {
            return write(Map.of(
                    "error",
                    new Failure(
                            type(worker),
                            String.valueOf(worker.getMessage()),
                            worker.group(),
                            worker.rank() < 0 ? null : worker.rank(),
                            worker.node().isEmpty() ? null : worker.node(),
                            worker.method(),
                            worker.getCause() == null ? null : worker.getCause().toString(),
                            others)));
        }
        String type = simpleType(failure);
        String message = type.equals("internal") ? failure.toString() : String.valueOf(failure.getMessage());
        String cause = failure.getCause() == null ? null : failure.getCause().toString();
        return write(Map.of("error", new Failure(type, message, null, null, null, null, cause, others)));
    }

    private static String simpleType(Throwable failure) {
        if (failure instanceof RejectedExecutionException) {
            return "busy";
        }
        return failure instanceof IllegalArgumentException ? "request" : "internal";
    }

    private static String type(WorkerException failure) {
        if (failure instanceof WeightUpdateException) {
            return "update";
        }
        return failure instanceof WorkerTimeoutException ? "timeout" : "worker";
    }

    private static Throwable unwrapped(Throwable thrown) {
        Throwable failure = thrown;
        while ((failure instanceof CompletionException || failure instanceof ExecutionException)
                && failure.getCause() != null) {
            failure = failure.getCause();
        }
        return failure;
    }

    private static String write(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("an answer cannot be written as JSON", e);
        }
    }
}
