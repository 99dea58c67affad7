/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.sglangray.client.CallOptions;
import dev.sglangray.client.Clients;
import dev.sglangray.client.FaultServer;
import dev.sglangray.client.GenerateRequest;
import dev.sglangray.client.InferenceHttpClient;
import dev.sglangray.client.InferenceHttpClientBuilder;
import dev.sglangray.client.ServerUnreachableException;
import dev.sglangray.client.internal.call.CallSpec;
import dev.sglangray.client.internal.call.RetryPolicy;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BaseUrlTest {
    @ParameterizedTest
    @CsvSource({
        "http://host:30000, http://host:30000/generate",
        "http://host:30000/, http://host:30000/generate",
        "http://[fd00::1]:30000, http://[fd00::1]:30000/generate",
        "https://host/a/b/, https://host/a/b/generate",
        "HTTP://My_Host, http://my_host/generate",
        "https://host:443/a b/%C3%A9/ü, https://host/a%20b/%C3%A9/%C3%BC/generate",
        "http://[FD00:0:0:0::1]:80, http://[fd00::1]/generate",
        "http://bücher.example:, http://xn--bcher-kva.example/generate"
    })
    void putsThePathAfterTheBase(String base, String expected) {
        assertThat(BaseUrl.parse(base).resolve("/generate")).hasToString(expected);
    }

    @Test
    void escapesWhatCannotStandInThePath() {
        BaseUrl base = BaseUrl.parse("http://host/a");
        assertThat(base.target("/b c?q={\"x\": 'é'}&r=%20#f"))
                .isEqualTo("/a/b%20c?q=%7B%22x%22:%20'%C3%A9'%7D&r=%20%23f");
        assertThat(base.target("/b\r\nX: y")).isEqualTo("/a/b%0D%0AX:%20y");
        assertThatIllegalArgumentException().isThrownBy(() -> base.target("b"));
    }

    @Test
    void suggestsTheScheme() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BaseUrl.parse("host:30000"))
                .withMessageContaining("did you mean \"http://host:30000\"?");
    }

    @Test
    void refusesAndHidesUserInfo() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BaseUrl.parse("http://me:s3cret@host"))
                .withMessageContaining("apiKey")
                .withMessageNotContaining("s3cret");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BaseUrl.parse("ftp://me:s3cret@host"))
                .withMessageNotContaining("s3cret");
    }

    @Test
    void refusesAQuery() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BaseUrl.parse("http://host/?a=b"))
                .withMessageContaining("query");
    }

    /** What is wrong is named; what may be a password, even in a text that is no URL, is not repeated. */
    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            value = {
                "``, it is empty",
                "`  `, it is empty",
                "127.0.0.1:30000, did you mean \"http://127.0.0.1:30000\"?",
                "localhost:30000, did you mean \"http://localhost:30000\"?",
                "http://127.0.0.1:99999, its port is 99999; allowed are 1 to 65535",
                "http://127.0.0.1:0, its port is 0; allowed are 1 to 65535",
                "http://127.0.0.1:-1, its port is not a number; allowed are 1 to 65535",
                "http://[fd00::1]:99999/engines, its port is 99999",
                "http://[fd00::1, no valid host",
                "http://[fd00::1%eth0]:1, no valid host",
                "http://[10.0.0.1]:1, no valid host",
                "http://a..b:1, no valid host",
                "http://, no valid host",
                "http://a b:1, no valid host",
                "ftp://host, its scheme is \"ftp\"; allowed are http and https",
                "http://me:s3cret@127.0.0.1:1, a user name or password",
                "me:s3cret@127.0.0.1:1, a user name or password",
                "http://me:s3/cret@127.0.0.1:1, a user name or password",
                "http://me:1/s3cret@127.0.0.1:1, a user name or password",
                "http://me:s3cret#@127.0.0.1:1, a user name or password",
                "http://me:s3cret, its port is not a number",
                "http://host:99999/?key=s3cret, its port is 99999",
                "host:1?key=s3cret, has no scheme",
                "http://ho st?key=s3cret, no valid host"
            })
    void saysWhatIsWrongAndRepeatsNoSecret(String url, String expected) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> InferenceHttpClient.builder().baseUrl(url))
                .withMessageStartingWith("the base URL is refused: ")
                .withMessageContaining(expected)
                .withMessageNotContaining("s3")
                .withMessageNotContaining("cret");
    }

    @Test
    void whatATerminalActsOnIsNotRepeated() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BaseUrl.parse("http://a\u001b[31m b"))
                .withMessageNotContaining("\u001b");
    }

    /** A limit that overflows later, or that a transport takes for none, is refused where it is given. */
    @ParameterizedTest
    @CsvSource({"PT0S", "PT-1S", "PT0.0000001S", "PT600H", "PT2562047788015215H30M7S"})
    void limitsOutOfRangeAreRefused(Duration limit) {
        InferenceHttpClientBuilder builder = InferenceHttpClient.builder();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.requestTimeout(limit))
                .withMessage("requestTimeout must be from 1 ms to 24 days: " + limit);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.readTimeout(limit))
                .withMessageStartingWith("readTimeout must be from 1 ms to 24 days: ");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.connectTimeout(limit))
                .withMessageStartingWith("connectTimeout must be from 1 ms to 24 days: ");
    }

    @Test
    void theLongestLimitsWork() throws Exception {
        Duration longest = Duration.ofDays(24);
        try (FaultServer server = new FaultServer(connection -> connection.answer("{\"text\": \"a\"}"));
                InferenceHttpClient client = Clients.of(server.url())
                        .connectTimeout(longest)
                        .readTimeout(longest)
                        .requestTimeout(longest)
                        .build()) {
            assertThat(client.generate(GenerateRequest.builder().text("x").build())
                            .text())
                    .isEqualTo("a");
        }
        CallSpec call = CallSpec.get(
                "/",
                CallOptions.DEFAULT
                        .withMaxRetries(Integer.MAX_VALUE)
                        .withRetryBackoff(longest)
                        .withMaxRetryPause(longest));
        assertThat(RetryPolicy.pause(call, Integer.MAX_VALUE, new ServerUnreachableException("", null)))
                .hasValueSatisfying(pause -> assertThat(pause).isLessThanOrEqualTo(longest));
    }
}
