/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.drivers;

import io.ray.api.ActorHandle;
import io.ray.api.PlacementGroups;
import io.ray.api.Ray;
import io.ray.api.options.PlacementGroupCreationOptions;
import io.ray.api.placementgroup.PlacementGroup;
import io.ray.api.placementgroup.PlacementStrategy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Pins one actor with two accelerators to the node whose address is the only argument, and prints what it sees.
 *
 * <p>With a second argument it then stays for so many milliseconds. */
public final class PinnedActorDriver {

    private PinnedActorDriver() {}

    public static void main(String[] args) throws InterruptedException {
        Ray.init();
        PlacementGroup group = PlacementGroups.createPlacementGroup(new PlacementGroupCreationOptions.Builder()
                .setName("pinned")
                .setBundles(List.of(Map.of("CPU", 1.0, "GPU", 2.0, "node:" + args[0], 0.001)))
                .setStrategy(PlacementStrategy.PACK)
                .build());
        if (!group.wait(30)) {
            throw new IllegalStateException("the placement group is not ready after 30 s");
        }
        ActorHandle<Witness> witness = Ray.actor(Witness::new)
                .setPlacementGroup(group, 0)
                .setResource("GPU", 2.0)
                .setName("witness")
                .remote();
        System.out.println("host=" + witness.task(Witness::host).remote().get(60_000));
        System.out.println("gpus=" + witness.task(Witness::gpus).remote().get(60_000));
        if (args.length > 1) {
            System.out.println("staying");
            Thread.sleep(Long.parseLong(args[1]));
        }
        Ray.shutdown();
    }

    /** The actor. */
    public static final class Witness {

        public String host() {
            try {
                return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }

        public String gpus() {
            return Ray.getRuntimeContext().getGpuIds().toString();
        }
    }
}
