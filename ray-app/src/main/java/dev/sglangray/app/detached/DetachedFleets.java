/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.detached;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.app.DeliberateEnd;
import dev.sglangray.app.FleetSpec;
import dev.sglangray.app.LaunchException;
import dev.sglangray.app.LaunchListener;
import dev.sglangray.app.LaunchOptions;
import dev.sglangray.app.session.DriverNode;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.config.launcher.EnginePool;
import dev.sglangray.workers.GroupOptions;
import dev.sglangray.workers.node.SealedSecrets;
import io.ray.api.ActorHandle;
import io.ray.api.ObjectRef;
import io.ray.api.Ray;
import io.ray.api.concurrencygroup.ConcurrencyGroup;
import io.ray.api.concurrencygroup.ConcurrencyGroupBuilder;
import io.ray.api.exception.RayActorException;
import io.ray.api.exception.RayException;
import io.ray.api.exception.RayTimeoutException;
import io.ray.api.options.ActorLifetime;
import io.ray.api.runtimeenv.RuntimeEnv;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The driver's side of {@link FleetOwnerActor}: makes owners, finds them, ends them. Stateless. */
public final class DetachedFleets {
    private static final Logger log = LoggerFactory.getLogger(DetachedFleets.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int SLICE_MILLIS = 300;
    private static final int QUESTION_MILLIS = 20_000;
    private static final int CLOSE_MILLIS = 60_000;
    private static final String PREFIX = "sglang-ray-owner/";
    /** For a whole life. */
    private static final int RESTARTS = 1000;

    private DetachedFleets() {}

    /**
     * Launches a fleet that stays when this driver ends.
     *
     * @return its URL
     * @throws LaunchException when the launch fails, or this thread is interrupted; nothing is left then
     */
    public static String launch(FleetSpec spec, RaySession session, LaunchOptions options, LaunchListener listener) {
        String name = ownerName(spec.groupName());
        SealedSecrets.Key key = SealedSecrets.Key.random();
        ActorHandle<FleetOwnerActor> owner = create(name, key.seal(json(request(spec, session, options))), session);
        boolean launched = false;
        try {
            // Ray runs it before the launch, which is called later.
            ObjectRef<Boolean> unused =
                    owner.task(FleetOwnerActor::unseal, json(key)).remote();
            String url = follow(name, owner, owner.task(FleetOwnerActor::launch).remote(), listener);
            launched = true;
            return url;
        } finally {
            if (!launched) {
                end(owner);
                FleetLeftovers.endOfThisJob(spec.serverGroup(), spec.routerGroup());
            }
        }
    }

    /**
     * Ends a detached fleet.
     *
     * @param group its server group's name, or its router group's where it has no engines
     * @return whether there was an owner of that name
     */
    public static boolean close(String group) {
        Optional<ActorHandle<FleetOwnerActor>> owner = Ray.getActor(ownerName(group));
        owner.ifPresent(DetachedFleets::end);
        return owner.isPresent();
    }

    static String ownerName(String group) {
        return PREFIX + group;
    }

    static boolean isOwner(String actor) {
        return actor.startsWith(PREFIX);
    }

    private static ActorHandle<FleetOwnerActor> create(String name, String request, RaySession session) {
        try {
            var creator = Ray.actor(FleetOwnerActor::new, name, request)
                    .setConcurrencyGroups(control())
                    .setName(name)
                    .setLifetime(ActorLifetime.DETACHED)
                    .setMaxRestarts(RESTARTS)
                    .setJvmOptions(GroupOptions.SMALL_JVM);
            // On the driver's node, which is the head of the plan: elsewhere the owner would rank the nodes otherwise,
            // and not find what its predecessor wrote down.
            DriverNode.resource().ifPresent(node -> creator.setResource(node, DriverNode.A_LITTLE));
            session.workerJarUri().ifPresent(uri -> {
                RuntimeEnv environment = new RuntimeEnv.Builder().build();
                environment.set("java_jars", List.of(uri));
                creator.setRuntimeEnv(environment);
            });
            return creator.remote();
        } catch (IllegalArgumentException e) {
            throw new LaunchException(
                    "a detached fleet of this group name runs already in namespace '" + session.namespace()
                            + "': end it with `sglang-ray down`, or choose another group_name",
                    e);
        }
    }

    // Built in code: Ray's annotations for it fail on JDK 12 and later.
    private static ConcurrencyGroup control() {
        return new ConcurrencyGroupBuilder<FleetOwnerActor>()
                .setName("control")
                .setMaxConcurrency(3)
                .addMethod(FleetOwnerActor::events)
                .addMethod(FleetOwnerActor::close)
                .build();
    }

    private static LaunchRequest request(FleetSpec spec, RaySession session, LaunchOptions options) {
        List<String> jars = session.workerJarUri().map(List::of).orElse(options.javaJars());
        return new LaunchRequest(
                configuration(spec),
                origins(spec),
                spec.selection(),
                options.toBuilder().javaJars(jars).build());
    }

    private static String json(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new LaunchException("the configuration cannot be handed to the owner: " + e.getOriginalMessage(), e);
        }
    }

