/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.ray.api.BaseActorHandle;
import io.ray.api.ObjectRef;
import io.ray.api.PyActorHandle;
import io.ray.api.Ray;
import io.ray.api.exception.RayException;
import io.ray.api.function.PyActorMethod;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A call to the owner of a fleet through its gateway, from a Java driver of the same Ray namespace. For use by one thread. */
public final class GatewayCall {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final PyActorMethod<String> CALL = PyActorMethod.of("call", String.class);

    private final ObjectRef<String> answer;
    // Ray ends an actor whose last handle is collected.
    private final BaseActorHandle gateway;

    private GatewayCall(BaseActorHandle gateway, ObjectRef<String> answer) {
        this.gateway = gateway;
        this.answer = answer;
    }

    /**
     * Begins one; empty when the fleet has no gateway.
     *
     * @param fleet the name that the fleet goes by: its engines' group, or its router's where it has none
     * @param group {@code server}, {@code router} or {@code fleet}
     */
    public static Optional<GatewayCall> begin(String fleet, String group, String method, Map<String, ?> arguments) {
        Optional<BaseActorHandle> gateway = Ray.getActor(GatewayFacts.actorName(fleet));
        return gateway.map(found -> new GatewayCall(
                found,
                ((PyActorHandle) found)
                        .task(
                                CALL,
                                write(Map.of(
                                        "group", group, "method", method, "ranks", List.of(), "arguments", arguments)))
                        .remote()));
    }

    /** Whether the answer is there, waited for so long; not interruptible meanwhile. */
    public boolean await(Duration slice) {
        return !Ray.wait(List.of(answer), 1, Math.toIntExact(slice.toMillis()))
                .getReady()
                .isEmpty();
    }

    /**
     * The owner's answer, waited for.
     *
     * @throws GatewayException when the owner refused, failed or is gone
     */
    public JsonNode result() {
        try {
            JsonNode said = JSON.readTree(answer.get());
            if (said.has("error")) {
                throw new GatewayException(said.at("/error/message").asText());
            }
            return said.path("result");
        } catch (RayException e) {
            throw new GatewayException("the fleet's gateway " + gateway.getId() + " is gone: " + e.getMessage(), e);
        } catch (JsonProcessingException e) {
            throw new GatewayException("the fleet's gateway answered with something that is not JSON", e);
        }
    }

    private static String write(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("arguments of a call must be JSON values", e);
        }
    }
}
