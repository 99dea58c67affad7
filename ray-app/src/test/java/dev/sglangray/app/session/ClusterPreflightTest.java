/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ClusterPreflightTest {

    @Test
    void thisMachinesNodeIsFoundByAnAddressInAnyForm() throws UnknownHostException {
        Set<InetAddress> local = Set.of(InetAddress.getByName("10.0.0.2"), InetAddress.getByName("fd00:0:0:0:0:0:0:1"));

        assertThat(ClusterPreflight.thisNode(List.of("10.0.0.1", "10.0.0.2"), local))
                .contains("10.0.0.2");
        assertThat(ClusterPreflight.thisNode(List.of("fd00::2", "fd00::1"), local))
                .contains("fd00::1");
        assertThat(ClusterPreflight.thisNode(List.of("10.0.0.1", "no-such-host.invalid"), local))
                .isEmpty();
    }

    @Test
    void thisMachinesNodeIsFoundByItsName() throws UnknownHostException {
        Set<InetAddress> none = Set.of(InetAddress.getByName("10.0.0.2"));

        assertThat(ClusterPreflight.thisNode(List.of("no-such-host.invalid", "localhost"), none))
                .contains("localhost");
        assertThat(ClusterPreflight.thisNode(List.of("127.0.0.1"), none)).isEmpty();
    }
}
