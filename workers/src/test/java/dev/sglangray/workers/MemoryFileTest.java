/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A small file that must never get into the way of the work. */
class MemoryFileTest {
    @TempDir
    Path folder;

    private MemoryFile file() {
        return new MemoryFile(folder.resolve("deeper/actor-engine.json"));
    }

    @Test
    void givesBackWhatWasSavedLast() {
        file().save(new Memory("http://a:1", 1, List.of(5L)));
        file().save(new Memory("http://a:2", 2, List.of(5L, 6L)));
        assertThat(file().load(Memory.class)).contains(new Memory("http://a:2", 2, List.of(5L, 6L)));
        assertThat(folder.resolve("deeper")).isDirectoryNotContaining("glob:**.new");
    }

    @Test
    void givesNothingBeforeAndAfter() {
        MemoryFile file = file();
        assertThat(file.load(Memory.class)).isEmpty();
        file.save(new Memory("http://a:1", 0, List.of()));
        file.delete();
        file.delete();
        assertThat(file.load(Memory.class)).isEmpty();
    }

    @Test
    void givesNothingWhenItIsDamaged() throws IOException {
        Files.createDirectories(folder.resolve("deeper"));
        Files.writeString(folder.resolve("deeper/actor-engine.json"), "{\"url\": \"http://");
        assertThat(file().load(Memory.class)).isEmpty();
    }

    @Test
    void isDoneWithoutWhereItCannotBeWritten() throws IOException {
        Files.writeString(folder.resolve("deeper"), "a file where the folder should be");
        assertThatCode(() -> file().save(new Memory("http://a:1", 0, List.of())))
                .doesNotThrowAnyException();
        assertThat(file().load(Memory.class)).isEmpty();
    }
}
