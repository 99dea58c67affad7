/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.app.Fleet;
import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.context.CliSession;
import dev.sglangray.app.cli.context.ClusterOptions;
import dev.sglangray.app.cli.context.EnvironmentException;
import dev.sglangray.app.cli.context.ExitCode;
import dev.sglangray.app.cli.context.GroupNameOptions;
import dev.sglangray.app.cli.context.OptionValues;
import dev.sglangray.app.cli.context.UsageException;
import dev.sglangray.app.cli.show.AttachedFleet;
import dev.sglangray.app.cli.show.NoFleetException;
import dev.sglangray.app.cli.show.ProgressDisplay;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.client.GenerateRequest;
import dev.sglangray.client.GenerateResponse;
import dev.sglangray.client.InferenceHttpClient;
import dev.sglangray.client.InferenceHttpClientBuilder;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
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
        header = "Send one prompt and print the text.",
        description = {
            "Send one prompt to /generate and print the text.",
            "With --url it needs no Ray; without, it finds the fleet by its groups' names in the cluster.",
            "An API key is read from the variable SGLANG_RAY_API_KEY.",
            ""
        })
public final class GenerateCommand implements Callable<Integer> {
    private static final String API_KEY = "SGLANG_RAY_API_KEY";

    private final CliContext context;

    @Mixin
    private ClusterOptions cluster = new ClusterOptions();

    @Mixin
    private GroupNameOptions groups = new GroupNameOptions();

    @Option(
            names = {"--url"},
            paramLabel = "URL",
            converter = OptionValues.Url.class,
            description = "The router's or an engine's URL.")
    private @Nullable String url;

    @Option(
            names = {"--max-new-tokens"},
            paramLabel = "N",
            converter = OptionValues.NotNegative.class,
            defaultValue = "32",
            description = "How many tokens at most. Default: ${DEFAULT-VALUE}")
    private int maxNewTokens = 32;

    @Option(
            names = {"--temperature"},
            paramLabel = "T",
            converter = OptionValues.Temperature.class,
            defaultValue = "0",
            description = "The sampling temperature. Default: ${DEFAULT-VALUE}, always the likeliest token")
    private double temperature;

    @Option(
            names = {"--timeout"},
            paramLabel = "SECONDS",
            converter = OptionValues.Seconds.class,
            defaultValue = "600",
            description = "How long to wait for the answer. Default: ${DEFAULT-VALUE}")
    private Duration timeout = Duration.ofMinutes(10);

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
        Map<String, Object> sampling = Map.of("max_new_tokens", maxNewTokens, "temperature", temperature);
        requireUsableKey(context.environment());
        String target = url == null ? fleetUrl() : url;
        GenerateResponse response = generate(context.environment(), target, prompt, sampling, timeout);
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
            Map<String, String> environment,
            String url,
            String prompt,
            Map<String, Object> samplingParams,
            Duration timeout) {
        InferenceHttpClientBuilder builder =
                InferenceHttpClient.builder().baseUrl(url).requestTimeout(timeout);
        apiKey(environment).ifPresent(builder::apiKey);
        try (InferenceHttpClient client = builder.build()) {
            GenerateRequest.Builder request = GenerateRequest.builder().text(prompt);
            samplingParams.forEach(request::samplingParam);
            return client.generate(request.build());
        }
    }

    private static Optional<String> apiKey(Map<String, String> environment) {
        return Optional.ofNullable(environment.get(API_KEY)).filter(key -> !key.isBlank());
    }

    /** Before anything is connected to, and without the key in its words. */
    private static void requireUsableKey(Map<String, String> environment) {
        try {
            apiKey(environment).ifPresent(InferenceHttpClient.builder()::apiKey);
        } catch (IllegalArgumentException e) {
            throw new UsageException(API_KEY + ": " + e.getMessage());
        }
    }

    private String fleetUrl() throws InterruptedException {
        try (ProgressDisplay progress = new ProgressDisplay(context.console(), true);
                CliSession cli = CliSession.begin(context, cluster)) {
            RaySession session = cli.connect(progress);
            AttachedFleet fleet;
            try {
                fleet = groups.require(session);
            } catch (NoFleetException e) {
                throw new EnvironmentException(e.getMessage() + "; name a URL with --url, or other groups");
            }
            return Fleet.apiUrl(fleet.serversOrNull(), fleet.routerOrNull());
        }
    }
}
