/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.http;

import org.jspecify.annotations.Nullable;

/** The secret that goes with each call. It shows nowhere else: {@link #toString()} hides it, {@link #redact} removes it. */
public final class ApiKey {
    public static final ApiKey NONE = new ApiKey(null);

    private final @Nullable String value;

    private ApiKey(@Nullable String value) {
        this.value = value;
    }

    /**
     * Checks a key.
     *
     * @throws IllegalArgumentException if the key is blank or cannot stand in an HTTP header; its text does not repeat it
     */
    public static ApiKey of(String value) {
        if (value.isBlank() || !value.chars().allMatch(c -> c > 0x20 && c < 0x7f)) {
            throw new IllegalArgumentException(
                    "the API key is empty or has spaces, line ends or non-ASCII characters in it");
        }
        return new ApiKey(value);
    }

    /** The value of the {@code Authorization} header, or null without a key. */
    @Nullable
    public String authorization() {
        return value == null ? null : "Bearer " + value;
    }

    /** The text with every occurrence of the key hidden: servers repeat keys in their errors. */
    String redact(String text) {
        return value == null ? text : text.replace(value, "[api key]");
    }

    @Override
    public String toString() {
        return value == null ? "none" : "[api key]";
    }
}
