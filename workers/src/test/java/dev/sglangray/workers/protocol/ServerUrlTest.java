/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServerUrlTest {

    @ParameterizedTest
    @CsvSource({
        "http://10.9.0.1:31000, http://10.9.0.1:31000",
        "http://10.9.0.1:31000/, http://10.9.0.1:31000",
        "HTTP://Node-A:31000, http://node-a:31000",
        "http://node_a.Example.:31000, http://node_a.example.:31000",
        "http://node-a, http://node-a:80",
        "https://node-a, https://node-a:443",
        "http://[FD00:0:0:0:0:0:0:1]:31000/, http://[fd00::1]:31000"
    })
    void aServerHasOneSpelling(String text, String spelled) {
        assertThat(ServerUrl.of(text)).isEqualTo(spelled);
        assertThat(ServerUrl.of(spelled)).isEqualTo(spelled);
    }

    @ParameterizedTest
    @CsvSource({
        "10.9.0.1:31000, did you mean http://10.9.0.1:31000?",
        "node-a:31000, did you mean http://node-a:31000?",
        "'', must be of the form http://HOST:PORT",
        "file:///etc/passwd, must be of the form http://HOST:PORT",
        "grpc://node-a:31000, must be of the form http://HOST:PORT",
        "http://node-a:99999, must be of the form http://HOST:PORT",
        "http://, must be of the form http://HOST:PORT",
        "http://node-a:31000/v1, must be a base URL without a path: http://node-a:31000",
        "http://node-a:31000?x=1, must be a base URL without a path: http://node-a:31000",
        "http://user:secret@node-a:31000, must have no user name and no password",
        "htp://user:secret@node-a:31000, must be of the form http://HOST:PORT"
    })
    void whatIsNoBaseUrlIsRefusedWithWords(String text, String words) {
        assertThatThrownBy(() -> ServerUrl.of(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(words)
                .message()
                .doesNotContain("secret");
    }

    @Test
    void aServerOfOursIsSpelledTheSameWay() {
        assertThat(ServerUrl.of("10.9.0.1", 31000)).isEqualTo("http://10.9.0.1:31000");
        assertThat(ServerUrl.of("[FD00::0:1]", 31000)).isEqualTo("http://[fd00::1]:31000");
        assertThat(ServerUrl.of("Node-A", 31000)).isEqualTo("http://node-a:31000");
    }

    @Test
    void anotherNameOfAKnownServerLeadsToIt() {
        List<String> known = List.of("http://10.9.0.1:30000", "http://10.9.0.1:31000", "http://[fd00::1]:32000");

        assertThat(ServerUrl.known("http://localhost:31000", known, "10.9.0.1")).isEqualTo("http://10.9.0.1:31000");
        assertThat(ServerUrl.known("http://127.0.0.1:32000", known, "fd00::1")).isEqualTo("http://[fd00::1]:32000");
        assertThat(ServerUrl.known("http://localhost:31001", known, "10.9.0.1")).isEqualTo("http://localhost:31001");
        assertThat(ServerUrl.known("http://localhost:31000", known, "10.9.0.2")).isEqualTo("http://localhost:31000");
        assertThat(ServerUrl.known("http://no-such-host.invalid:31000", known, "10.9.0.1"))
                .isEqualTo("http://no-such-host.invalid:31000");
    }
}
