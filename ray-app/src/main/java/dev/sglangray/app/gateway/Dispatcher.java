/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.sglangray.config.error.NearestName;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;

/**
 * Finds what a request asks for, begins it and writes the answer. A request is
 * <code>{"group": "server", "method": "status", "ranks": [0], "arguments": {}}</code>. Immutable; safe for use by several
 * threads.
 */
final class Dispatcher {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Map<String, Map<String, GatewayMethod>> groups;

    /** By the group's kind, then by the method's name in Python. */
    Dispatcher(Map<String, Map<String, GatewayMethod>> groups) {
        this.groups = Map.copyOf(groups);
    }

    /** Answers any request, also what is none; the future never fails. Does not block. */
    CompletableFuture<String> answer(String request, OperationThreads threads) {
        long begin = System.nanoTime();
        CompletableFuture<?> work;
        try {
            work = begin(request, threads);
        } catch (Throwable e) {
            work = CompletableFuture.failedFuture(e);
        }
        return work.<String>handle((value, failure) -> failure == null
                        ? GatewayResponses.result(value, (System.nanoTime() - begin) / 1e9)
                        : GatewayResponses.failure(failure))
                .exceptionally(GatewayResponses::failure)
                .exceptionally(failure -> GatewayResponses.UNWRITABLE);
    }

    private CompletableFuture<?> begin(String text, OperationThreads threads) {
        JsonNode request = parsed(text);
        GatewayMethod operation =
                operation(request.path("group").asText(), request.path("method").asText());
        JsonNode named = request.path("arguments");
        GatewayArguments arguments =
                new GatewayArguments(named.isObject() ? named : JsonNodeFactory.instance.objectNode(), ranks(request));
        return CompletableFuture.supplyAsync(() -> operation.begin(arguments), threads.of(operation))
                .thenCompose(stage -> stage);
    }

    private GatewayMethod operation(String group, String method) {
        Map<String, GatewayMethod> methods = groups.get(group);
        if (methods == null) {
            throw new IllegalArgumentException("this fleet has no " + group + " group; it has: "
                    + String.join(", ", new TreeSet<>(groups.keySet())));
        }
        GatewayMethod operation = methods.get(method);
        if (operation == null) {
            Optional<String> near = NearestName.nearest(method, methods.keySet());
            throw new IllegalArgumentException("this fleet's owner does not know the method '" + method + "' of a "
                    + group + " group"
                    + near.map(name -> "; did you mean '" + name + "'?")
                            .orElse("; it knows: " + String.join(", ", new TreeSet<>(methods.keySet()))));
        }
        return operation;
    }

    private static JsonNode parsed(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("a request must be JSON: " + e.getOriginalMessage());
        }
    }

    private static int[] ranks(JsonNode request) {
        JsonNode ranks = request.path("ranks");
        int[] numbers = new int[ranks.size()];
        for (int i = 0; i < numbers.length; i++) {
            if (!ranks.get(i).isInt()) {
                throw new IllegalArgumentException("ranks must be whole numbers, not " + ranks);
            }
            numbers[i] = ranks.get(i).intValue();
        }
        return numbers;
    }
}
