/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NodeDirectoriesTest {
    @TempDir
    private Path parent;

    @Test
    void aNewFolderIsClosedToOthersAndFoundAgain() throws IOException {
        Path folder = NodeDirectories.ours(parent.resolve("a/b"));

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)))
                .isEqualTo("rwx------");
        assertThat(NodeDirectories.ours(folder)).isEqualTo(folder);
    }

    @ParameterizedTest
    @ValueSource(strings = {"rwxrwxrwx", "rwxrwx---", "rwx----w-"})
    void aFolderThatOthersMayWriteIsRefused(String mode) throws IOException {
        Path folder = Files.createDirectory(parent.resolve("open"));
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString(mode));

        assertThatThrownBy(() -> NodeDirectories.ours(folder))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("other users may write there");
    }

    @Test
    void aFolderOfAnotherUserIsRefused() throws IOException {
        Path folder = foreign(Files.createDirectory(parent.resolve("foreign")));

        assertThatThrownBy(() -> NodeDirectories.ours(folder))
                .isInstanceOf(IOException.class)
                .hasMessageMatching("it belongs to user \\d+, and this process runs as \\d+");
    }

    @Test
    void aSymbolicLinkIsRefusedWhereverItPoints() throws IOException {
        Path link = Files.createSymbolicLink(parent.resolve("link"), Files.createDirectory(parent.resolve("mine")));
        Path dangling = Files.createSymbolicLink(parent.resolve("dangling"), parent.resolve("nothing"));

        for (Path refused : new Path[] {link, dangling}) {
            assertThatThrownBy(() -> NodeDirectories.ours(refused)).hasMessage("it is a symbolic link, not a folder");
        }
    }

    @Test
    void aFileIsRefused() throws IOException {
        Path file = Files.createFile(parent.resolve("file"));

        assertThatThrownBy(() -> NodeDirectories.ours(file)).hasMessage("it is not a folder");
    }

    @Test
    void aFolderThatEverybodyMayReplaceIsRefused() throws IOException {
        Files.setAttribute(parent, "unix:mode", 0777);
        assertThatThrownBy(() -> NodeDirectories.ours(parent.resolve("folder")))
                .hasMessageContaining("every user may replace it")
                .hasMessageContaining("chmod +t " + parent);

        Files.setAttribute(parent, "unix:mode", 01777);
        assertThat(NodeDirectories.ours(parent.resolve("folder"))).isDirectory();
    }

    @Test
    void thePackageIsNotUnpackedWhereAnotherUserPutOne() throws IOException {
        Path folder = foreign(Files.createDirectories(parent.resolve("python")));

        assertThatThrownBy(() -> PythonPackage.extractTo(folder))
                .isInstanceOf(NodeFilesException.class)
                .hasMessageContaining("it belongs to user");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void theUserIsTheOneThatOwnsWhatThisProcessMakes() throws IOException {
        assertThat(NodeDirectories.userId())
                .isEqualTo(Files.getAttribute(parent, "unix:uid", LinkOption.NOFOLLOW_LINKS));
    }

    private static Path foreign(Path folder) throws IOException {
        assumeThat(NodeDirectories.userId()).as("only root can give files away").isZero();
        Files.setAttribute(folder, "unix:uid", 65534);
        return folder;
    }
}
