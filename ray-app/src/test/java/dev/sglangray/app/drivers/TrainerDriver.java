/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.drivers;

import io.ray.api.ActorHandle;
import io.ray.api.PlacementGroups;
import io.ray.api.Ray;
import io.ray.api.placementgroup.PlacementGroup;

/** A trainer in Java: an actor that takes the rest of an engine's bundle, found by the group's name, says what it sees. */
public final class TrainerDriver {
    private static final int ANSWER_MILLIS = 120_000;

    private TrainerDriver() {}

    public static void main(String[] arguments) {
        // As any Java program on Ray does it: its own classes, in the fleet's namespace.
        System.setProperty("ray.address", System.getenv("RAY_ADDRESS"));
        System.setProperty("ray.job.namespace", "sglang-ray");
        System.setProperty("ray.job.code-search-path", System.getProperty("java.class.path"));
        Ray.init();
        try {
            PlacementGroup group = PlacementGroups.getPlacementGroup("sglang-ray/SGLangServerGroup");
            ActorHandle<Trainer> trainer = Ray.actor(Trainer::new)
                    .setPlacementGroup(group, 0)
                    .setResource("GPU", 0.8)
                    .remote();
            System.out.println("the trainer sees "
                    + trainer.task(Trainer::devices).remote().get(ANSWER_MILLIS));
            trainer.kill();
        } finally {
            Ray.shutdown();
        }
    }

    /** The actor. */
    public static final class Trainer {
        /** The devices that Ray gave it. */
        public String devices() {
            return Ray.getRuntimeContext().getGpuIds().toString();
        }
    }
}
