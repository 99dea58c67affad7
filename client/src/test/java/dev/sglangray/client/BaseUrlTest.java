/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BaseUrlTest {
    @ParameterizedTest
    @CsvSource({
        "http://host:30000, http://host:30000/generate",
        "http://host:30000/, http://host:30000/generate",
        "http://[fd00::1]:30000, http://[fd00::1]:30000/generate",
        "https://host/a/b/, https://host/a/b/generate"
    })
    void putsThePathAfterTheBase(String base, String expected) {
        assertThat(BaseUrl.parse(base).resolve("/generate")).hasToString(expected);
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
}
