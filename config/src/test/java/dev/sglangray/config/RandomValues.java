/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Random configuration values, the same for the same seed. */
final class RandomValues {
    private static final String[] PIECES = {
        "a", "Z", "0", "7", ".", "-", "_", " ", ":", ": ", ",", "#", " #", "'", "\"", "\\", "\\\\", "$", "{", "}", "${",
        "${a}", "[", "]", "!", "&", "*", "?", "|", ">", "%", "@", "`", "=", "~", "é", "☺", "\t", "\n", "null", "yes",
                "1e3",
        "0x1", "/", "(", ")"
    };

    private final Random random;

    RandomValues(long seed) {
        this.random = new Random(seed);
    }

    Map<String, @Nullable Object> map(int depth) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        int size = random.nextInt(5);
        for (int i = 0; i < size; i++) {
            map.put("k" + i + (char) ('a' + random.nextInt(26)), value(depth - 1));
        }
        return map;
    }

    private @Nullable Object value(int depth) {
        return switch (random.nextInt(depth > 0 ? 8 : 6)) {
            case 0 -> null;
            case 1 -> random.nextBoolean();
            case 2 -> random.nextInt();
            case 3 -> random.nextLong() | (1L << 40);
            case 4 -> random.nextGaussian() * Math.pow(10, random.nextInt(40) - 20);
            case 5 -> text();
            case 6 -> list(depth - 1);
            default -> map(depth - 1);
        };
    }

    private List<@Nullable Object> list(int depth) {
        List<@Nullable Object> list = new ArrayList<>();
        int size = random.nextInt(4);
        for (int i = 0; i < size; i++) {
            list.add(value(depth));
        }
        return list;
    }

    /** A text that is awkward to write. */
    String text() {
        StringBuilder text = new StringBuilder();
        int size = random.nextInt(6);
        for (int i = 0; i < size; i++) {
            text.append(PIECES[random.nextInt(PIECES.length)]);
        }
        return text.toString();
    }

    /** A text that may or may not be a configuration. */
    String noise(String... words) {
        StringBuilder text = new StringBuilder();
        int size = random.nextInt(30);
        for (int i = 0; i < size; i++) {
            boolean word = words.length > 0 && random.nextBoolean();
            text.append(word ? words[random.nextInt(words.length)] : PIECES[random.nextInt(PIECES.length)]);
        }
        return text.toString();
    }
}
