/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.session;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.bridge.NodeDirectories;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HeadFolderTest {
    @TempDir
    private Path parent;

    @Test
    void removesWhatADeadOwnerLeftAndNothingElse() throws IOException {
        Path dead = parent.resolve("sgr-dead");
        Files.createDirectories(dead.resolve("ray"));
        Files.writeString(dead.resolve("owner"), "999999999");
        Files.writeString(dead.resolve("ray/head.log"), "last words");
        Path stranger = Files.createDirectory(parent.resolve("sgr-stranger"));
        if (NodeDirectories.userId() == 0) { // who alone can give files away
            Files.writeString(stranger.resolve("owner"), "999999999");
            Files.setAttribute(stranger, "unix:uid", 65534);
        }
        try (HeadFolder living = HeadFolder.create(parent)) {
            assertThat(dead).doesNotExist();
            assertThat(stranger).exists();
            try (HeadFolder second = HeadFolder.create(parent)) {
                assertThat(living.path()).exists().isNotEqualTo(second.path());
            }
        }
        assertThat(parent).isDirectoryNotContaining(folder -> !folder.equals(stranger));
    }

    @Test
    void whatIsKeptIsNotSweptLater() throws IOException {
        HeadFolder failed = HeadFolder.create(parent);
        failed.keep();
        failed.close();
        HeadFolder.create(parent).close();
        assertThat(failed.path()).exists();
    }
}