    // Not the whole: what stands elsewhere may be missing (???), and need not be there for a launch.
    static Map<String, Object> configuration(FleetSpec spec) {
        Map<String, Object> needed = new LinkedHashMap<>();
        for (String path : List.of("cluster", spec.block().path())) {
            Object value = JSON.convertValue(
                    path.equals("cluster")
                            ? spec.root().require(path).toJava()
                            : EnginePool.resolved(spec.block(), spec.pools()),
                    Object.class);
            List<String> keys = List.of(path.split("\\."));
            Map<String, Object> parent = needed;
            for (String key : keys.subList(0, keys.size() - 1)) {
                Map<String, Object> child = new LinkedHashMap<>();
                parent.put(key, child);
                parent = child;
            }
            parent.put(keys.get(keys.size() - 1), value);
        }
        return needed;
    }

    static List<LaunchRequest.Origin> origins(FleetSpec spec) {
        return spec.configuration().stream()
                .map(row -> new LaunchRequest.Origin(row.path(), row.position()))
                .toList();
    }

    // The owner's own deadlines end the launch; here only an interrupt does.
    private static String follow(
            String name, ActorHandle<FleetOwnerActor> owner, ObjectRef<String> result, LaunchListener listener) {
        int seen = 0;
        try {
            while (true) {
                boolean done =
                        !Ray.wait(List.of(result), 1, SLICE_MILLIS).getReady().isEmpty();
                for (LaunchEvent event : events(owner, seen)) {
                    event.tell(listener);
                    seen++;
                }
                if (done) {
                    return result.get();
                }
                if (Thread.currentThread().isInterrupted()) {
                    throw new LaunchException("the launch was interrupted; what it had started is ended");
                }
            }
        } catch (RayException e) {
            throw new LaunchException(words(e, name), e);
        }
    }

    private static List<LaunchEvent> events(ActorHandle<FleetOwnerActor> owner, int from) {
        try {
            String text = owner.task(FleetOwnerActor::events, from).remote().get(QUESTION_MILLIS);
            return JSON.readValue(text, new TypeReference<List<LaunchEvent>>() {});
        } catch (RayTimeoutException e) {
            return List.of();
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the owner's events are not JSON", e);
        }
    }

    private static void end(ActorHandle<FleetOwnerActor> owner) {
        boolean interrupted = Thread.interrupted();
        try {
            owner.task(FleetOwnerActor::close).remote().get(CLOSE_MILLIS);
        } catch (RayException e) {
            log.debug("the owner does not answer; it is killed", e);
        } finally {
            owner.kill(true);
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static String words(RayException failure, String name) {
        for (Throwable at = failure; at != null; at = at.getCause()) {
            if (at instanceof LaunchFailure) {
                return String.valueOf(at.getMessage());
            }
        }
        return failure instanceof RayActorException && DeliberateEnd.wasEnded(name)
                ? "the fleet " + DeliberateEnd.WORDS
                : "the owner of the fleet failed: " + failure.getMessage();
    }
}
