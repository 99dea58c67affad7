/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.schema;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sglangray.config.launcher.EnginePool;
import dev.sglangray.config.launcher.WorkerType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** The JSON Schema of the launcher's maps that RLinf does not have: such as {@code pools} and {@code supervision}. */
final class FleetSchema {
    private FleetSchema() {}

    private static ObjectNode amounts(String description) {
        ObjectNode map = EditorSchema.type("object");
        map.set("additionalProperties", EditorSchema.anyOf(EditorSchema.type("number")));
        return EditorSchema.describe(map, description);
    }

    static ObjectNode placementGroup() {
        ObjectNode map = closed("How the fleet uses Ray's placement groups.");
        ObjectNode properties = map.putObject("properties");
        properties.set("strategy", words("How the bundles lie.", "PACK", "STRICT_PACK", "SPREAD", "STRICT_SPREAD"));
        properties.set("accelerator_ids", words("Who says which accelerators an engine uses.", "RAY", "TRUST_CONFIG"));
        properties.set("accelerator_share", number("What an engine takes of its accelerator, above 0 and at most 1."));
        properties.set(
                "engine_resources",
                amounts("What each engine takes besides accelerators, by Ray's names: CPU, memory."));
        properties.set("rest", amounts("What each bundle holds for others besides, by Ray's names."));
        properties.set("name", EditorSchema.text("A placement group that exists already, to use instead."));
        properties.set(
                "namespace", EditorSchema.text("The Ray namespace of that group; the driver's own unless given."));
        properties.set("bundles", numbers("The bundle of that group for each engine, by the engine's rank."));
        properties.set(
                "wait_for_nodes_s",
                number("Seconds for which further engines wait for nodes that Ray's autoscaler adds."));
        return map;
    }

    static ObjectNode externalEngines() {
        ObjectNode engine = closed("An engine that another program keeps.");
        ObjectNode properties = engine.putObject("properties");
        properties.set("url", EditorSchema.text("The base URL of its HTTP server."));
        properties.set("worker_type", workerType());
        properties.set(
                "bootstrap_port", EditorSchema.count("Where a prefill engine hands its cache over; required for it."));
        properties.set("api_key", EditorSchema.text("The key that guards it."));
        properties.set(
                "model",
                EditorSchema.text("The name of the model that it must serve; the fleet's only one unless given."));
        properties.set(
                "weight_version",
                EditorSchema.describe(
                        EditorSchema.anyOf(EditorSchema.type("string"), EditorSchema.type("integer")),
                        "The version that its weights must have; that of the fleet's unless given, where it serves their model."));
        engine.putArray("required").add("url");
        ObjectNode list = EditorSchema.type("array");
        list.set("items", engine);
        return EditorSchema.nullable(list)
                .put("description", "Engines that other programs keep, to which the router sends too.");
    }

    private static ObjectNode workerType() {
        return EditorSchema.describe(
                EditorSchema.choice(Arrays.stream(WorkerType.values())
                        .map(WorkerType::configName)
                        .toList()),
                "What its engines do: all of a request, its prompt, or its answer.");
    }

    static ObjectNode pools() {
        ObjectNode pool = closed("Engines that are alike: the block with these keys over its own.");
        ObjectNode properties = pool.putObject("properties");
        properties.set("name", EditorSchema.text("The pool's name."));
        properties.set("worker_type", workerType());
        properties.set(
                "component", EditorSchema.text("The component that places its engines; the fleet's unless given."));
        properties.set(
                "engines", EditorSchema.count("How many engines; those that its ranks have room for unless given."));
        properties.set(
                "env_vars",
                EditorSchema.describe(
                        EditorSchema.type("object"), "Variables of its engines, over those of their node groups."));
        properties.set("model_path", EditorSchema.text("In place of the block's."));
        properties.set("tensor_parallel_size", EditorSchema.count("In place of the block's."));
        properties.set("pipeline_parallel_size", EditorSchema.count("In place of the block's."));
        properties.set(
                "server",
                EditorSchema.describe(
                        EditorSchema.type("object"), "SGLang's arguments, over those of the block's server."));
        properties.set(
                "update_weights",
                EditorSchema.flag(
                        "Whether its engines get the weights of an update; true for the block's own model unless given."));
        ObjectNode supervision = supervision("How its engines are kept alive, over the block's supervision.");
        ((ObjectNode) supervision.get("properties")).remove(EnginePool.FLEET_SUPERVISION);
        properties.set("supervision", EditorSchema.nullable(supervision));
        properties.set("autoscaling", EditorSchema.nullable(autoscaling()));
        ObjectNode list = EditorSchema.type("array");
        list.set("items", pool);
        return EditorSchema.nullable(list).put("description", "Engines of several kinds in one fleet.");
    }

