/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.call;

import dev.sglangray.client.InferenceException;
import dev.sglangray.client.RequestCancelledException;
import dev.sglangray.client.internal.http.AnswerHandler;
import dev.sglangray.client.internal.http.AnswerHead;
import dev.sglangray.client.internal.http.ClientOptions;
import dev.sglangray.client.internal.http.Failures;
import dev.sglangray.client.internal.http.HttpAnswer;
import dev.sglangray.client.internal.http.HttpCall;
import dev.sglangray.client.internal.transport.NettyExchange;
import dev.sglangray.client.internal.transport.NettyTransport;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Collects an answer's body, as far as the client's limit allows. */
public final class WholeAnswer implements AnswerHandler {
    private static final int FIRST_CAPACITY = 1024;

    /** What follows of a refusal would not be shown. */
    public static final int MAX_REFUSAL = 64 * 1024;

    private final ClientOptions options;
    private final HttpCall call;
    private final CompletableFuture<HttpAnswer> answer = new CompletableFuture<>();
    private final AtomicReference<@Nullable NettyExchange> exchange = new AtomicReference<>();
    private @Nullable AnswerHead head;
    private byte[] bytes = new byte[0];
    private int size;

    private WholeAnswer(ClientOptions options, HttpCall call) {
        this.options = options;
        this.call = call;
    }

    /** Sends a call. The future has any whole answer, whatever its status; cancelling it cancels the call. */
    static CompletableFuture<HttpAnswer> send(NettyTransport transport, ClientOptions options, HttpCall call) {
        WholeAnswer collector = new WholeAnswer(options, call);
        NettyExchange exchange = transport.start(call, false, collector);
        collector.exchange.set(exchange);
        Futures.onEnd(collector.answer, (answer, failure) -> {
            if (failure != null) {
                exchange.cancel();
            }
        });
        return collector.answer;
    }

    @Override
    public void onHead(AnswerHead value) {
        head = value;
        long announced = contentLength(value.header("Content-Length"));
        if (announced > options.maxAnswerBytes() && value.isSuccess()) {
            tooLarge();
        } else if (announced > 0) {
            // Not more than this at once: the server may announce what it never sends.
            bytes = new byte[(int) Math.min(announced, 1 << 20)];
        }
    }

    @Override
    public void onBytes(ByteBuffer piece) {
        int length = piece.remaining();
        if (answer.isDone()) {
            return;
        }
        if (isRefusal() && size + (long) length > MAX_REFUSAL) {
            end();
            cancel();
            return;
        }
        if (size + (long) length > options.maxAnswerBytes()) {
            tooLarge();
            return;
        }
        if (size + length > bytes.length) {
            long grown = Math.max(size + (long) length, Math.max(FIRST_CAPACITY, bytes.length * 2L));
            bytes = Arrays.copyOf(bytes, (int) Math.min(grown, Integer.MAX_VALUE - 8));
        }
        piece.get(bytes, size, length);
        size += length;
    }

    @Override
    public void onEnd() {
        end();
    }

    @Override
    public void onFailure(InferenceException failure) {
        if (isRefusal() && !(failure instanceof RequestCancelledException)) {
            // That the server refused is certain, whatever became of the rest of its words.
            end();
        } else {
            answer.completeExceptionally(failure);
        }
    }

    private boolean isRefusal() {
        return head != null && !head.isSuccess();
    }

    private void end() {
        byte[] body = size == bytes.length ? bytes : Arrays.copyOf(bytes, size);
        AnswerHead seen = head;
        if (seen != null) {
            answer.complete(new HttpAnswer(seen, body));
        }
    }

    private void tooLarge() {
        bytes = new byte[0];
        size = 0;
        answer.completeExceptionally(Failures.tooLarge(options, call));
        cancel();
    }

    private void cancel() {
        NettyExchange started = exchange.get();
        if (started != null) {
            started.cancel();
        }
    }

    private static long contentLength(@Nullable String header) {
        try {
            return header == null ? -1 : Long.parseLong(header.strip());
        } catch (NumberFormatException e) {
            return -1;
        }
    }
}
