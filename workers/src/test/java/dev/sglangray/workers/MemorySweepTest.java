/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What dead workers left for successors, and who still needs it. */
class MemorySweepTest {
    private final Instant now = Instant.now();

    @TempDir
    Path folder;

    private final Map<String, String> living = Map.of("engines:0", "aa01", "router:0", "bb02");

    private void left(String actorId, String actor, String session) throws IOException {
        Files.writeString(folder.resolve(actorId + "-engine.json"), "{}");
        Files.writeString(folder.resolve(actorId + "-weights.json"), "{}");
        new MemoryFile(folder.resolve(actorId + "-who.json")).save(new MemorySweep.Who(actor, "sglang-ray", session));
    }

    private void sweep(Instant at, MemorySweep.Living known) {
        new MemorySweep(folder, "/tmp/ray/session_1", known, InstantSource.fixed(at)).run();
    }

    private void sweep(Instant at) {
        sweep(at, (actor, namespace) -> Optional.ofNullable(living.get(actor)));
    }

    @Test
    void whatALivingActorNeedsStays() throws IOException {
        left("aa01", "engines:0", "/tmp/ray/session_1");
        sweep(now);
        assertThat(folder).isDirectoryContaining("glob:**aa01-engine.json");
    }

    @Test
    void whatADeadOneLeftGoesAlsoWhereAnotherHasItsName() throws IOException {
        left("aa00", "engines:0", "/tmp/ray/session_1");
        left("cc03", "engines:7", "/tmp/ray/session_1");
        sweep(now);
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void ofAnotherClusterOnlyWhatIsOldGoes() throws IOException {
        left("aa00", "engines:0", "/tmp/ray/session_2");
        sweep(now.plus(Duration.ofDays(6)));
        assertThat(folder).isNotEmptyDirectory();
        sweep(now.plus(Duration.ofDays(8)));
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void whereNothingCanBeKnownEverythingStays() throws IOException {
        left("cc03", "engines:7", "/tmp/ray/session_1");
        Files.writeString(folder.resolve("dd04-who.json"), "{");
        sweep(now, (actor, namespace) -> {
            throw new IllegalStateException("Ray does not answer");
        });
        assertThat(folder).isDirectoryContaining("glob:**cc03-engine.json");
        assertThat(folder).isDirectoryContaining("glob:**dd04-who.json");
    }

    @Test
    void noFolderIsNoFailure() {
        new MemorySweep(folder.resolve("none"), "s", (actor, namespace) -> Optional.empty(), Instant::now).run();
        assertThat(folder).isEmptyDirectory();
    }
}
