/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.app.session.RayLedger;
import dev.sglangray.workers.WorkerException;
import io.ray.api.Ray;
import io.ray.api.exception.RayActorException;
import java.util.function.Predicate;

/** Tells a fleet that was ended on purpose from one that died. Stateless. */
public final class DeliberateEnd {
    /** What happened to a worker, or to its fleet. */
    public static final String WORDS = "was ended on purpose meanwhile, as `sglang-ray down` does";

    private DeliberateEnd() {}

    /** The failure, or one with other words when its worker was ended on purpose. */
    public static RuntimeException explain(RuntimeException failure) {
        return explain(failure, DeliberateEnd::wasEnded);
    }

    static RuntimeException explain(RuntimeException failure, Predicate<String> wasEnded) {
        if (failure instanceof WorkerException worker
                && isDeath(failure)
                && wasEnded.test(worker.group() + ":" + worker.rank())) {
            return new WorkerException(
                    worker.group(), worker.rank(), worker.node(), worker.method(), "the worker " + WORDS, failure);
        }
        return failure;
    }

    /** Whether a named actor of this session's namespace was ended by a call for its end. False where Ray cannot tell. */
    public static boolean wasEnded(String actor) {
        return Ray.isInitialized()
                && new RayLedger().wasEnded(Ray.getRuntimeContext().getNamespace(), actor);
    }

    private static boolean isDeath(Throwable failure) {
        for (Throwable at = failure; at != null; at = at.getCause()) {
            if (at instanceof RayActorException) {
                return true;
            }
        }
        return false;
    }
}