    static ObjectNode supervision() {
        return supervision("How engines and router are kept alive.");
    }

    private static ObjectNode supervision(String description) {
        ObjectNode map = closed(description);
        ObjectNode properties = map.putObject("properties");
        properties.set("restart", words("When an engine or router is started again.", "NEVER", "ON-FAILURE", "ALWAYS"));
        properties.set("max_restarts", whole("Restarts within the window before a worker is given up."));
        properties.set("restart_window_s", number("Seconds in which restarts count."));
        properties.set(
                "backoff_initial_s",
                number(
                        "Seconds before the second restart in a window, less those that the process served; the first is immediate."));
        properties.set("backoff_max_s", number("Most seconds between restarts."));
        properties.set("probe", words("What asks an engine whether it lives.", "GENERATE", "HEALTH", "NONE"));
        properties.set("probe_interval_s", number("Seconds between probes."));
        properties.set("probe_timeout_s", number("Seconds that an answer may take."));
        properties.set(
                "probe_failures",
                EditorSchema.describe(
                        EditorSchema.type("integer").put("minimum", 1), "Probes in a row that must fail."));
        properties.set("on_degraded", words("What a fleet does that lost a worker for good.", "CONTINUE", "FAIL"));
        properties.set("on_node_loss", words("What becomes of the engines of a node that is gone.", "REPLAN", "WAIT"));
        properties.set("node_loss_s", number("Seconds that a node is gone until its engines start elsewhere."));
        return map;
    }

    static ObjectNode dashboard() {
        return served("Serve the fleet's page for people over HTTP; off unless given.");
    }

    private static ObjectNode served(String description) {
        ObjectNode map = closed(description);
        ObjectNode properties = map.putObject("properties");
        properties.set("port", whole("The port to listen at; 0 for one that is free."));
        properties.set("host", EditorSchema.text("The address to listen at; 0.0.0.0 for all of the node."));
        return map;
    }

    static ObjectNode metrics() {
        ObjectNode map = served("Serve metrics, health and service discovery over HTTP; off unless given.");
        ObjectNode properties = (ObjectNode) map.get("properties");
        properties.set("ready_share", number("The share of the engines that must serve for `/readyz`, from 0 to 1."));
        properties.set("interval_s", number("Seconds between two looks at the fleet, above 0."));
        return map;
    }

    static ObjectNode tracing() {
        ObjectNode map =
                closed("Send OpenTelemetry traces of launches, changes, recoveries and updates; off unless given.");
        map.putObject("properties")
                .set(
                        "otlp_traces_endpoint",
                        EditorSchema.text(
                                "Host and port of a collector that takes OTLP over gRPC, such as collector:4317."));
        return map;
    }

    static ObjectNode autoscaling() {
        ObjectNode map = closed("Let the number of engines follow the load; off unless given.");
        ObjectNode properties = map.putObject("properties");
        properties.set("min_engines", EditorSchema.count("The fewest engines, 1 or more."));
        properties.set("max_engines", EditorSchema.count("The most engines."));
        properties.set(
                "target_ongoing_requests",
                number("Requests that an engine is to have, running and queued, on average."));
        properties.set("upscale_delay_s", number("Seconds for which more engines must be wanted."));
        properties.set("downscale_delay_s", number("Seconds for which fewer engines must be wanted."));
        properties.set("upscaling_factor", number("What the distance to the target is multiplied by on the way up."));
        properties.set("downscaling_factor", number("The same on the way down."));
        properties.set("look_back_period_s", number("Seconds over which the load is averaged."));
        properties.set("interval_s", number("Seconds between two looks at the fleet."));
        properties.set("drain_s", number("Seconds in which requests of engines that go may end."));
        return map;
    }

    private static ObjectNode closed(String description) {
        return EditorSchema.type("object").put("description", description).put("additionalProperties", false);
    }

    private static ObjectNode words(String description, String... upperCase) {
        List<String> both = new ArrayList<>();
        for (String word : upperCase) {
            both.add(word.toLowerCase(Locale.ROOT));
            both.add(word);
        }
        return EditorSchema.describe(EditorSchema.choice(both), description);
    }

    private static ObjectNode numbers(String description) {
        ObjectNode list = EditorSchema.type("array");
        list.set("items", EditorSchema.anyOf(EditorSchema.type("integer").put("minimum", 0)));
        return EditorSchema.describe(list, description);
    }

    private static ObjectNode number(String description) {
        return EditorSchema.describe(EditorSchema.type("number"), description);
    }

    private static ObjectNode whole(String description) {
        return EditorSchema.describe(EditorSchema.type("integer").put("minimum", 0), description);
    }
}
