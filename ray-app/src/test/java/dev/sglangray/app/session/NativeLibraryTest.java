/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibraryTest {
    @TempDir
    private Path parent;

    @Test
    void isLoadedFromOurFolderAndLeavesNothingThere() throws IOException {
        NativeLibrary.load(parent);
        NativeLibrary.load(parent);

        assertThat(Files.readAllLines(Path.of("/proc/self/maps")))
                .anyMatch(line -> line.contains("/libcore_worker_library_java.so"))
                .noneMatch(line -> line.contains(" /tmp/ray/"));
        assertThat(parent).isEmptyDirectory();
    }

    @Test
    void saysWhyItCannotBeLoaded() {
        assertThatThrownBy(() -> NativeLibrary.load(parent.resolve("missing")))
                .isInstanceOf(SessionException.class)
                .hasMessageContaining("Ray's native library cannot be loaded from " + parent)
                .hasMessageContaining("SGLANG_RAY_NODE_DIR");
    }
}
