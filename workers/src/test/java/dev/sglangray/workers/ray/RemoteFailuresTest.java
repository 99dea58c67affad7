/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.ray;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.workers.WorkerException;
import dev.sglangray.workers.protocol.WorkerFailure;
import io.ray.api.exception.RayActorException;
import io.ray.api.exception.RayTaskException;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

class RemoteFailuresTest {

    @Test
    void theWorkersOwnWordsAreTheReason() {
        Throwable thrown =
                new CompletionException(new RayTaskException(1, "10.0.0.2", "noise", new WorkerFailure("exit code 1")));

        assertThat(translate(thrown)).isEqualTo("engines rank 2 on node 10.0.0.2: initServer failed: exit code 1");
    }

    @Test
    void aDeadActorIsExplained() {
        assertThat(translate(new RayActorException())).contains("the worker's process is gone");
    }

    @Test
    void anythingElseIsNamedByItsRoot() {
        assertThat(translate(new RayTaskException(1, "ip", "noise", new IllegalStateException("odd"))))
                .endsWith("IllegalStateException: odd");
    }

    private static String translate(Throwable thrown) {
        return String.valueOf(WorkerException.of("engines", 2, "10.0.0.2", "initServer", thrown)
                .getMessage());
    }
}
