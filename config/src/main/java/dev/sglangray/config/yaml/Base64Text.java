/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.yaml;

import java.io.ByteArrayOutputStream;

/** Base64 as Python's {@code base64.decodebytes} reads it: what is not of the alphabet is skipped. */
final class Base64Text {
    private static final String ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    private static final int BITS = 6;
    private static final int QUAD = 4;

    private Base64Text() {}

    /**
     * The bytes.
     *
     * @throws IllegalArgumentException when the text is not ASCII or its last group of four is not whole
     */
    static byte[] decode(String text) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int group = 0;
        int size = 0;
        int pads = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c > 0x7f) {
                throw new IllegalArgumentException("!!binary takes ASCII only, not '" + c + "'");
            }
            if (c == '=') {
                if (size >= 2 && size + ++pads >= QUAD) {
                    return bytes.toByteArray();
                }
                continue;
            }
            int value = ALPHABET.indexOf(c);
            if (value < 0) {
                continue;
            }
            pads = 0;
            group = (group << BITS | value) & 0xffffff;
            size = (size + 1) % QUAD;
            // The second to fourth characters of a group complete a byte each.
            switch (size) {
                case 2 -> bytes.write(group >> 4);
                case 3 -> bytes.write(group >> 2);
                case 0 -> bytes.write(group);
                default -> {}
            }
        }
        if (size != 0) {
            throw new IllegalArgumentException("the text of !!binary ends too early: its '=' are missing");
        }
        return bytes.toByteArray();
    }
}
