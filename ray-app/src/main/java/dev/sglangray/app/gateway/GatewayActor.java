/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import dev.sglangray.app.session.DriverNode;
import dev.sglangray.workers.ray.ObjectRefPoller;
import io.ray.api.BaseActorHandle;
import io.ray.api.PyActorHandle;
import io.ray.api.Ray;
import io.ray.api.call.PyActorCreator;
import io.ray.api.exception.RayException;
import io.ray.api.function.PyActorClass;
import io.ray.api.function.PyActorMethod;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The Python actor {@code sglang_ray.gateway.Gateway}, which ends with this JVM. Safe for use by several threads. */
final class GatewayActor implements Mailbox {
    private static final PyActorClass CLASS = PyActorClass.of("sglang_ray.gateway", "Gateway");
    private static final PyActorMethod<String> NEXT = PyActorMethod.of("next", String.class);
    private static final PyActorMethod<String> CLAIM = PyActorMethod.of("claim", String.class);
    private static final PyActorMethod<Boolean> ANSWER = PyActorMethod.of("answer", Boolean.class);
    private static final PyActorMethod<Boolean> TELL = PyActorMethod.of("tell", Boolean.class);
    private static final PyActorMethod<String> FACTS = PyActorMethod.of("facts", String.class);
    private static final PyActorMethod<Boolean> END = PyActorMethod.of("end", Boolean.class);
    /** Above the number of calls that the actor holds, so that there is always room for the owner's. */
    private static final int CONCURRENCY = 1024;

    private static final Logger LOG = LoggerFactory.getLogger(GatewayActor.class);
    private static final Duration END_OF_ANOTHER = Duration.ofSeconds(20);
    private static final Duration LOOK = Duration.ofMillis(100);
    private static final int RESTARTS = 100;
    private static final int FAREWELL_MILLIS = 1000;
    private static final int TOKEN_BYTES = 32;

    private final PyActorHandle handle;
    /** Any driver can call the actor; what is for the owner needs this. */
    private final String token;

    private GatewayActor(PyActorHandle handle, String token) {
        this.handle = handle;
        this.token = token;
    }

    /**
     * Creates it on this node, and returns before it is up.
     *
     * @throws GatewayException when the name is taken by an actor that does not end
     * @throws dev.sglangray.bridge.NodeFilesException when the Python package cannot be unpacked
     */
    static GatewayActor create(String name, String factsJson) {
        byte[] secret = new byte[TOKEN_BYTES];
        new SecureRandom().nextBytes(secret);
        String token = HexFormat.of().formatHex(secret);
        Supplier<PyActorHandle> create = () -> {
            PyActorCreator creator = new CreatorWithEnvironment(factsJson, token)
                    .setAsync(true)
                    .setMaxConcurrency(CONCURRENCY)
                    .setMaxRestarts(RESTARTS)
                    .setName(name);
            DriverNode.resource().ifPresent(node -> creator.setResource(node, DriverNode.A_LITTLE));
            return creator.remote();
        };
        PyActorHandle handle = inPlaceOf(
                name,
                create,
                () -> Ray.getActor(name).isPresent(),
                () -> Ray.getActor(name).ifPresent(other -> other.kill(true)),
                END_OF_ANOTHER);
        return new GatewayActor(handle, token);
    }

    /**
     * Creates an actor whose name may still belong to one of a fleet that has ended: its owner may be stopped, which in some Rays keeps
     * the owner's actors alive.
     */
    static <T> T inPlaceOf(
            String name, Supplier<T> create, BooleanSupplier isTaken, Runnable endOther, Duration timeout) {
        try {
            return create.get();
        } catch (IllegalArgumentException taken) {
            LOG.warn("there is a gateway '{}' of an earlier fleet; it is ended", name);
            endOther.run();
            CountDownLatch never = new CountDownLatch(1);
            long end = System.nanoTime() + timeout.toNanos();
            while (isTaken.getAsBoolean()) {
                if (System.nanoTime() - end > 0) {
                    throw new GatewayException("there is a gateway '" + name
                            + "' of an earlier fleet, which does not end; `sglang-ray down --force` ends it, with the "
                            + "earlier owner");
                }
                try {
                    boolean unused = never.await(LOOK.toMillis(), TimeUnit.MILLISECONDS);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new GatewayException("interrupted while the gateway of an earlier fleet was ended", e);
                }
            }
            try {
                return create.get();
            } catch (IllegalArgumentException again) {
                throw new GatewayException("another fleet has taken the name of the gateway '" + name + "'", again);
            }
        }
    }

    /** What the owner of a gateway said of its fleet; empty where there is no such actor, or it does not answer in time. */
    static Optional<String> facts(String name, Duration timeout) {
        try {
            Optional<BaseActorHandle> found = Ray.getActor(name);
            return found.isPresent() && found.get() instanceof PyActorHandle actor
                    ? Optional.of(actor.task(FACTS).remote().get(timeout.toMillis()))
                    : Optional.empty();
        } catch (RayException e) {
            LOG.debug("no facts of {}", name, e);
            return Optional.empty();
        }
    }

    /** Ray's builder has no setter for the environment of a Python actor; the options behind it do. */
    private static final class CreatorWithEnvironment extends PyActorCreator {
        CreatorWithEnvironment(Object... arguments) {
            super(CLASS, arguments);
            builder.setRuntimeEnv(DriverNode.pythonEnvironment());
        }
    }

    @Override
    public CompletableFuture<String> next(double waitSeconds) {
        if (!Ray.isInitialized()) {
            // The driver has left Ray without closing its fleet: no owner is left to ask.
            return new CompletableFuture<>();
        }
        return ObjectRefPoller.forLongCalls()
                .watch(handle.task(NEXT, token, waitSeconds).remote());
    }

    @Override
    public CompletableFuture<String> claim(String ids) {
        return ObjectRefPoller.forLongCalls()
                .watch(handle.task(CLAIM, token, ids).remote());
    }

    @Override
    public void tell(String factsJson) {
        handle.task(TELL, token, factsJson).remote();
    }

    @Override
    public void answer(long id, String json) {
        handle.task(ANSWER, token, id, json).remote();
    }

    /** Tells those who wait that the fleet ends, then ends the actor. */
    void end() {
        try {
            handle.task(END, token).remote().get(FAREWELL_MILLIS);
        } catch (RayException e) {
            // It is gone, or was never up: no call waits there.
        } finally {
            handle.kill(true);
        }
    }
}
