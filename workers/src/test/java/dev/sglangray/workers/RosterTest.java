/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.workers.protocol.ServerEndpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who is a member, who of them gets requests, and what a successor knows of it. */
class RosterTest {
    private static final ServerEndpoint FIRST =
            new ServerEndpoint("http://a:1", "prefill", 9000, "open-sesame", "engines:0", null);
    private static final ServerEndpoint SECOND = ServerEndpoint.regular("http://b:2");

    @TempDir
    Path folder;

    private Path file;
    private Roster roster;

    @BeforeEach
    void twoMembers() {
        file = folder.resolve("roster.json");
        roster = new Roster(new MemoryFile(file));
        roster.add(FIRST);
        roster.add(SECOND);
    }

    private Roster successor() {
        Roster successor = new Roster(new MemoryFile(file));
        successor.inherit();
        return successor;
    }

    @Test
    void aSuspendedServerStaysAMemberWithoutRequests() {
        assertThat(roster.suspend("http://a:1")).isTrue();
        assertThat(roster.active()).containsExactly(SECOND);
        assertThat(roster.suspended()).containsExactly("http://a:1");
        assertThat(roster.active("http://a:1")).isEmpty();

        assertThat(roster.resume("http://a:1", FIRST)).isTrue();
        assertThat(roster.active()).containsExactlyInAnyOrder(FIRST, SECOND);
        assertThat(roster.suspended()).isEmpty();
    }

    @Test
    void aServerThatCameBackElsewhereReplacesItself() {
        roster.suspend("http://b:2");
        ServerEndpoint moved = ServerEndpoint.regular("http://b:3");
        assertThat(roster.resume("http://b:2", moved)).isTrue();
        assertThat(roster.active()).containsExactlyInAnyOrder(FIRST, moved);
        assertThat(roster.active("http://b:2")).isEmpty();
        assertThat(roster.suspended()).isEmpty();
    }

    @Test
    void whatWasTakenAwayByHandDoesNotComeBack() {
        roster.remove("http://b:2");
        assertThat(roster.suspend("http://b:2")).isFalse();
        assertThat(roster.resume("http://b:2", SECOND)).isFalse();
        assertThat(roster.active()).containsExactly(FIRST);
        assertThat(successor().active()).hasSize(1);
    }

    @Test
    void aSuccessorKnowsAllButTheKeys() throws IOException {
        roster.suspend("http://b:2");
        assertThat(successor().active())
                .containsExactly(new ServerEndpoint("http://a:1", "prefill", 9000, null, "engines:0", null));
        assertThat(successor().suspended()).containsExactly("http://b:2");
        assertThat(Files.readString(file)).doesNotContain("open-sesame");
    }

    @Test
    void nothingIsLeftOfADeletedOne() {
        roster.delete();
        assertThat(file).doesNotExist();
        assertThat(successor().active()).isEqualTo(List.of());
    }
}
