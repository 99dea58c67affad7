/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.http;

import java.nio.charset.StandardCharsets;

/** A whole answer. The body is not to be changed. */
@SuppressWarnings("ArrayRecordComponent") // Never compared; copying a body of many megabytes would only cost.
public record HttpAnswer(AnswerHead head, byte[] body) {
    public String text() {
        return new String(body, StandardCharsets.UTF_8);
    }
}
