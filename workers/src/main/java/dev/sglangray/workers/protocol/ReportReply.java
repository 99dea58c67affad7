/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.protocol;

/**
 * What the registry answers to an {@link EngineReport}. Travels as JSON.
 *
 * @param epoch the highest epoch that it knows of this worker; above that of the report, the report was out of date and dropped
 * @param member whether the engine is registered: only then does the router ever send to it
 * @param listed whether the router sends to it now
 * @param out whether the router does not send to it, and no registration is under way that could still change that
 * @param weights what engines must have to get requests
 */
public record ReportReply(long epoch, boolean member, boolean listed, boolean out, FleetWeights weights) {
    /** The answer where there is no router, so that nothing is sent to anybody. */
    public static ReportReply withoutRouter(long epoch, FleetWeights weights) {
        return new ReportReply(epoch, false, false, true, weights);
    }
}
