/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.app.monitor.TrainerReports;
import dev.sglangray.bridge.NodeFilesException;
import dev.sglangray.workers.RouterGroup;
import io.ray.api.Ray;
import io.ray.api.exception.RayException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets Python drivers of any namespace call the groups of a fleet. A Python driver cannot call a Java actor without
 * giving up that its own actors' code is carried by Ray, so there is a small Python actor in between: a mailbox, from
 * which the fleet's owner takes requests and into which it puts answers. Safe for use by several threads.
 */
public final class Gateway implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Gateway.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration PAUSE = Duration.ofMillis(500);

    private final GatewayActor actor;
    private final GatewayLoop loop;
    private final AtomicBoolean closed = new AtomicBoolean();

    private Gateway(GatewayActor actor, GatewayLoop loop) {
        this.actor = actor;
        this.loop = loop;
    }

    /**
     * Opens the gateway of a fleet, and returns before it is up. A fleet does not need it: where it cannot be had, that
     * is logged. One of an earlier fleet of the name is ended.
     *
     * @throws GatewayException when that one does not end: Python would call it instead of this fleet
     */
    public static Optional<Gateway> open(
            GatewayFacts facts, @Nullable EngineAccess engines, @Nullable RouterGroup router, TrainerReports reports) {
        String name = facts.actorName();
        try {
            GatewayActor actor = GatewayActor.create(name, JSON.writeValueAsString(facts));
            GatewayLoop loop =
                    new GatewayLoop(name, actor, new Dispatcher(operations(engines, router, reports)), PAUSE);
            loop.start();
            return Optional.of(new Gateway(actor, loop));
        } catch (JsonProcessingException | NodeFilesException | RayException e) {
            LOG.warn("there is no gateway '{}', so Python cannot attach to this fleet: {}", name, e.getMessage());
            return Optional.empty();
        }
    }

    /**
     * What a fleet's owner says of it; empty where it has no gateway, or that does not answer in time.
     *
     * @param fleet the name that the fleet goes by
     * @param timeout how long to wait
     */
    public static Optional<GatewayFacts> facts(String fleet, Duration timeout) {
        try {
            Optional<String> facts = GatewayActor.facts(GatewayFacts.actorName(fleet), timeout);
            return facts.isEmpty() ? Optional.empty() : Optional.of(JSON.readValue(facts.get(), GatewayFacts.class));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("facts are not JSON", e);
        }
    }

    private static Map<String, Map<String, GatewayMethod>> operations(
            @Nullable EngineAccess engines, @Nullable RouterGroup router, TrainerReports reports) {
        Map<String, Map<String, GatewayMethod>> groups = new HashMap<>();
        if (engines != null) {
            groups.put("server", ServerOperations.of(engines::servers));
            groups.put("fleet", FleetOperations.of(engines, router, reports));
        }
        if (router != null) {
            groups.put("router", RouterOperations.of(router));
        }
        return groups;
    }

    /** Programs that attach get this from now on. */
    public void tell(GatewayFacts facts) {
        try {
            loop.tell(JSON.writeValueAsString(facts));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("facts are not written as JSON", e);
        }
    }

    /** Fails the calls that wait and ends the actor. Harmless when repeated. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            loop.close();
            if (Ray.isInitialized()) {
                actor.end();
            }
        }
    }
}
