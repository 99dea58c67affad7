/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import dev.sglangray.app.session.ThisNode;
import dev.sglangray.workers.RayCalls;
import io.ray.api.PyActorHandle;
import io.ray.api.Ray;
import io.ray.api.call.PyActorCreator;
import io.ray.api.exception.RayException;
import io.ray.api.function.PyActorClass;
import io.ray.api.function.PyActorMethod;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.concurrent.CompletableFuture;

/** The Python actor {@code sglang_ray.gateway.Gateway}, which ends with this JVM. Safe for use by several threads. */
final class GatewayActor implements Mailbox {
    private static final PyActorClass CLASS = PyActorClass.of("sglang_ray.gateway", "Gateway");
    private static final PyActorMethod<String> NEXT = PyActorMethod.of("next", String.class);
    private static final PyActorMethod<String> CLAIM = PyActorMethod.of("claim", String.class);
    private static final PyActorMethod<Boolean> ANSWER = PyActorMethod.of("answer", Boolean.class);
    private static final PyActorMethod<Boolean> TELL = PyActorMethod.of("tell", Boolean.class);
    private static final PyActorMethod<Boolean> END = PyActorMethod.of("end", Boolean.class);
    /** Above the number of calls that the actor holds, so that there is always room for the owner's. */
    private static final int CONCURRENCY = 1024;

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
     * @throws IllegalArgumentException when the name is taken
     * @throws dev.sglangray.bridge.NodeFilesException when the Python package cannot be unpacked
     */
    static GatewayActor create(String name, String factsJson) {
        byte[] secret = new byte[TOKEN_BYTES];
        new SecureRandom().nextBytes(secret);
        String token = HexFormat.of().formatHex(secret);
        PyActorCreator creator = new CreatorWithEnvironment(factsJson, token)
                .setAsync(true)
                .setMaxConcurrency(CONCURRENCY)
                .setMaxRestarts(RESTARTS)
                .setName(name);
        ThisNode.resource().ifPresent(node -> creator.setResource(node, ThisNode.A_LITTLE));
        return new GatewayActor(creator.remote(), token);
    }

    /** Ray's builder has no setter for the environment of a Python actor; the options behind it do. */
    private static final class CreatorWithEnvironment extends PyActorCreator {
        CreatorWithEnvironment(Object... arguments) {
            super(CLASS, arguments);
            builder.setRuntimeEnv(ThisNode.pythonEnvironment());
        }
    }

    @Override
    public CompletableFuture<String> next(double waitSeconds) {
        if (!Ray.isInitialized()) {
            // The driver has left Ray without closing its fleet: there is nobody to ask any more.
            return new CompletableFuture<>();
        }
        return RayCalls.watchLong(handle.task(NEXT, token, waitSeconds).remote());
    }

    @Override
    public CompletableFuture<String> claim(String ids) {
        return RayCalls.watchLong(handle.task(CLAIM, token, ids).remote());
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
            // It is gone, or was never up: nobody waits there.
        } finally {
            handle.kill(true);
        }
    }
}
