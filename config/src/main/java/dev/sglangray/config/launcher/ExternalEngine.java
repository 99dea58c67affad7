/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.launcher;

import dev.sglangray.config.Config;
import dev.sglangray.config.Fields;
import dev.sglangray.config.WholeNumber;
import dev.sglangray.config.error.ConfigException;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An engine that another program keeps, and to which a fleet's router sends requests: an item of {@code external_engines} in the
 * launcher's block. The word is slime's. RLinf has none.
 *
 * @param url base URL of its HTTP server, as written
 * @param workerType what it does for a request
 * @param bootstrapPort where a prefill engine hands its cache over; null for the others
 * @param apiKey the key that guards it; null for none
 * @param modelName the model that it must serve, by the name that it answers to; null for the fleet's only one
 * @param weightVersion the version that its weights must have; null for that of the fleet's weights, where it serves their model
 * @param settings what the item says
 */
public record ExternalEngine(
        String url,
        WorkerType workerType,
        @Nullable Integer bootstrapPort,
        @Nullable String apiKey,
        @Nullable String modelName,
        @Nullable String weightVersion,
        Config settings) {
    /** The list in the launcher's block. */
    static final String KEY = "external_engines";

    private static final Pattern BASE_URL = Pattern.compile("(?i)https?://[^/?#@\\s]+/?");
    private static final List<String> KEYS =
            List.of("url", "worker_type", "bootstrap_port", "api_key", "model", "weight_version");

    /** The items of a block; what is wrong with them goes into the fields. */
    static List<ExternalEngine> of(Config block, Fields fields) {
        return fields.items(block, KEY, "write one item for each engine, as in - {url: http://10.0.0.7:30000}").stream()
                .filter(item -> fields.isMap(item, "must be a map with url"))
                .map(item -> fields.attempt(() -> Optional.of(of(item)), Optional.<ExternalEngine>empty()))
                .flatMap(Optional::stream)
                .toList();
    }

    private static ExternalEngine of(Config item) {
        Fields own = new Fields();
        own.onlyKnown(item, KEYS);
        int port = own.read(item, "bootstrap_port", 0, ExternalEngine::port);
        ExternalEngine engine = new ExternalEngine(
                own.require(item, "url", "", ExternalEngine::url),
                own.read(item, "worker_type", WorkerType.REGULAR, WorkerType::read),
                port == 0 ? null : port,
                text(own, item, "api_key"),
                text(own, item, "model"),
                own.attempt(() -> Optional.ofNullable(version(item)), Optional.<String>empty())
                        .orElse(null),
                item);
        if (engine.workerType == WorkerType.PREFILL && port == 0) {
            own.add(item.error("a prefill engine needs its bootstrap_port, where decode engines fetch its cache"));
        }
        ConfigException.throwIfErrors(own.problems());
        return engine;
    }

    private static @Nullable String text(Fields own, Config item, String key) {
        String value = own.read(item, key, "", Config::asString);
        return value.isEmpty() ? null : value;
    }

    private static @Nullable String version(Config item) {
        Config field =
                item.select("weight_version").filter(one -> !one.isNull()).orElse(null);
        if (field == null) {
            return null;
        }
        if (field.value() instanceof Double number) {
            // 1.50 is read as 1.5, which is another version.
            throw new ConfigException(
                    field.error("must be a text, not the number " + number).withFix("put it in quotes"));
        }
        return field.asString();
    }

    private static int port(Config field) {
        int port = WholeNumber.of(field.value()).orElseGet(field::asInt);
        if (port < 1 || port > 65535) {
            throw new ConfigException(field.error("must be a port from 1 to 65535, not " + port));
        }
        return port;
    }

    private static String url(Config field) {
        String text = field.asString().strip();
        if (!BASE_URL.matcher(text).matches()) {
            throw new ConfigException(
                    field.error("must be the base URL of an HTTP server, as in http://10.0.0.7:30000, not "
                            + field.display(text.replaceAll("//.*@", "//***@"))));
        }
        return text;
    }

    /** The model that it must serve; empty for the fleet's only one. */
    public Optional<String> model() {
        return Optional.ofNullable(modelName);
    }

    /** Serving a model, where the item names none. */
    ExternalEngine serving(String model) {
        return modelName != null
                ? this
                : new ExternalEngine(url, workerType, bootstrapPort, apiKey, model, weightVersion, settings);
    }

    /** Without the key. */
    @Override
    public String toString() {
        return "ExternalEngine[" + url + ", " + workerType.configName() + "]";
    }
}
