/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import dev.sglangray.app.cluster.PythonEnvironment;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A server written in Python beside these tests, which prints its port and ends with its standard input. */
final class PythonServer implements AutoCloseable {
    private final Process process;
    private final String url;

    /** @param script a file of this package's test resources */
    PythonServer(String script, String... arguments) throws IOException {
        this(PythonEnvironment.withTools(), script, arguments);
    }

    /** @param environment what it runs in */
    PythonServer(PythonEnvironment environment, String script, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                environment.python().toString(),
                "-I",
                PythonEnvironment.repository()
                        .resolve("ray-app/src/test/resources/dev/sglangray/app/it")
                        .resolve(script)
                        .toString()));
        command.addAll(List.of(arguments));
        process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        url = "http://127.0.0.1:" + out.readLine();
    }

    String url() {
        return url;
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
