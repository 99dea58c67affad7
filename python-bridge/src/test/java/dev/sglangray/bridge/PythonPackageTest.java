/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PythonPackageTest {
    @TempDir
    Path folder;

    @Test
    void extractsWhatPythonNeedsIntoAFolderNamedAfterTheContent() {
        Path extracted = PythonPackage.extractTo(folder);

        assertThat(extracted.getFileName().toString()).matches("sglang_ray-[0-9a-f]{16}");
        assertThat(PythonPackage.supervisor(extracted)).isRegularFile();
        assertThat(extracted.resolve("sglang_ray/serve.py")).isRegularFile();
        assertThat(PythonPackage.extractTo(folder)).isEqualTo(extracted);
    }

    @Test
    void repairsADamagedCopy() throws IOException {
        Path supervisor = PythonPackage.supervisor(PythonPackage.extractTo(folder));
        byte[] whole = Files.readAllBytes(supervisor);
        Files.writeString(supervisor, "half");

        PythonPackage.extractTo(folder);

        assertThat(supervisor).hasBinaryContent(whole);
    }

    @Test
    void replacesAFileOfTheRightLengthWithAnotherContent() throws IOException {
        Path supervisor = PythonPackage.supervisor(PythonPackage.extractTo(folder));
        byte[] whole = Files.readAllBytes(supervisor);
        byte[] other = whole.clone();
        other[other.length - 2] ^= 1;
        Files.write(supervisor, other);

        PythonPackage.extractTo(folder);

        assertThat(supervisor).hasBinaryContent(whole);
    }

    @Test
    void replacesALinkWithAFile() throws IOException {
        Path supervisor = PythonPackage.supervisor(PythonPackage.extractTo(folder));
        Path elsewhere = folder.resolve("elsewhere.py");
        Files.move(supervisor, elsewhere);
        Files.createSymbolicLink(supervisor, elsewhere);

        PythonPackage.extractTo(folder);

        assertThat(supervisor)
                .isRegularFile()
                .satisfies(file -> assertThat(Files.isSymbolicLink(file)).isFalse());
    }

    @Test
    void manyMayExtractAtOnceAndNoDraftIsLeft() throws IOException {
        List<Path> folders = IntStream.range(0, 16)
                .parallel()
                .mapToObj(i -> PythonPackage.extractTo(folder))
                .distinct()
                .toList();

        assertThat(folders).hasSize(1);
        try (var files = Files.walk(folder)) {
            assertThat(files.filter(f -> f.getFileName().toString().startsWith(".draft")))
                    .isEmpty();
        }
    }
}
