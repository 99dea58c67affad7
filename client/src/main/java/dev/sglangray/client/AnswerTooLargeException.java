/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

/** The answer, decompressed, is larger than the client's limit. */
public final class AnswerTooLargeException extends InferenceException {
    public AnswerTooLargeException(String message) {
        super(message, null);
    }
}
