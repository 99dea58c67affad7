/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.protocol;

/**
 * What came of one engine's part in an update. Travels as JSON.
 *
 * @param result in one word
 * @param detail in words; empty where the result says all
 */
public record UpdateOutcome(Result result, String detail) {

    /** In one word. */
    public enum Result {
        /** It has the new weights. */
        UPDATED,
        /** It refused and has its old weights. */
        REFUSED,
        /** It failed or did not answer: what weights it has is not known, so that it is replaced by a new process. */
        UNCERTAIN,
        /** It did not serve at the time; it gets the fleet's weights before it serves again. */
        ABSENT,
        /** It is ready for the update. */
        READY,
        /** Its pool has {@code update_weights: false}: it keeps its weights and serves on. */
        FROZEN
    }

    /** With this result. */
    public static UpdateOutcome of(Result result, String detail) {
        return new UpdateOutcome(result, detail);
    }

    /** Whether it is this result. */
    public boolean is(Result wanted) {
        return result == wanted;
    }
}
