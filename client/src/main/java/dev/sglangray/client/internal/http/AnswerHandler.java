/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.http;

import dev.sglangray.client.InferenceException;
import java.nio.ByteBuffer;

/**
 * Hears of one answer: the head, any number of pieces of the body, then the end or a failure; or a failure at any time. Calls do not
 * overlap. They must not block, because the thread serves other calls too.
 */
public interface AnswerHandler {
    void onHead(AnswerHead head);

    /** A piece of the body, decompressed. The buffer is valid during this call only. */
    void onBytes(ByteBuffer piece);

    void onEnd();

    void onFailure(InferenceException failure);
}
