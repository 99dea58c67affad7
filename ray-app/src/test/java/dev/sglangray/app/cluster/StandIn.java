/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * The stand-in for SGLang: a package {@code sglang} in the test resources that comes first on the node's PYTHONPATH and
 * serves HTTP at once. The product knows nothing of it.
 */
public final class StandIn {

    private StandIn() {}

    /**
     * A node whose engines are stand-ins that believe in accelerators. Its Python, whichever it is, seems to have SGLang
     * installed, and has the real routers.
     */
    public static NodeSpec on(NodeSpec node) {
        NodeSpec prepared = node;
        for (Map.Entry<String, String> variable : environment().entrySet()) {
            prepared = prepared.withEnvironment(variable.getKey(), variable.getValue());
        }
        return prepared;
    }

    /** The variables that do so, for a program that starts a node of its own. */
    public static Map<String, String> environment() {
        return Map.of("PYTHONPATH", folder() + ":" + installed(), "SGLANG_RAY_DEVICE", "cuda");
    }

    /** A folder of links to the installed SGLang and routers, for Pythons that have none. */
    private static Path installed() {
        Path folder = PythonEnvironment.repository().resolve("ray-app/target/standin-packages");
        try (Stream<Path> packages = Files.list(PythonEnvironment.withSglang().sitePackages())) {
            Files.createDirectories(folder);
            for (Path installed : packages.filter(StandIn::isWanted).toList()) {
                Path link = folder.resolve(installed.getFileName().toString());
                Files.deleteIfExists(link);
                Files.createSymbolicLink(link, installed);
            }
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isWanted(Path installed) {
        return installed.getFileName().toString().matches("(sglang(_router)?|smg)(-.*\\.dist-info)?");
    }

    /** The folder for PYTHONPATH. */
    public static Path folder() {
        return Objects.requireNonNull(Namespaces.resource("cluster_init.py").getParent())
                .resolve("../../../../standin")
                .normalize();
    }

    /**
     * A model folder in which the stand-in finds how to behave.
     *
     * @param behaviour the content of {@code standin.json}, for example <code>{"load_seconds": 5}</code>
     */
    public static Path model(TestCluster cluster, String behaviour) {
        try {
            Path model = Files.createTempDirectory(cluster.logs(), "model-");
            Files.writeString(model.resolve("config.json"), "{}");
            Files.writeString(model.resolve("standin.json"), behaviour);
            return model;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
