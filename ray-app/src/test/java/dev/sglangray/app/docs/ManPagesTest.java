/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each command has a man page with its options. */
class ManPagesTest {
    @TempDir
    Path folder;

    @Test
    void eachCommandHasAPage() throws IOException {
        ManPages.write(folder);
        try (Stream<Path> files = Files.list(folder)) {
            List<String> names =
                    files.map(file -> file.getFileName().toString()).sorted().toList();
            assertThat(names)
                    .contains("sglang-ray.adoc", "sglang-ray-up.adoc", "sglang-ray-config-show.adoc")
                    .doesNotContain("sglang-ray-help.adoc")
                    .hasSizeGreaterThan(18);
        }
        assertThat(Files.readString(folder.resolve("sglang-ray-up.adoc")))
                .contains(":manmanual:", "--detach", "--log-format", "sglang-ray-up");
        assertThat(Files.readString(folder.resolve("sglang-ray.adoc")))
                .contains("Exit codes", "143 by SIGTERM", "sglang-ray-status");
    }
}
