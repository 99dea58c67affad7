/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.protocol;

import java.util.Locale;

/** What becomes of the requests that an engine works on when its generation is paused; SGLang's modes. */
public enum PauseMode {
    /** They end, with what they have so far. */
    ABORT,
    /** They stay, give their memory back, and are computed again afterwards, with the weights of then. */
    RETRACT,
    /** They stay as they are, and go on afterwards with the cache that they have. */
    IN_PLACE;

    /** SGLang's word. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
