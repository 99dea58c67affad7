/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import dev.sglangray.app.cli.context.EnvironmentException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code sglang-ray run}: a Java program of the user's. The start script does it, since the class path of a JVM is set
 * from outside; this class is its help.
 */
@Command(
        name = "run",
        mixinStandardHelpOptions = true,
        header = "Run a Java program on the class path of sglang-ray.",
        description = {
            "Run a Java program of yours with sglang-ray and Ray's runtime on its class path.",
            "",
            "In it, RaySession.fromEnvironment joins the cluster that RAY_ADDRESS names, and the job it runs in.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  sglang-ray run --class-path my.jar com.example.Rollout conf/rollout.yaml",
            "  ray job submit --address http://HOST:8265 --working-dir DIST -- bash sglang-ray run -cp my.jar com.example.Rollout"
        })
@SuppressWarnings("UnusedVariable") // the options are here for the help
public final class RunCommand implements Callable<Integer> {
    @Option(
            names = {"-cp", "--class-path"},
            paramLabel = "PATH",
            description = "Jars and folders with your classes, separated by colons; Ray's workers load from them too.")
    private String classPath = "";

    @Parameters(index = "0", paramLabel = "MAIN", description = "The class whose main method is run.")
    private String main = "";

    @Parameters(index = "1..*", paramLabel = "ARGUMENT", description = "Its arguments.")
    private List<String> arguments = List.of();

    @Override
    public Integer call() {
        throw new EnvironmentException("`run` is done by the script sglang-ray; start it with that");
    }
}
