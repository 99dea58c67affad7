/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.workers.protocol.WorkerFailure;
import io.ray.api.exception.RayActorException;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** Puts into words what Ray throws for a remote call. */
final class RemoteFailures {
    private RemoteFailures() {}

    /** What happened, in words: those of the worker where it had some. */
    static String reason(Throwable thrown) {
        Throwable failure = unwrapped(thrown);
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

    /** Without what futures wrap around it. */
    static Throwable unwrapped(Throwable thrown) {
        Throwable failure = thrown;
        while (failure instanceof CompletionException && failure.getCause() != null) {
            failure = failure.getCause();
        }
        return failure;
    }
}
