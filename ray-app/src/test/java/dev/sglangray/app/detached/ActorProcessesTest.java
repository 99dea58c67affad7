/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.detached;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.session.RayLedger.NamedActor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What lives on though Ray has ended it, with processes of the machine as the actors'. */
@Timeout(60)
class ActorProcessesTest {
    private static final Duration SHORT = Duration.ofMillis(200);
    private final List<Process> started = new ArrayList<>();

    private Process process() throws Exception {
        Process process = new ProcessBuilder("sleep", "600").start();
        started.add(process);
        return process;
    }

    private static void stop(Process process) throws Exception {
        assertThat(new ProcessBuilder("kill", "-STOP", Long.toString(process.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }

    private static NamedActor actor(String name, Process process, String ip) {
        return new NamedActor(name, "FleetOwnerActor", "", "01", (int) process.pid(), ip);
    }

    @AfterEach
    void end() {
        started.forEach(Process::destroyForcibly);
    }

    @Test
    void aStoppedProcessIsKilledAndNamed() throws Exception {
        Process owner = process();
        stop(owner);
        ActorProcesses processes =
                ActorProcesses.of(List.of(actor("sglang-ray-owner/X", owner, "10.0.0.1")), "10.0.0.1", found -> true);
        String words = "process " + owner.pid() + " of actor sglang-ray-owner/X";
        assertThat(processes.left()).containsExactly(words);
        assertThat(processes.killLeft(SHORT)).containsExactly(words);
        owner.waitFor();
        assertThat(processes.left()).isEmpty();
    }

    @Test
    void oneThatEndsByItselfIsNotKilled() throws Exception {
        Process owner = process();
        ActorProcesses processes =
                ActorProcesses.of(List.of(actor("sglang-ray-owner/X", owner, "10.0.0.1")), "10.0.0.1", found -> true);
        owner.destroy();
        assertThat(processes.killLeft(Duration.ofSeconds(20))).isEmpty();
        assertThat(processes.left()).isEmpty();
    }

    /** The number may be that of another process: on another node, or in another container. */
    @Test
    void whatIsNotRaysOrOfAnotherNodeIsLeftAlone() throws Exception {
        Process other = process();
        List<NamedActor> here = List.of(actor("X:0", other, "10.0.0.1"));
        assertThat(ActorProcesses.of(here, "10.0.0.1").killLeft(Duration.ZERO)).isEmpty();
        assertThat(ActorProcesses.of(here, "10.0.0.2", found -> true).killLeft(Duration.ZERO))
                .isEmpty();
        assertThat(other.isAlive()).isTrue();
    }
}
