/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.detached;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.app.session.DriverNode;
import dev.sglangray.placement.plan.GroupStrategy;
import dev.sglangray.placement.ray.GroupCreator;
import io.ray.api.PlacementGroups;
import io.ray.api.Ray;
import io.ray.api.exception.RayException;
import io.ray.api.function.PyFunction;
import io.ray.api.placementgroup.PlacementGroup;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Creates placement groups that outlive the process that asks for them. Ray's Java API has no such groups, so a Python task on
 * this node creates them. Safe for use by several threads.
 */
final class DetachedGroups implements GroupCreator {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration DEADLINE = Duration.ofSeconds(60);
    /** A task that begins just before the deadline still ends. */
    private static final Duration GRACE = Duration.ofSeconds(5);

    private static final double MILLIS = 1000.0;

    @Override
    public PlacementGroup create(String name, List<Map<String, Double>> bundles, GroupStrategy strategy) {
        double deadline = (System.currentTimeMillis() + DEADLINE.toMillis()) / MILLIS;
        try {
            var task = Ray.task(
                            PyFunction.of("sglang_ray.placement", "create_detached", String.class),
                            name,
                            strategy.name(),
                            JSON.writeValueAsString(bundles),
                            deadline)
                    .setName("create placement group " + name)
                    .setRuntimeEnv(DriverNode.pythonEnvironment())
                    .setResource("CPU", 0.0);
            DriverNode.resource().ifPresent(node -> task.setResource(node, DriverNode.A_LITTLE));
            String id = task.remote().get(DEADLINE.plus(GRACE).toMillis());
            PlacementGroup group = PlacementGroups.getPlacementGroup(name);
            if (group == null || !group.getId().toString().equals(id)) {
                throw new IllegalStateException("the placement group \"%s\" was removed meanwhile".formatted(name));
            }
            return group;
        } catch (RayException e) {
            throw new IllegalArgumentException(
                    "the placement group \"%s\" cannot be created: %s".formatted(name, e.getMessage()), e);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the bundles are not JSON", e);
        }
    }
}
