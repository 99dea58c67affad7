/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import io.ray.api.ActorHandle;
import io.ray.api.BaseActorHandle;
import io.ray.api.Ray;
import io.ray.api.call.ActorCreator;
import io.ray.api.exception.RayException;
import io.ray.api.options.ActorLifetime;
import io.ray.api.placementgroup.PlacementGroup;
import io.ray.api.runtimeenv.RuntimeEnv;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Creates and finds named actors. */
final class ActorFactory {
    /** For a whole life; how many restarts within a window are too many is the worker's own budget to know. */
    private static final int MAX_RESTARTS = 1000;

    /** The names of the actors that this process made. */
    private static final Set<String> MADE_HERE = ConcurrentHashMap.newKeySet();

    /**
     * The handles that this process has found of actors that it made itself; they stay for the life of the process. Ray's Java
     * client takes one reference away from an actor for each handle that the JVM collects, but adds none when a handle comes
     * from a name that is known already. In the process that owns the actor, a collected handle would take the owner's last
     * reference, and Ray would end the actor.
     */
    private static final Queue<BaseActorHandle> FOUND_OF_OWN = new ConcurrentLinkedQueue<>();

    private ActorFactory() {}

    /** Creates one; returns at once, the actor starts meanwhile. */
    static <A> ActorHandle<A> create(
            ActorCreator<A> creator, String name, Launch<?> launch, PlacementGroup reservation, GroupOptions options) {
        creator.setName(name)
                .setPlacementGroup(reservation, launch.bundleIndex())
                .setResources(launch.resources())
                .setMaxRestarts(options.supervision().heals() ? MAX_RESTARTS : 0);
        creator.setJvmOptions(options.jvmOptions());
        if (options.detached()) {
            // Ray ends an actor with the process that created it, unless it is detached.
            creator.setLifetime(ActorLifetime.DETACHED);
        }
        if (!options.javaJars().isEmpty()) {
            RuntimeEnv environment = new RuntimeEnv.Builder().build();
            environment.set("java_jars", options.javaJars());
            creator.setRuntimeEnv(environment);
        }
        MADE_HERE.add(name);
        try {
            return creator.remote();
        } catch (IllegalArgumentException e) {
            int colon = name.lastIndexOf(':');
            throw new WorkerException(
                    name.substring(0, colon),
                    Integer.parseInt(name.substring(colon + 1)),
                    "",
                    "create",
                    "there is an actor '" + name + "' in namespace '"
                            + Ray.getRuntimeContext().getNamespace()
                            + "' already, so another fleet uses this group: end it with `sglang-ray down`, or choose"
                            + " another group_name and router_group_name",
                    e);
        }
    }

    /** The live actor of a name in this namespace; empty when there is none. */
    static <A> Optional<ActorHandle<A>> find(String name) {
        Optional<ActorHandle<A>> found = Ray.getActor(name);
        if (MADE_HERE.contains(name)) {
            found.ifPresent(FOUND_OF_OWN::add);
        }
        return found;
    }

    static <A> void killAll(List<WorkerGroup.Member<A>> members) {
        for (WorkerGroup.Member<A> member : members) {
            try {
                member.handle().kill(true);
            } catch (RayException e) {
                // It never came to life.
            }
        }
    }

    /** How long somebody who attaches waits for a worker that Ray still lists although it died. */
    static final Duration ATTACH_TIMEOUT = Duration.ofSeconds(20);
}
