/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.workers.ray.ActorHandles;
import dev.sglangray.workers.supervision.SupervisionPolicy;
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

/** Creates named actors. */
final class ActorFactory {
    /** For a whole life; how many restarts within a window are too many is the worker's own budget to know. */
    private static final int MAX_RESTARTS = 1000;

    private ActorFactory() {}

    /** Creates one; returns at once, the actor starts meanwhile. Ray restarts it where the supervision heals. */
    static <A> ActorHandle<A> create(
            ActorCreator<A> creator,
            String name,
            ActorLaunch.Bundle bundle,
            PlacementGroup reservation,
            SupervisionPolicy supervision,
            GroupOptions options) {
        creator.setName(name)
                .setPlacementGroup(reservation, bundle.index())
                .setResources(bundle.resources())
                .setMaxRestarts(supervision.heals() ? MAX_RESTARTS : 0);
        creator.setJvmOptions(GroupOptions.SMALL_JVM);
        if (options.detached()) {
            // Ray ends an actor with the process that created it, unless it is detached.
            creator.setLifetime(ActorLifetime.DETACHED);
        }
        if (!options.javaJars().isEmpty()) {
            RuntimeEnv environment = new RuntimeEnv.Builder().build();
            environment.set("java_jars", options.javaJars());
            creator.setRuntimeEnv(environment);
        }
        ActorHandles.made(name);
        try {
            return creator.remote();
        } catch (IllegalArgumentException e) {
            int colon = name.lastIndexOf(':');
            throw new WorkerException(
                    name.substring(0, colon),
                    Integer.parseInt(name.substring(colon + 1).split("/", 2)[0]),
                    "",
                    "create",
                    "there is an actor '" + name + "' in namespace '"
                            + Ray.getRuntimeContext().getNamespace()
                            + "' already, so another fleet uses this group: end it with `sglang-ray down`, or choose"
                            + " another group_name and router_group_name",
                    e);
        }
    }

    static <A> void killAll(List<WorkerGroup.Member<A>> members) {
        for (WorkerGroup.Member<A> member : members) {
            for (BaseActorHandle handle : member.handles()) {
                try {
                    handle.kill(true);
                } catch (RayException e) {
                    // It never came to life.
                }
            }
        }
    }

    /** How long a program that attaches waits for a worker that Ray still lists although it died. */
    static final Duration ATTACH_TIMEOUT = Duration.ofSeconds(20);
}
