/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.stream;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Takes the {@code data} of server-sent events out of a body that comes in pieces. Other fields, comments and a byte order mark are
 * skipped. Not thread-safe.
 */
final class SseParser {
    private static final byte[] DATA = {'d', 'a', 't', 'a'};

    private final long limit;
    private final Consumer<byte[]> events;
    private byte[] line = new byte[1024];
    private int lineLength;
    private byte[] data = new byte[0];
    private boolean hasData;
    private boolean afterReturn;

    /**
     * Waits for the first bytes.
     *
     * @param limit of one event, in bytes
     * @param events takes the data of each event that has any
     */
    SseParser(long limit, Consumer<byte[]> events) {
        this.limit = limit;
        this.events = events;
    }

    /**
     * Takes further bytes of the stream.
     *
     * @throws TooLargeException if an event is larger than the limit
     */
    void feed(ByteBuffer piece) {
        while (piece.hasRemaining()) {
            byte next = piece.get();
            if (next == '\n' && afterReturn) {
                afterReturn = false;
            } else if (next == '\n' || next == '\r') {
                afterReturn = next == '\r';
                endLine();
            } else {
                afterReturn = false;
                append(next);
            }
        }
    }

    private void append(byte next) {
        if (lineLength == line.length) {
            if (lineLength + (long) data.length >= limit) {
                throw new TooLargeException();
            }
            line = Arrays.copyOf(line, (int) Math.min(Integer.MAX_VALUE - 8L, line.length * 2L));
        }
        line[lineLength++] = next;
    }

    private void endLine() {
        if (lineLength == 0) {
            if (hasData) {
                byte[] event = data;
                data = new byte[0];
                hasData = false;
                events.accept(event);
            }
            return;
        }
        int start = isByteOrderMark() ? 3 : 0;
        int colon = start + DATA.length;
        boolean isData = lineLength >= colon
                && Arrays.equals(line, start, colon, DATA, 0, DATA.length)
                && (lineLength == colon || line[colon] == ':');
        if (isData) {
            int from = Math.min(lineLength, colon + 1);
            if (from < lineLength && line[from] == ' ') {
                from++;
            }
            addData(from);
        }
        lineLength = 0;
    }

    private void addData(int from) {
        int added = lineLength - from;
        if (!hasData) {
            data = Arrays.copyOfRange(line, from, lineLength);
            hasData = true;
        } else {
            if (data.length + (long) added >= limit) {
                throw new TooLargeException();
            }
            int before = data.length;
            data = Arrays.copyOf(data, before + 1 + added);
            data[before] = '\n';
            System.arraycopy(line, from, data, before + 1, added);
        }
    }

    private boolean isByteOrderMark() {
        return lineLength >= 3 && (line[0] & 0xff) == 0xef && (line[1] & 0xff) == 0xbb && (line[2] & 0xff) == 0xbf;
    }

    /** An event is larger than the limit. */
    static final class TooLargeException extends RuntimeException {
        TooLargeException() {
            super("an event is larger than the limit", null, false, false);
        }
    }
}
