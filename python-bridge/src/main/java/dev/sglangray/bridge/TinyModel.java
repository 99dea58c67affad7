/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** A local model of about a megabyte, made without any download, for demonstrations and tests. */
public final class TinyModel {
    private TinyModel() {}

    /**
     * Makes the model, unless it is there already.
     *
     * @param packageFolder the extracted Python package
     * @param interpreter a Python with SGLang's dependencies
     * @param folder where to put it
     * @return the model's folder, as {@code model_path} wants it
     * @throws PythonException when it cannot be made
     */
    public static Path prepare(Path packageFolder, String interpreter, Path folder, Duration deadline) {
        String output = new PythonModule(interpreter, packageFolder)
                .run("sglang_ray.tiny_model", List.of(folder.toAbsolutePath().toString()), deadline);
        List<String> lines = output.lines().filter(line -> !line.isBlank()).toList();
        if (lines.isEmpty()) {
            throw new PythonException("sglang_ray.tiny_model did not say where the model is.");
        }
        return Path.of(lines.get(lines.size() - 1).strip());
    }
}
