/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.http;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Status and headers of an answer.
 *
 * @param headers gives the first value of a header, whatever the case of its name, or null
 */
public record AnswerHead(int status, Function<String, @Nullable String> headers) {
    public boolean isSuccess() {
        return status >= 200 && status < 300;
    }

    @Nullable
    public String header(String name) {
        return headers.apply(name);
    }
}
