/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.corpus;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sglangray.config.Config;
import dev.sglangray.config.cluster.ClusterConfig;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.launcher.LauncherArgs;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.FleetPlanner;
import dev.sglangray.placement.plan.PlanRequest;
import dev.sglangray.placement.strategy.ComponentPlacement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Whole fleet plans against RLinf's launcher: every actor's name, node, group, variables and arguments. */
class LauncherCorpusTest {
    /** The launcher refuses these only inside actors; other parts of ours refuse them, or they are checked there. */
    private static final Set<String> OUTSIDE = Set.of("worker_init_router");

    /** Set at run time by the worker. */
    private static final Set<String> AT_RUN_TIME = Set.of("host", "port");

    /** Present in the record because no torch was there. */
    private static final String ARTEFACT = "TORCH_NCCL_AVOID_RECORD_STREAMS";

    private static final String ONE_API = "ONEAPI_DEVICE_SELECTOR";

    @Test
    void agrees() {
        Corpus.check("launch", LauncherCorpusTest::judge);
    }

    private static @Nullable String judge(JsonNode row) {
        JsonNode output = row.path("output");
        String stage = output.path("stage").asText();
        boolean works = Corpus.tagged(row, "yaml_list_node_group_rejected");
        boolean expected =
                works || OUTSIDE.contains(stage) || (output.path("ok").asBoolean() && !Corpus.mustRefuse(row));
        FleetPlan plan;
        try {
            plan = plan(row.path("input"));
        } catch (PlacementException | ConfigException | NumberFormatException refusal) {
            return expected && !OUTSIDE.contains(stage) ? "refused: " + refusal.getMessage() : null;
        }
        if (!expected) {
            return "accepted, recorded " + stage + ": " + output.path("error_message");
        }
        return output.path("ok").asBoolean() ? compare(output.path("groups"), plan) : null;
    }

    private static FleetPlan plan(JsonNode input) {
        JsonNode call = input.path("call");
        Config root = Config.parse(input.path("cluster").path("config_yaml").asText());
        ClusterConfig config = ClusterConfig.from(root);
        Cluster cluster = Cluster.of(config, ClusterCase.snapshot(input.path("cluster")));
        LauncherArgs arguments =
                LauncherArgs.from(root.require(call.path("args_key").asText("router_server_args")));
        PlanRequest.Builder request = PlanRequest.builder(cluster)
                .namespace("RLinf")
                .arguments(arguments)
                .routerNodeRank(call.path("router_node_rank").asInt(0));
        ComponentPlacement placement = ComponentPlacement.of(config, cluster);
        if (call.has("component")) {
            String component = call.path("component").asText();
            if (call.path("use_strategy").asBoolean()) {
                request.strategy(placement.getStrategy(component));
            } else {
                request.hardwareRanks(placement.getHardwareRanks(component));
            }
            if (call.path("node_group_from_config").asBoolean()) {
                request.nodeGroups(placement.getNodeGroups(component));
            }
        }
        if (call.path("rollout_hardware_ranks").isArray()) {
            List<Integer> ranks = new ArrayList<>();
            call.path("rollout_hardware_ranks").forEach(rank -> ranks.add((int) Double.parseDouble(rank.asText())));
            request.hardwareRanks(ranks);
        }
        if (call.has("rollout_node_group")) {
            request.nodeGroups(NodeGroupLabels.parse(Corpus.javaValue(call.path("rollout_node_group"))));
        }
        return FleetPlanner.plan(request.build());
    }

    private static @Nullable String compare(JsonNode groups, FleetPlan plan) {
        String problem = Corpus.difference("server", actors(groups.path("server")), engines(plan));
        if (problem == null) {
            problem = Corpus.difference("router", router(groups.path("router")), router(plan));
        }
        if (problem == null) {
            problem = arguments(groups.path("server"), plan);
        }
        return problem;
    }

    private static ArrayNode actors(JsonNode group) {
        ArrayNode all = JsonNodeFactory.instance.arrayNode();
        for (JsonNode actor : group.path("actors")) {
            ObjectNode copy = actor.deepCopy();
            copy.retain("actor_name", "rank", "node_rank", "node_ip", "node_group_label", "env");
            ObjectNode env = (ObjectNode) copy.path("env");
            env.remove(ARTEFACT);
            // RLinf leaves out the backend, without which oneAPI shows no device.
            String selected = env.path(ONE_API).asText("");
            if (!selected.isEmpty()) {
                env.put(ONE_API, "level_zero:" + selected);
            }
            all.add(copy);
        }
        return all;
    }

    private static ArrayNode engines(FleetPlan plan) {
        ArrayNode all = JsonNodeFactory.instance.arrayNode();
        for (EnginePlan engine : plan.engines()) {
            ObjectNode one = all.addObject();
            one.put("actor_name", engine.actorName());
            one.put("rank", engine.rank());
            one.put("node_rank", engine.node().rank());
            one.put("node_ip", engine.node().ip());
            one.put("node_group_label", engine.placement().nodeGroupLabel());
            one.set("env", Corpus.json(new TreeMap<>(engine.environment())));
        }
        return all;
    }

    // Ours shows the router no accelerator; RLinf's shows it all of its node.
    private static ArrayNode router(JsonNode group) {
        ArrayNode all = actors(group);
        for (JsonNode actor : all) {
            ObjectNode env = (ObjectNode) actor.path("env");
            env.put("LOCAL_ACCELERATOR_RANK", "-1");
            for (String name : List.of("VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES", ONE_API, "MUSA_VISIBLE_DEVICES")) {
                if (env.has(name)) {
                    env.put(name, "");
                }
            }
            env.remove(List.of("EGL_DEVICE_ID", "MUJOCO_EGL_DEVICE_ID"));
        }
        return all;
    }

    private static ArrayNode router(FleetPlan plan) {
        ArrayNode all = JsonNodeFactory.instance.arrayNode();
        plan.router().ifPresent(router -> {
            ObjectNode one = all.addObject();
            one.put("actor_name", router.actorName());
            one.put("rank", 0);
            one.put("node_rank", router.node().rank());
            one.put("node_ip", router.node().ip());
            one.put("node_group_label", "cluster");
            one.set("env", Corpus.json(new TreeMap<>(router.environment())));
        });
        return all;
    }

    private static @Nullable String arguments(JsonNode group, FleetPlan plan) {
        for (EnginePlan engine : plan.engines()) {
            JsonNode process = group.path("actors").path(engine.rank()).path("server_process");
            ObjectNode recorded = process.path("kwargs").deepCopy();
            recorded.remove(AT_RUN_TIME);
            Map<String, @Nullable Object> ours = new TreeMap<>(engine.serverArgs());
            ours.keySet().removeAll(AT_RUN_TIME);
            String problem = Corpus.difference("kwargs", recorded, Corpus.json(ours));
            if (problem == null
                    && !engine.serverType().equals(process.path("server_type").asText())) {
                problem = "server_type " + engine.serverType();
            }
            if (problem != null) {
                return problem;
            }
        }
        return null;
    }
}
