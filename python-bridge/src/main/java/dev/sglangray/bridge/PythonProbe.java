/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * Asks a Python what it is and what it has. Looks at installed packages only, so it takes a fraction of a second and
 * imports neither torch nor SGLang. Immutable; safe for use by many threads.
 */
public final class PythonProbe {
    /** Long enough for a Python on a slow network file system. */
    public static final Duration DEFAULT_DEADLINE = Duration.ofSeconds(60);

    private final Path packageFolder;

    /** Uses the Python package in a folder that {@link PythonPackage#extractTo} returned. */
    public PythonProbe(Path packageFolder) {
        this.packageFolder = packageFolder;
    }

    /**
     * The versions of what matters here.
     *
     * @throws PythonException when the interpreter is missing or does not answer
     */
    public PythonVersions versions(String interpreter, Duration deadline) {
        JsonNode report = parse(report(interpreter, deadline));
        return new PythonVersions(
                interpreter,
                report.path("executable").asText(),
                report.path("python").asText(),
                report.path("sglang").textValue(),
                report.path("sglang_router").textValue(),
                report.path("smg").textValue(),
                report.path("ray").textValue());
    }

    /**
     * The whole report of {@code python -m sglang_ray.probe}, as JSON text.
     *
     * @throws PythonException when the interpreter is missing or does not answer
     */
    public String report(String interpreter, Duration deadline) {
        String json = new PythonModule(interpreter, packageFolder).runForJson("sglang_ray.probe", List.of(), deadline);
        return parse(json).toString();
    }

    /**
     * The interpreter's version of SGLang, for callers that cannot go on without.
     *
     * @throws PythonException when it has none; the message says how to get it
     */
    public String requireSglang(String interpreter, Duration deadline) {
        PythonVersions versions = versions(interpreter, deadline);
        String version = versions.sglang();
        if (version == null) {
            throw new PythonException(missing(versions, "sglang"));
        }
        return version;
    }

    /**
     * How many accelerators that interpreter may use on this machine, of the first kind there is; 0 when there is none.
     *
     * @throws PythonException when the interpreter is missing or does not answer
     */
    public int accelerators(String interpreter, Duration deadline) {
        return parse(report(interpreter, deadline)).at("/accelerators/count").asInt();
    }

    /**
     * Whether the server in Rust of that interpreter's SGLang serves the decoders of a prefill engine on its own port, and refuses
     * another one; false for versions before 0.5.17, which have no such server.
     *
     * @throws PythonException when the interpreter is missing or does not answer
     */
    public boolean rustServesBootstrap(String interpreter, Duration deadline) {
        return parse(report(interpreter, deadline)).path("rust_bootstrap").asBoolean();
    }

    static String missing(PythonVersions versions, String distribution) {
        return "The Python interpreter '" + versions.interpreter() + "' (" + versions.executable() + ", Python "
                + versions.python() + ") has no " + distribution + ". Install it there, or name another interpreter"
                + " (the variable SGLANG_RAY_PYTHON, or python_interpreter_path of the node group).";
    }

    private static JsonNode parse(String text) {
        try {
            return BridgeJson.MAPPER.readTree(text);
        } catch (JsonProcessingException e) {
            throw new PythonException("The probe's answer is not JSON: " + text, e);
        }
    }
}
