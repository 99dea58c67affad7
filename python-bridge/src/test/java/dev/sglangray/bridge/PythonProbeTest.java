/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PythonProbeTest {
    private static final Duration DEADLINE = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    @Test
    void tellsTheVersionsOfAnInterpreter() {
        PythonVersions versions = probe().versions("python3", DEADLINE);

        assertThat(versions.python()).matches("3\\.\\d+\\.\\d+.*");
        assertThat(versions.executable()).startsWith("/");
    }

    @Test
    void saysWhichInterpreterIsMissing() {
        assertThatThrownBy(() -> probe().versions("/no/such/python", DEADLINE))
                .isInstanceOf(PythonException.class)
                .hasMessageContaining("/no/such/python")
                .hasMessageContaining("exists on this node");
    }

    @Test
    void anInterpreterThatFailsIsQuoted() throws IOException {
        String python = script("echo 'no module' >&2; exit 3");

        assertThatThrownBy(() -> probe().report(python, DEADLINE))
                .isInstanceOf(PythonException.class)
                .hasMessageContaining("exit code 3")
                .hasMessageContaining("no module");
    }

    @Test
    void anInterpreterThatHangsMeetsTheDeadline() throws IOException {
        String python = script("sleep 100");

        assertThatThrownBy(() -> probe().report(python, Duration.ofMillis(200)))
                .isInstanceOf(PythonException.class)
                .hasMessageContaining("did not end within");
    }

    @Test
    void anInterpreterWithoutSglangIsToldApart() throws IOException {
        String python = script("echo '{\"executable\": \"/p\", \"python\": \"3.11.2\", \"sglang\": null}'");

        assertThatThrownBy(() -> probe().requireSglang(python, DEADLINE))
                .isInstanceOf(PythonException.class)
                .hasMessageContaining(python)
                .hasMessageContaining("has no sglang")
                .hasMessageContaining("SGLANG_RAY_PYTHON");
    }

    @Test
    void whatASitecustomizePrintsIsNoPartOfTheAnswer() throws IOException {
        String python = script("echo 'coverage started {'; echo '{\"python\": \"3.11.2\"}'");

        assertThat(probe().versions(python, DEADLINE).python()).isEqualTo("3.11.2");
    }

    @Test
    void theBundledSchemasAreThere() {
        assertThat(SchemaDump.bundled(SchemaKind.SERVER)).contains("\"model_path\"");
        assertThat(SchemaDump.bundled(SchemaKind.ROUTER)).contains("\"policy\"");
    }

    private PythonProbe probe() {
        return new PythonProbe(PythonPackage.extractTo(folder));
    }

    private String script(String body) throws IOException {
        Path file = Files.writeString(folder.resolve("python"), "#!/bin/sh\n" + body + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
        return file.toString();
    }
}
