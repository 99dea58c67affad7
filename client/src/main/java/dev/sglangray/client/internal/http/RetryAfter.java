/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.http;

import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import org.jspecify.annotations.Nullable;

/** Reads a {@code Retry-After} header: seconds, or a date. */
final class RetryAfter {
    private RetryAfter() {}

    /** The pause from now, at least 0, or null if there is no readable header. */
    static @Nullable Duration parse(@Nullable String header) {
        if (header == null) {
            return null;
        }
        String text = header.strip();
        try {
            return text.matches("\\d{1,9}") ? Duration.ofSeconds(Long.parseLong(text)) : until(text);
        } catch (DateTimeParseException e) {
            return null;
        }
    }

    private static Duration until(String date) {
        Instant then =
                ZonedDateTime.parse(date, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
        Duration pause = Duration.between(Instant.now(), then);
        return pause.isNegative() ? Duration.ZERO : pause;
    }
}
