/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.json;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Checks of arguments; all throw {@link IllegalArgumentException}. */
public final class Checks {
    private static final Duration LONGEST = Duration.ofDays(24);
    private static final Set<String> OWN_HEADERS = Set.of(
            "host", "content-length", "transfer-encoding", "connection", "upgrade", "accept-encoding", "expect", "te");

    private Checks() {}

    /** A limit that the transport can keep: it counts in milliseconds, in 32 bits. */
    public static Duration timeout(String name, Duration value) {
        if (value.compareTo(Duration.ofMillis(1)) < 0 || value.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException(name + " must be from 1 ms to " + LONGEST.toDays() + " days: " + value);
        }
        return value;
    }

    public static void timeoutOrNull(String name, @Nullable Duration value) {
        if (value != null) {
            timeout(name, value);
        }
    }

    public static void pause(String name, Duration value) {
        if (value.isNegative() || value.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException(name + " must be from 0 to " + LONGEST.toDays() + " days: " + value);
        }
    }

    public static int atLeast(String name, int least, int value) {
        if (value < least) {
            throw new IllegalArgumentException(name + " must be at least " + least + ": " + value);
        }
        return value;
    }

    public static boolean isHeaderValue(String value) {
        return value.chars().allMatch(c -> c == '\t' || (c >= 0x20 && c < 0x7f));
    }

    /** A header that can be sent and does not belong to the transport. The text does not repeat the value. */
    public static void header(String name, String value) {
        if (name.isEmpty() || !name.chars().allMatch(c -> c > 0x20 && c < 0x7f && c != ':')) {
            throw new IllegalArgumentException("\"" + name + "\" is no name of a header");
        }
        if (!isHeaderValue(value)) {
            throw new IllegalArgumentException(
                    "the value of the header " + name + " has line ends or non-ASCII characters in it");
        }
        if (OWN_HEADERS.contains(name.toLowerCase(Locale.ROOT))) {
            throw new IllegalArgumentException("the header " + name + " is the client's own");
        }
    }

    /** Further fields of a request; refuses {@code stream} too, whose answer is not JSON. */
    public static Map<String, Object> fieldsOfRequest(Map<String, ?> extra, Set<String> ownFields) {
        if (Boolean.TRUE.equals(extra.get("stream"))) {
            throw new IllegalArgumentException("stream: true gives an event stream, which this call does not read");
        }
        return fields(extra, ownFields);
    }

    /** Further fields, unmodifiable, none of which may be one of {@code ownFields}. */
    public static Map<String, Object> fields(Map<String, ?> extra, Set<String> ownFields) {
        for (String name : extra.keySet()) {
            if (ownFields.contains(name)) {
                throw new IllegalArgumentException(
                        "\"" + name + "\" has a parameter of its own; it can't be an extra field");
            }
        }
        return JsonText.freezeMap(extra);
    }
}
