/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.stream;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.client.AttemptResult;
import dev.sglangray.client.EventStream;
import dev.sglangray.client.InferenceException;
import dev.sglangray.client.RequestCancelledException;
import dev.sglangray.client.RequestTimeoutException;
import dev.sglangray.client.internal.call.CallAttempt;
import dev.sglangray.client.internal.call.CallSpec;
import dev.sglangray.client.internal.call.Caller;
import dev.sglangray.client.internal.call.WholeAnswer;
import dev.sglangray.client.internal.http.AnswerHandler;
import dev.sglangray.client.internal.http.AnswerHead;
import dev.sglangray.client.internal.http.Failures;
import dev.sglangray.client.internal.json.JsonText;
import dev.sglangray.client.internal.transport.NettyExchange;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What comes back from one attempt of a stream: events, or the server's refusal. */
final class StreamAnswer<T> implements AnswerHandler {
    private static final byte[] DONE = "[DONE]".getBytes(StandardCharsets.US_ASCII);

    /** How long the end of an answer may take after its last event. */
    private static final Duration END = Duration.ofSeconds(1);

    private final Caller caller;
    private final CallSpec call;
    private final CallAttempt attempt;
    private final EventStream.EventReader<T> reader;
    private final StreamSubscription<T> subscription;
    private final SseParser parser;
    private final ByteArrayOutputStream refusal = new ByteArrayOutputStream();
    private volatile @Nullable NettyExchange exchange;
    private volatile boolean stopped;
    private @Nullable AnswerHead head;
    private @Nullable InferenceException gaveUp;
    private boolean over;
    private boolean streaming;
    private boolean done;
    private long received;

    StreamAnswer(
            Caller caller,
            CallSpec call,
            CallAttempt attempt,
            EventStream.EventReader<T> reader,
            StreamSubscription<T> subscription) {
        this.caller = caller;
        this.call = call;
        this.attempt = attempt;
        this.reader = reader;
        this.subscription = subscription;
        this.parser = new SseParser(caller.options().maxAnswerBytes(), this::event);
    }

    void started(NettyExchange value) {
        exchange = value;
        if (stopped || subscription.isCancelled()) {
            value.cancel();
        } else {
            subscription.drain();
        }
    }

    /** Closes the connection. */
    void stop() {
        stopped = true;
        NettyExchange started = exchange;
        if (started != null) {
            started.cancel();
        }
    }

    /** Tells the engine that the listener has left. */
    void abort() {
        caller.abort(attempt.server(), call);
    }

    void read() {
        NettyExchange started = exchange;
        if (started != null) {
            started.read();
        }
    }

    @Override
    public void onHead(AnswerHead value) {
        head = value;
        if (!value.isSuccess()) {
            read();
        } else {
            subscription.drain();
        }
    }

    @Override
    public void onBytes(ByteBuffer piece) {
        received += piece.remaining();
        if (head == null || !head.isSuccess()) {
            byte[] bytes = new byte[piece.remaining()];
            piece.get(bytes);
            refusal.write(bytes, 0, bytes.length);
            if (refusal.size() > WholeAnswer.MAX_REFUSAL) {
                refused();
                stop();
            } else {
                read();
            }
            return;
        }
        try {
            parser.feed(piece);
        } catch (SseParser.TooLargeException e) {
            giveUp(Failures.tooLarge(caller.options(), attempt.http()));
        }
        if (done) {
            read(); // To the end, so that the connection can be used again.
        }
        subscription.drain();
    }

    @Override
    public void onEnd() {
        AnswerHead seen = head;
        if (seen == null || !seen.isSuccess()) {
            refused();
        } else if (done) {
            over = true;
            caller.budget().succeeded();
            attempt.end(seen.status(), received, null);
        } else {
            over = true;
            Throwable reason = endedEarly(seen);
            attempt.end(seen.status(), received, reason);
            subscription.fail(reason);
        }
    }

    private void refused() {
        over = true;
        AnswerHead seen = head;
        int status = seen == null ? 0 : seen.status();
        Throwable reason = Failures.status(
                caller.options(),
                attempt.http(),
                status,
                refusal.toString(StandardCharsets.UTF_8),
                seen == null ? null : seen.header("Retry-After"));
        subscription.attemptFailed(attempt, attempt.end(status, received, reason), reason);
    }

    @Override
    public void onFailure(InferenceException reason) {
        if (over) {
            return;
        }
        AnswerHead seen = head;
        if (seen != null && !seen.isSuccess() && !(reason instanceof RequestCancelledException)) {
            // That the server refused is certain, whatever became of the rest of its words.
            refused();
            return;
        }
        over = true;
        InferenceException why = gaveUp == null ? reason : gaveUp;
        AttemptResult result = attempt.end(seen == null ? 0 : seen.status(), received, done ? null : why);
        if (done || stopped) {
            return;
        }
        if (reason instanceof RequestTimeoutException) {
            abort();
        }
        if (seen == null) {
            subscription.attemptFailed(attempt, result, reason);
        } else {
            subscription.fail(reason);
        }
    }

    private void event(byte[] data) {
        if (done || stopped) {
            return;
        }
        streaming = true;
        if (Arrays.equals(data, DONE)) {
            done = true;
            // The answer's end comes with it. One that does not must not keep the connection.
            caller.transport().after(END, this::stop);
            subscription.complete();
            return;
        }
        try {
            subscription.offer(reader.read(data));
        } catch (IOException | IllegalArgumentException e) {
            // Looked for only now: what a good event lacks is rarely an error.
            int status = errorStatus(data);
            giveUp(
                    status == 0
                            ? Failures.malformed(caller.options(), attempt.http(), data, e)
                            : Failures.status(
                                    caller.options(),
                                    attempt.http(),
                                    status,
                                    new String(data, StandardCharsets.UTF_8),
                                    null));
        }
    }

    /** The status of the error that a server put among the events; 0 if it is none. */
    private static int errorStatus(byte[] data) {
        try {
            JsonNode error = JsonText.read(data).path("error");
            int code = error.path("code").asInt();
            return error.isMissingNode() || error.isNull() ? 0 : code >= 400 && code < 600 ? code : 500;
        } catch (IOException e) {
            return 0;
        }
    }

    private InferenceException endedEarly(AnswerHead seen) {
        String type = seen.header("Content-Type");
        if (!streaming && type != null && !type.toLowerCase(Locale.ROOT).startsWith(CallSpec.EVENTS)) {
            return Failures.noStream(attempt.http(), type);
        }
        return Failures.lost(caller.options(), attempt.http(), new IOException("the stream ended without [DONE]"));
    }

    private void giveUp(InferenceException reason) {
        gaveUp = reason;
        stop();
        subscription.fail(reason);
    }
}
