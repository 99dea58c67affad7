/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.session;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What {@code ray job submit} tells its entry point through the environment.
 *
 * <p>Ray's Java runtime reads none of it by itself: not {@code RAY_ADDRESS}, and not where the job's working directory
 * is kept for the other nodes.
 */
public final class JobContext {
    private static final String ADDRESS = "RAY_ADDRESS";
    private static final String JOB_CONFIG = "RAY_JOB_CONFIG_JSON_ENV_VAR";

    private final @Nullable String address;
    private final @Nullable String workingDirUri;

    private JobContext(@Nullable String address, @Nullable String workingDirUri) {
        this.address = address;
        this.workingDirUri = workingDirUri;
    }

    /**
     * Reads the variables.
     *
     * @throws SessionException when the job's configuration is there but is not JSON
     */
    public static JobContext from(Map<String, String> environment) {
        String address = blankToNull(environment.get(ADDRESS));
        String json = blankToNull(environment.get(JOB_CONFIG));
        if (json == null) {
            return new JobContext(address, null);
        }
        try {
            JsonNode job = new ObjectMapper().readTree(json);
            return new JobContext(
                    address,
                    blankToNull(job.path("runtime_env").path("working_dir").asText("")));
        } catch (JsonProcessingException e) {
            throw new SessionException(JOB_CONFIG + ", which Ray sets for a job, is not JSON", e);
        }
    }

    /** The cluster's address as the environment gives it, unparsed. */
    public Optional<String> address() {
        return Optional.ofNullable(address);
    }

    /** Where every node gets the job's working directory from, a URI such as {@code gcs://_ray_pkg_1234.zip}. */
    public Optional<String> workingDirUri() {
        return Optional.ofNullable(workingDirUri);
    }

    /**
     * As {@link #workingDirUri}, but empty for a connection to another cluster than the job's, which does not keep it.
     *
     * @param connected the address that this JVM is connected to; blank when that is not known, and taken for the job's
     */
    Optional<String> workingDirUriIn(String connected) {
        return connected.isBlank() || connected.equals(address) ? workingDirUri() : Optional.empty();
    }

    private static @Nullable String blankToNull(@Nullable String text) {
        return text == null || text.isBlank() ? null : text.trim();
    }
}
