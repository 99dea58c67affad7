/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.protocol;

import com.fasterxml.jackson.annotation.JsonInclude;
import org.jspecify.annotations.Nullable;

/**
 * How much an engine has to do, over all of its data-parallel ranks. What the engine does not tell is null. Travels as JSON.
 *
 * @param running requests that it computes
 * @param queued requests that wait in it
 * @param tokensPerSecond tokens that it generates in a second, as it last measured
 * @param kvUse how much of its memory for the KV cache is in use, from 0 to 1
 */
@JsonInclude(JsonInclude.Include.ALWAYS)
public record EngineLoad(
        @Nullable Integer running,
        @Nullable Integer queued,
        @Nullable Double tokensPerSecond,
        @Nullable Double kvUse) {
    /** The engine says nothing of its load. */
    public static final EngineLoad UNKNOWN = new EngineLoad(null, null, null, null);

    /** Whether the engine tells everything. */
    public boolean isComplete() {
        return running != null && queued != null && tokensPerSecond != null && kvUse != null;
    }

    /** This, with values of another where this has none. */
    public EngineLoad or(EngineLoad other) {
        return new EngineLoad(
                running == null ? other.running : running,
                queued == null ? other.queued : queued,
                tokensPerSecond == null ? other.tokensPerSecond : tokensPerSecond,
                kvUse == null ? other.kvUse : kvUse);
    }
}
