/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RayAddressTest {
    @ParameterizedTest
    @CsvSource({
        "10.0.0.1:6379,10.0.0.1,6379",
        "head.cluster.local:1,head.cluster.local,1",
        "' ray-head:65535 ',ray-head,65535"
    })
    void readsHostAndPort(String text, String host, int port) {
        assertThat(RayAddress.parse(text, "--address")).isEqualTo(new RayAddress(host, port));
    }

    // Ray's Java runtime would abort the process on "auto" and start its own head on an empty address.
    @ParameterizedTest
    @CsvSource({
        "auto,--local",
        "'',host:port",
        "10.0.0.1,host:port",
        ":6379,host:port",
        "10.0.0.1:,host:port",
        "10.0.0.1:70000,between 1 and 65535",
        "10.0.0.1:0,between 1 and 65535",
        "ray://10.0.0.1:10001,Ray Client",
        "http://10.0.0.1:8265,dashboard",
        "fd00::1:6379,host:port",
        "[fd00::1]:6379,takes no IPv6 address",
    })
    void refusesWhatRayWouldDieOf(String text, String expected) {
        assertThatThrownBy(() -> RayAddress.parse(text, "RAY_ADDRESS"))
                .isInstanceOf(SessionException.class)
                .hasMessageContaining("RAY_ADDRESS is '" + text + "'")
                .hasMessageContaining(expected);
    }

    @Test
    void tellsThatNobodyListens() throws IOException {
        int free;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            free = socket.getLocalPort();
            new RayAddress("127.0.0.1", free).requireReachable(Duration.ofSeconds(5));
        }
        assertThatThrownBy(() -> new RayAddress("127.0.0.1", free).requireReachable(Duration.ofSeconds(5)))
                .isInstanceOf(SessionException.class)
                .hasMessageContaining("no Ray cluster answers at 127.0.0.1:" + free);
    }
}
