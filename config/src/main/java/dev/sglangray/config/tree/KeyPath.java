/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.tree;

import java.util.ArrayList;
import java.util.List;

/** Splits paths such as {@code a.b[c]} into their parts, as OmegaConf does. */
public final class KeyPath {
    private KeyPath() {}

    /** The parts: {@code a.b} gives a and b, {@code a[b]} too, {@code [a].b} too, {@code .a} an empty part and a. */
    public static List<String> split(String path) {
        List<String> parts = new ArrayList<>();
        int at = headEnd(path);
        for (String part : path.substring(0, at).split("\\.", -1)) {
            parts.add(part);
        }
        if (at < path.length() && parts.get(parts.size() - 1).isEmpty()) {
            parts.remove(parts.size() - 1);
        }
        while (at < path.length()) {
            if (path.charAt(at) == '[') {
                int close = path.indexOf(']', at);
                if (close < 0) {
                    break;
                }
                parts.add(path.substring(at + 1, close));
                at = close + 1;
            } else if (path.charAt(at) == '.') {
                int end = partEnd(path, at + 1);
                parts.add(path.substring(at + 1, end));
                at = end;
            } else {
                at++;
            }
        }
        return parts;
    }

    /** The head is dots followed by anything but dots and brackets. */
    private static int headEnd(String path) {
        int at = 0;
        while (at < path.length() && path.charAt(at) == '.') {
            at++;
        }
        return partEnd(path, at);
    }

    private static int partEnd(String path, int from) {
        int at = from;
        while (at < path.length() && path.charAt(at) != '.' && path.charAt(at) != '[') {
            at++;
        }
        return at;
    }
}
