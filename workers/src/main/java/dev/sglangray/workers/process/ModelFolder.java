/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.workers.protocol.ProtocolJson;
import dev.sglangray.workers.protocol.WorkerFailure;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Folders of models: which weights lie there, and a folder with the weights of one and everything else of another. An update gives an
 * engine new weights and nothing else of their folder; so does a start with such a folder. Stateless.
 */
public final class ModelFolder {
    private static final Pattern WEIGHTS = Pattern.compile(".*\\.(safetensors|bin|pt|pth|gguf)(\\.index\\.json)?");
    private static final Predicate<String> USED =
            Pattern.compile(".*\\.safetensors(\\.index\\.json)?").asMatchPredicate();
    private static final int LONGEST_HEADER = 64 << 20;

    private ModelFolder() {}

    /** Whether the tensors of a model all lie in another folder too; false when that is not known. */
    public static boolean hasAllTensors(Path weights, Path model) {
        try {
            Set<String> wanted = tensors(model);
            return !wanted.isEmpty() && tensors(weights).containsAll(wanted);
        } catch (IOException | IllegalArgumentException e) {
            return false;
        }
    }

    /** The names of the tensors; empty when they lie in several files without an index. */
    private static Set<String> tensors(Path folder) throws IOException {
        Path index = folder.resolve("model.safetensors.index.json");
        Set<String> names = new HashSet<>();
        if (Files.exists(index)) {
            ProtocolJson.tree(Files.readString(index))
                    .path("weight_map")
                    .fieldNames()
                    .forEachRemaining(names::add);
        } else if (Files.exists(folder.resolve("model.safetensors"))) {
            header(folder.resolve("model.safetensors")).fieldNames().forEachRemaining(names::add);
            names.remove("__metadata__");
        }
        return names;
    }

    /** A file of this format begins with the length of a JSON object, which has the tensors by name. */
    private static JsonNode header(Path file) throws IOException {
        try (DataInputStream in = new DataInputStream(Files.newInputStream(file))) {
            long length = Long.reverseBytes(in.readLong());
            if (length < 2 || length > LONGEST_HEADER) {
                throw new IOException(file + " is no safetensors file");
            }
            return ProtocolJson.tree(new String(in.readNBytes((int) length), StandardCharsets.UTF_8));
        }
    }

    /**
     * Fills a folder with links: to the weights of one, and to all other files of a model. What it held before is deleted.
     *
     * @throws WorkerFailure when that cannot be done
     */
    static void link(Path folder, Path model, Path weights) {
        try {
            if (Files.isDirectory(folder)) {
                for (Path old : list(folder)) {
                    Files.delete(old);
                }
            }
            Files.createDirectories(folder);
            for (Path file : list(model)) {
                if (!WEIGHTS.matcher(name(file)).matches()) {
                    Files.createSymbolicLink(folder.resolve(name(file)), file.toAbsolutePath());
                }
            }
            for (Path file : list(weights)) {
                if (USED.test(name(file))) {
                    Files.createSymbolicLink(folder.resolve(name(file)), file.toAbsolutePath());
                }
            }
        } catch (IOException e) {
            throw new WorkerFailure(
                    "cannot link the files of " + model + " and " + weights + " in " + folder + ": " + e);
        }
    }

    private static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    private static String name(Path file) {
        return String.valueOf(file.getFileName());
    }
}
