/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.Weights;
import dev.sglangray.workers.protocol.WorkerFailure;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which servers may get requests, by their weights. */
class RosterWeightsTest {
    private static final FleetWeights SEVEN = new FleetWeights(new Weights("7", "/weights/7", null));

    @TempDir
    Path folder;

    private Path file;
    private Roster roster;

    private static ServerEndpoint engine(String url, String version) {
        return ServerEndpoint.regular(url).withWeightVersion(version);
    }

    @BeforeEach
    void twoMembers() {
        file = folder.resolve("roster.json");
        roster = new Roster(new MemoryFile(file));
        roster.add(engine("http://a:1", "default"));
        roster.add(engine("http://b:2", "default"));
    }

    @Test
    void othersThanTheFleetsAreSuspendedAndNotLetIn() {
        roster.suspend("http://a:1");
        assertThat(roster.commit(SEVEN, false)).containsExactly("http://b:2");
        assertThat(roster.active()).isEmpty();
        assertThatThrownBy(() -> roster.resume("http://a:1", engine("http://a:1", "default")))
                .hasMessageContaining("http://a:1 has weights of version default, and the fleet those of 7");
        assertThatThrownBy(() -> roster.add(engine("http://c:3", "6"))).isInstanceOf(WorkerFailure.class);
        assertThat(roster.suspended()).containsExactlyInAnyOrder("http://a:1", "http://b:2");

        assertThat(roster.resume("http://a:1", engine("http://a:1", "7"))).isTrue();
        assertThat(roster.active()).containsExactly(engine("http://a:1", "7"));
    }

    @Test
    void mixingLeavesThemUntilTheEnd() {
        assertThat(roster.commit(SEVEN, true)).isEmpty();
        assertThat(roster.active()).hasSize(2);
        assertThat(roster.resume("http://a:1", engine("http://a:1", "7"))).isTrue();
        assertThat(roster.commit(SEVEN, false)).containsExactly("http://b:2");
    }

    @Test
    void aServerOfUnknownWeightsIsItsOwnersBusiness() {
        roster.commit(SEVEN, false);
        roster.add(ServerEndpoint.regular("http://foreign:4"));
        assertThat(roster.active()).containsExactly(ServerEndpoint.regular("http://foreign:4"));
    }

    @Test
    void aSuccessorKnowsThemToo() throws Exception {
        roster.commit(SEVEN, false);
        Roster successor = new Roster(new MemoryFile(file));
        successor.inherit();
        assertThat(successor.weights()).isEqualTo(SEVEN);
        assertThatThrownBy(() -> successor.add(engine("http://c:3", "6"))).isInstanceOf(WorkerFailure.class);
        assertThat(Files.readString(file)).contains("/weights/7");
    }
}
