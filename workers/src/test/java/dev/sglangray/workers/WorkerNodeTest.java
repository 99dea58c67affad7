/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import static org.assertj.core.api.Assertions.assertThat;

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

    private static WorkerNode node(String ip) {
        return new WorkerNode("id", ip, List.of(), Path.of("/logs"));
    }
}
