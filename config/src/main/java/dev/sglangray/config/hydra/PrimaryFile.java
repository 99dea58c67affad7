/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra;

import java.nio.file.Path;

/**
 * A primary configuration that is named as a file, so that its name needs no ending and it may be a pipe.
 *
 * @param file the file, absolute
 */
public record PrimaryFile(Path file) {
    /** For a file whose own name means something in a defaults list. */
    private static final String PLAIN_NAME = "config";

    public PrimaryFile {
        file = file.toAbsolutePath();
    }

    /** What Hydra would call the configuration. */
    public String configName() {
        Path last = file.getFileName();
        String name = last == null ? "" : last.toString();
        boolean plain = !name.isEmpty()
                && !name.equals(ConfigItem.SELF)
                && !name.equals(DefaultItem.MISSING)
                && !name.contains("${");
        return plain ? name : PLAIN_NAME;
    }

    /** The folder of the configurations that it refers to: its own, but the working directory where that has only devices. */
    public Path folder() {
        Path parent = file.getParent();
        if (parent == null || file.startsWith("/dev") || file.startsWith("/proc")) {
            return Path.of("").toAbsolutePath();
        }
        return parent;
    }
}
