/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

import java.nio.file.Path;

/** Paths as people like to read them. */
public final class Paths {
    private Paths() {}

    /** The text with paths below the working directory relative to it. */
    public static String shorten(String text) {
        String here = Path.of("").toAbsolutePath() + "/";
        return here.equals("//") ? text : text.replace(here, "");
    }
}
