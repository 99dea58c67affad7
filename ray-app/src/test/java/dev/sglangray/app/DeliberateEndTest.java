/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.workers.WorkerException;
import io.ray.api.exception.RayActorException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is said of a fleet that `down` ended while it was launched or restarted. */
class DeliberateEndTest {
    private static WorkerException failure(Throwable cause) {
        return new WorkerException("engines", 2, "10.0.0.2", "initServer", "the worker's process is gone", cause);
    }

    @Test
    void aWorkerThatWasEndedOnPurposeIsNotSaidToHaveDied() {
        List<String> ended = List.of("engines:2");
        RuntimeException told = DeliberateEnd.explain(failure(new RayActorException()), ended::contains);
        assertThat(told)
                .isInstanceOf(WorkerException.class)
                .hasMessageContainingAll("engines rank 2", "ended on purpose meanwhile", "`sglang-ray down`")
                .hasMessageNotContaining("process is gone");
    }

    @Test
    void whatDiedOrFailedOtherwiseIsLeftAsItIs() {
        WorkerException died = failure(new RayActorException());
        assertThat(DeliberateEnd.explain(died, actor -> false)).isSameAs(died);
        WorkerException failed = failure(new IllegalStateException("no such model"));
        assertThat(DeliberateEnd.explain(failed, actor -> true)).isSameAs(failed);
        LaunchException other = new LaunchException("no room");
        assertThat(DeliberateEnd.explain(other, actor -> true)).isSameAs(other);
    }
}
