/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.protocol.WorkerStatus;
import java.time.Duration;

/** One process from start to end, without Ray: what engines and routers have in common. Safe for use by many threads. */
public interface ServerProcess {

    /**
     * Starts it and waits until it is healthy; a failed start leaves nothing. Once only.
     *
     * @return the URL
     * @throws WorkerFailure with the words of what failed
     */
    String start();

    /** Where it serves, once it does. */
    String url();

    /** Whether it runs and answers. */
    boolean isHealthy();

    /** The last lines of its log. */
    String logTail(int lines);

    /** Ends the whole tree: SIGTERM, after the grace SIGKILL. Aborts a start. Harmless when repeated. */
    void shutdown(Duration grace);

    /** All that it knows of itself. */
    WorkerStatus status();

    /** What to call when it ends by itself; to be set before the start. */
    void listen(ExitListener listener);
}
