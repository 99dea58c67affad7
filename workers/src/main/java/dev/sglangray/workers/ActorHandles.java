/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import io.ray.api.ActorHandle;
import io.ray.api.BaseActorHandle;
import io.ray.api.Ray;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Finds named actors. Safe for use by many threads. */
final class ActorHandles {
    /** The names of the actors that this process made. */
    private static final Set<String> MADE_HERE = ConcurrentHashMap.newKeySet();

    /**
     * The handles that this process has found of actors that it made itself; they stay for the life of the process. Ray's Java
     * client takes one reference away from an actor for each handle that the JVM collects, but adds none when a handle comes
     * from a name that is known already. In the process that owns the actor, a collected handle would take the owner's last
     * reference, and Ray would end the actor.
     */
    private static final Queue<BaseActorHandle> FOUND_OF_OWN = new ConcurrentLinkedQueue<>();

    private ActorHandles() {}

    /** This process makes an actor of that name. */
    static void made(String name) {
        MADE_HERE.add(name);
    }

    /** The live actor of a name in this namespace; empty when there is none. */
    static <A> Optional<ActorHandle<A>> find(String name) {
        Optional<ActorHandle<A>> found = Ray.getActor(name);
        if (MADE_HERE.contains(name)) {
            found.ifPresent(FOUND_OF_OWN::add);
        }
        return found;
    }
}
