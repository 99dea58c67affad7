/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Specifications of little Python children for tests. */
final class Scripts {
    private static final String PYTHON = "python3";

    private Scripts() {}

    static ProcessSpec python(Path folder, String code, @Nullable String stdin) {
        return command(folder, List.of(PYTHON, "-c", code), stdin);
    }

    static ProcessSpec command(Path folder, List<String> command, @Nullable String stdin) {
        Path supervisor = PythonPackage.supervisor(PythonPackage.extractTo(folder.resolve("python")));
        return new ProcessSpec(
                "test",
                PYTHON,
                supervisor,
                command,
                Map.of("PATH", System.getenv("PATH"), "PYTHONUNBUFFERED", "1"),
                null,
                stdin,
                folder.resolve("logs/child.log"),
                ProcessSpec.DEFAULT_GRACE);
    }
}
