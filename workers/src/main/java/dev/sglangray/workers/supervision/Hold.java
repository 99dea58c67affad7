/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

/** Why a process that could work is held back for now. Probes rest under any of them: they would need what is held. */
public enum Hold {
    /** Its accelerator memory is lent to somebody: no requests, and no new process, for which there would be no room. */
    MEMORY(true, true),
    /** Its weights are being replaced: no requests. */
    WEIGHTS(true, false),
    /** It generates nothing until told. Requests may come; they wait inside it. */
    GENERATION(false, false),
    /** It was started while generation is paused, of which it knows nothing: no requests until the pause is over. */
    LATE(true, false);

    private final boolean withholds;
    private final boolean blocksStart;

    Hold(boolean withholds, boolean blocksStart) {
        this.withholds = withholds;
        this.blocksStart = blocksStart;
    }

    /** Whether new requests are kept away. */
    public boolean withholds() {
        return withholds;
    }

    /** Whether a process that ended must not be started again meanwhile. */
    public boolean blocksStart() {
        return blocksStart;
    }
}
