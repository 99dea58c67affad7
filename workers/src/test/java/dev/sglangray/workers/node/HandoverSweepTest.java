/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.node;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.workers.protocol.ProtocolJson;
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

/** What dead workers left for successors, and which of it is still needed. */
class HandoverSweepTest {
    private final Instant now = Instant.now();

    @TempDir
    Path folder;

    private final Map<String, String> living = Map.of("engines:0", "aa01", "router:0", "bb02");

    private void left(String actorId, String actor, String session) throws IOException {
        Map<String, Object> sections = Map.of(
                "engine",
                Map.of("url", "http://a:1"),
                HandoverSweep.WHO,
                new HandoverSweep.Who(actor, "sglang-ray", session));
        Files.writeString(folder.resolve(actorId + ".json"), ProtocolJson.write(sections));
        Files.writeString(folder.resolve(actorId + ".json.new"), "{");
    }

    private void sweep(Instant at, HandoverSweep.Living known) {
        new HandoverSweep(folder, "/tmp/ray/one", known, InstantSource.fixed(at)).run();
    }

    private void sweep(Instant at) {
        sweep(at, (actor, namespace) -> Optional.ofNullable(living.get(actor)));
    }

    @Test
    void whatALivingActorNeedsStays() throws IOException {
        left("aa01", "engines:0", "/tmp/ray/one");
        sweep(now);
        assertThat(folder).isDirectoryContaining("glob:**aa01.json");
    }

    @Test
    void whatADeadOneLeftGoesAlsoWhereAnotherHasItsName() throws IOException {
        left("aa00", "engines:0", "/tmp/ray/one");
        left("cc03", "engines:7", "/tmp/ray/one");
        sweep(now);
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void ofAnotherClusterOnlyWhatIsOldGoes() throws IOException {
        left("aa00", "engines:0", "/tmp/ray/two");
        sweep(now.plus(Duration.ofDays(6)));
        assertThat(folder).isNotEmptyDirectory();
        sweep(now.plus(Duration.ofDays(8)));
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void whereNothingCanBeKnownEverythingStays() throws IOException {
        left("cc03", "engines:7", "/tmp/ray/one");
        Files.writeString(folder.resolve("dd04.json"), "{");
        Files.writeString(folder.resolve("ee05.json"), "{}");
        sweep(now, (actor, namespace) -> {
            throw new IllegalStateException("Ray does not answer");
        });
        assertThat(folder).isDirectoryContaining("glob:**cc03.json");
        assertThat(folder).isDirectoryContaining("glob:**dd04.json");
        assertThat(folder).isDirectoryContaining("glob:**ee05.json");
    }

    @Test
    void aFileThatCannotBeReadHoldsUpNoOther() throws IOException {
        Files.writeString(folder.resolve("aa00.json"), "{");
        left("cc03", "engines:7", "/tmp/ray/one");
        sweep(now);
        assertThat(folder).isDirectoryNotContaining("glob:**cc03.json*");
        assertThat(folder).isDirectoryContaining("glob:**aa00.json");
    }

    @Test
    void noFolderIsNoFailure() {
        new HandoverSweep(folder.resolve("none"), "s", (actor, namespace) -> Optional.empty(), Instant::now).run();
        assertThat(folder).isEmptyDirectory();
    }
}
