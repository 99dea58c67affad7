/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.workers.protocol.WorkerFailure;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class WorkerNodeTest {

    @Test
    void anAddressOfVersionSixIsBracketedAndBoundOnAllInterfacesOfItsFamily() {
        WorkerNode node = node("fd00::2");

        assertThat(node.defaultBindHost()).isEqualTo("::");
        assertThat(node.advertisedHost("::")).isEqualTo("[fd00::2]");
        assertThat(node.advertisedHost("fd00::9")).isEqualTo("[fd00::9]");
    }

    @Test
    void aWildcardAdvertisesTheNodeAndAnythingElseItself() {
        WorkerNode node = node("10.0.0.2");

        assertThat(node.advertisedHost("0.0.0.0")).isEqualTo("10.0.0.2");
        assertThat(node.advertisedHost("127.0.0.1")).isEqualTo("127.0.0.1");
    }

    @Test
    void aNodeKnownByANameBindsTheFamilyOfItsAddress() {
        assertThat(node("localhost").defaultBindHost()).isIn("0.0.0.0", "::");
        assertThat(node("localhost").advertisedHost("0.0.0.0")).isEqualTo("localhost");
        assertThatThrownBy(() -> node("no-such-host.invalid").defaultBindHost())
                .isInstanceOf(WorkerFailure.class)
                .hasMessageContaining("Ray knows this node as 'no-such-host.invalid'");
    }

    @Test
    void aRouterBindsSocketAddressesOnly() {
        assertThat(WorkerNode.socketHost("::")).isEqualTo("[::]");
        assertThat(WorkerNode.socketHost("[::1]")).isEqualTo("[::1]");
        assertThat(WorkerNode.socketHost("fd00::9")).isEqualTo("[fd00::9]");
        assertThat(WorkerNode.socketHost("0.0.0.0")).isEqualTo("0.0.0.0");
        assertThat(WorkerNode.socketHost("localhost")).isIn("127.0.0.1", "[0:0:0:0:0:0:0:1]");
        assertThatThrownBy(() -> WorkerNode.socketHost("no such host"))
                .isInstanceOf(WorkerFailure.class)
                .hasMessageContaining("'no such host', which this node does not know");
    }

    private static WorkerNode node(String ip) {
        return new WorkerNode("id", ip, List.of(), Path.of("/logs"));
    }
}
