/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.protocol;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One change of a fleet's weights. Immutable; travels as JSON, hence the plain numbers.
 *
 * @param version the trainer's name for the new weights; each answer's {@code meta_info.weight_version} tells it
 * @param kind where they come from
 * @param path for {@link Kind#DISK}: a folder that every engine's node sees, or a name that the engine can resolve
 * @param loadFormat for {@link Kind#DISK}: SGLang's {@code load_format}, or null for the engine's own
 * @param buckets for the other kinds: the bodies of the engine's requests, in order, as SGLang describes them
 * @param shelf where the buckets lie instead; null when they are here
 * @param inFlight what becomes of requests under way
 * @param rolling whether one engine is updated after the other, so that answers of old and new weights mix for a while
 * @param timeoutSeconds for the whole of it, above 0
 */
public record WeightUpdate(
        String version,
        Kind kind,
        @Nullable String path,
        @Nullable String loadFormat,
        List<Map<String, Object>> buckets,
        @Nullable BucketReference shelf,
        InFlightPolicy inFlight,
        boolean rolling,
        double timeoutSeconds) {

    /** The time that an update has unless it says otherwise. */
    public static final Duration DEFAULT_TIMEOUT = Duration.ofMinutes(10);

    /** Where weights come from. */
    public enum Kind {
        /** A checkpoint on disk; engines that are started later load it too. */
        DISK("/update_weights_from_disk"),
        /** Tensors in the request ({@code serialized_named_tensors}); an engine that is started later cannot have them. */
        TENSORS("/update_weights_from_tensor"),
        /** A process group with the trainer, which {@code initWeightsGroup} made; as for tensors. */
        DISTRIBUTED("/update_weights_from_distributed");

        private final String route;

        Kind(String route) {
            this.route = route;
        }

        /** SGLang's route for it. */
        public String route() {
            return route;
        }
    }

    /** Checks what can be checked; what is wrong is an {@link IllegalArgumentException}. */
    public WeightUpdate {
        buckets = List.copyOf(buckets);
        if (version.isBlank()) {
            throw new IllegalArgumentException("An update of weights needs a version.");
        }
        if ((kind == Kind.DISK) != (path != null && !path.isBlank())) {
            throw new IllegalArgumentException(
                    "An update from disk needs a path, and no other has one: " + kind + ", path " + path);
        }
        if (shelf != null && !buckets.isEmpty()) {
            throw new IllegalArgumentException("The buckets of an update lie in it or elsewhere, not both.");
        }
        if ((kind == Kind.DISK) != (buckets.isEmpty() && shelf == null)) {
            throw new IllegalArgumentException("An update from disk has no buckets, and every other at least one.");
        }
        if (!(timeoutSeconds > 0)) {
            throw new IllegalArgumentException("The time for an update must be above 0 s: " + timeoutSeconds);
        }
    }

    /** From a checkpoint on disk: all at once, with requests under way waited for. */
    public static WeightUpdate fromDisk(String version, String path) {
        return of(version, Kind.DISK, path, List.of());
    }

    /** From tensors in the requests' bodies. */
    public static WeightUpdate fromTensors(String version, List<Map<String, Object>> buckets) {
        return of(version, Kind.TENSORS, null, buckets);
    }

    /** From a process group with the trainer, which sends what the bodies name meanwhile. */
    public static WeightUpdate fromDistributed(String version, List<Map<String, Object>> buckets) {
        return of(version, Kind.DISTRIBUTED, null, buckets);
    }

    private static WeightUpdate of(
            String version, Kind kind, @Nullable String path, List<Map<String, Object>> buckets) {
        return new WeightUpdate(
                version, kind, path, null, buckets, null, InFlightPolicy.DRAIN, false, DEFAULT_TIMEOUT.toSeconds());
    }

    /** With another {@code load_format}. */
    public WeightUpdate withLoadFormat(@Nullable String format) {
        return new WeightUpdate(version, kind, path, format, buckets, shelf, inFlight, rolling, timeoutSeconds);
    }

    /** With another fate of requests under way. */
    public WeightUpdate withInFlight(InFlightPolicy fate) {
        return new WeightUpdate(version, kind, path, loadFormat, buckets, shelf, fate, rolling, timeoutSeconds);
    }

    /** One engine after the other: the fleet never stops answering, and its answers mix for a while. */
    public WeightUpdate withRolling(boolean wanted) {
        return new WeightUpdate(version, kind, path, loadFormat, buckets, shelf, inFlight, wanted, timeoutSeconds);
    }

    /** With another time for the whole of it. */
    public WeightUpdate withTimeout(Duration whole) {
        return new WeightUpdate(
                version, kind, path, loadFormat, buckets, shelf, inFlight, rolling, whole.toMillis() / 1000.0);
    }

    /** The time for the whole of it. */
    public Duration timeout() {
        return Duration.ofMillis(Math.round(timeoutSeconds * 1000));
    }

    /** How many buckets there are. */
    public int bucketCount() {
        return shelf == null ? buckets.size() : shelf.sizes().size();
    }

    /** What an engine has after it. */
    public Weights weights() {
        return new Weights(version, path, loadFormat);
    }

    /** Without the tensors. */
    @Override
    public String toString() {
        return "WeightUpdate[" + weights().text() + ", " + inFlight + (rolling ? ", rolling" : "") + "]";
    }
}
