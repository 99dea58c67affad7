/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.app.Fleet;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.client.GenerateRequest;
import dev.sglangray.client.GenerateResponse;
import dev.sglangray.client.InferenceHttpClient;
import dev.sglangray.client.InferenceHttpClientBuilder;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sglang-ray generate}: one request to a fleet. */
@Command(
        name = "generate",
        mixinStandardHelpOptions = true,
        description = {
            "Send one prompt to /generate and print the text.",
            "With --url it needs no Ray; without, it finds the fleet by its groups' names in the cluster.",
            "An API key is read from the variable SGLANG_RAY_API_KEY.",
            ""
        })
final class GenerateCommand implements Callable<Integer> {
    private final CliContext context;

    @Mixin
    private ClusterOptions cluster = new ClusterOptions();

    @Mixin
    private GroupNameOptions groups = new GroupNameOptions();

    @Option(
            names = {"--url"},
            paramLabel = "URL",
            description = "The router's or an engine's URL.")
    private @Nullable String url;

    @Option(
            names = {"--max-new-tokens"},
            paramLabel = "N",
            defaultValue = "32",
            description = "How many tokens at most. Default: ${DEFAULT-VALUE}")
    private int maxNewTokens = 32;

    @Option(
            names = {"--temperature"},
            paramLabel = "T",
            defaultValue = "0",
            description = "The sampling temperature. Default: ${DEFAULT-VALUE}, always the likeliest token")
    private double temperature;

    @Option(
            names = {"--timeout"},
            paramLabel = "SECONDS",
            defaultValue = "600",
            description = "How long to wait for the answer. Default: ${DEFAULT-VALUE}")
    private long timeoutSeconds = 600;

    @Option(
            names = {"--json"},
            description = "Print text and meta information as one line of JSON.")
    private boolean json;

    @Parameters(paramLabel = "PROMPT", description = "The text to go on from.")
    private String prompt = "";

    GenerateCommand(CliContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws InterruptedException, JsonProcessingException {
        String target = url == null ? fleetUrl() : url;
        GenerateResponse response = generate(
                target, prompt, Map.of("max_new_tokens", maxNewTokens, "temperature", temperature), timeoutSeconds);
        if (json) {
            Map<String, Object> answer = new LinkedHashMap<>();
            answer.put("text", response.text());
            answer.put("meta_info", response.single().metaInfo());
            context.console().result(new ObjectMapper().writeValueAsString(answer));
        } else {
            context.console().result(response.text());
        }
        return ExitCode.OK;
    }

    static GenerateResponse generate(
            String url, String prompt, Map<String, Object> samplingParams, long timeoutSeconds) {
        InferenceHttpClientBuilder builder =
                InferenceHttpClient.builder().baseUrl(url).requestTimeout(Duration.ofSeconds(timeoutSeconds));
        String key = System.getenv("SGLANG_RAY_API_KEY");
        if (key != null && !key.isBlank()) {
            builder.apiKey(key);
        }
        try (InferenceHttpClient client = builder.build()) {
            GenerateRequest.Builder request = GenerateRequest.builder().text(prompt);
            samplingParams.forEach(request::samplingParam);
            return client.generate(request.build());
        }
    }

    private String fleetUrl() throws InterruptedException {
        try (ProgressDisplay progress = new ProgressDisplay(context.console(), true);
                CliSession cli = CliSession.begin(context, cluster)) {
            RaySession session = cli.connect(progress);
            LivingFleet fleet;
            try {
                fleet = groups.require(session);
            } catch (NoFleetException e) {
                throw new EnvironmentException(e.getMessage() + "; name a URL with --url, or other groups");
            }
            return Fleet.apiUrl(fleet.serversOrNull(), fleet.routerOrNull());
        }
    }
}
