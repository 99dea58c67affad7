/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.ray;

import dev.sglangray.workers.loop.EventLoop;
import dev.sglangray.workers.protocol.WorkerFailure;
import io.ray.api.exception.RayActorException;
import org.jspecify.annotations.Nullable;

/** Puts into words what Ray throws for a remote call. */
public final class RemoteFailures {
    private RemoteFailures() {}

    /** What happened, in words: those of the worker where it had some. */
    public static String reason(Throwable thrown) {
        Throwable failure = EventLoop.unwrapped(thrown);
        for (Throwable t = failure; t != null; t = t.getCause()) {
            if (t instanceof WorkerFailure) {
                return String.valueOf(t.getMessage());
            }
        }
        if (failure instanceof RayActorException) {
            Throwable root = root(failure);
            return "the worker's process is gone (killed, out of memory, its node lost, or its class not loadable there)"
                    + (root == null ? "" : ": " + root);
        }
        Throwable root = root(failure);
        return root == null ? failure.toString() : root.toString();
    }

    private static @Nullable Throwable root(Throwable failure) {
        Throwable root = failure.getCause();
        while (root != null && root.getCause() != null) {
            root = root.getCause();
        }
        return root;
    }
}
