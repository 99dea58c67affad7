/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.workers.protocol.WorkerFailure;
import io.ray.api.exception.RayActorException;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** Makes one kind of exception, with a text for people, of what Ray throws for a remote call. */
final class RemoteFailures {
    private RemoteFailures() {}

    static WorkerException translate(String group, int rank, String node, String method, Throwable thrown) {
        Throwable failure = thrown;
        while (failure instanceof CompletionException && failure.getCause() != null) {
            failure = failure.getCause();
        }
        if (failure instanceof WorkerException known) {
            return known;
        }
        return new WorkerException(group, rank, node, method, reason(failure), failure);
    }

    private static String reason(Throwable failure) {
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
