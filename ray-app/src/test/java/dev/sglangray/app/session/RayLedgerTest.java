/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.ray.runtime.generated.Common.ActorDeathCause;
import io.ray.runtime.generated.Common.ActorDiedErrorContext;
import io.ray.runtime.generated.Common.ActorDiedErrorContext.Reason;
import io.ray.runtime.generated.Gcs.ActorTableData;
import io.ray.runtime.generated.Gcs.ActorTableData.ActorState;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How Ray's table of actors tells an end on purpose. */
class RayLedgerTest {
    private static ActorTableData row(ActorState state, Reason reason, long endTime) {
        ActorTableData.Builder row = ActorTableData.newBuilder().setState(state).setEndTime(endTime);
        if (state == ActorState.DEAD) {
            row.setDeathCause(ActorDeathCause.newBuilder()
                    .setActorDiedErrorContext(ActorDiedErrorContext.newBuilder().setReason(reason)));
        }
        return row.build();
    }

    @Test
    void anActorThatACallEndedWasEnded() {
        ActorTableData killed = row(ActorState.DEAD, Reason.RAY_KILL, 20);
        assertThat(RayLedger.wasEnded(List.of(killed))).isTrue();
        assertThat(RayLedger.wasEnded(List.of(row(ActorState.DEAD, Reason.WORKER_DIED, 10), killed)))
                .isTrue();
    }

    @Test
    void oneThatDiedOrLivesOrHasASuccessorWasNot() {
        ActorTableData killed = row(ActorState.DEAD, Reason.RAY_KILL, 20);
        assertThat(RayLedger.wasEnded(List.of())).isFalse();
        assertThat(RayLedger.wasEnded(List.of(row(ActorState.DEAD, Reason.WORKER_DIED, 20))))
                .isFalse();
        assertThat(RayLedger.wasEnded(List.of(killed, row(ActorState.RESTARTING, Reason.UNSPECIFIED, 0))))
                .isFalse();
        assertThat(RayLedger.wasEnded(List.of(killed, row(ActorState.DEAD, Reason.NODE_DIED, 30))))
                .as("its successor was not")
                .isFalse();
    }
}
