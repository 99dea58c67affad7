/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.detached;

import dev.sglangray.app.LaunchListener;
import dev.sglangray.app.LaunchPhase;
import java.time.Duration;

/**
 * One call of a {@link LaunchListener}, on its way from the owner to the driver as JSON.
 *
 * @param kind which method
 * @param phase the phase's name, or empty
 * @param text the text or the worker
 * @param url the worker's URL, or empty
 * @param ready workers that are ready, or the milliseconds that a phase took
 * @param of workers of the group
 */
record LaunchEvent(Kind kind, String phase, String text, String url, long ready, int of) {
    enum Kind {
        STARTED,
        ENDED,
        NOTE,
        READY
    }

    void tell(LaunchListener listener) {
        switch (kind) {
            case STARTED -> listener.started(LaunchPhase.valueOf(phase), text);
            case ENDED -> listener.ended(LaunchPhase.valueOf(phase), Duration.ofMillis(ready));
            case NOTE -> listener.note(LaunchPhase.valueOf(phase), text);
            case READY -> listener.workerReady(text, url, Math.toIntExact(ready), of);
        }
    }
}
