/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.ProblemSink;
import dev.sglangray.config.error.SourcePosition;
import dev.sglangray.config.hydra.override.ConfigOverride;
import dev.sglangray.config.interpolation.Interpolator;
import dev.sglangray.config.tree.JavaValues;
import dev.sglangray.config.tree.ListNode;
import dev.sglangray.config.tree.Node;
import dev.sglangray.config.tree.ValueNode;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code hydra.searchpath}: more folders, given in the primary configuration or on the command line. */
final class SearchPath {
    private static final String KEY = "hydra.searchpath";
    private static final String FILE_SCHEME = "file://";

    private final Interpolator interpolator;
    private final ProblemSink sink;

    SearchPath(Interpolator interpolator, ProblemSink sink) {
        this.interpolator = interpolator;
        this.sink = sink;
    }

    /** Adds the folders to the repository. */
    void extend(ConfigRepository repository, ConfigFile primary, List<ConfigOverride> overrides) {
        Node given = primary.tree().child("hydra");
        given = given == null ? null : interpolator.resolve(given).child("searchpath");
        for (ConfigOverride override : overrides) {
            if (override.type() == ConfigOverride.Type.CHANGE
                    && override.keyWithPackage().equals(KEY)) {
                given = JavaValues.toNode(override.value(), override.position());
                break;
            }
        }
        if (given == null || isNull(interpolator.resolve(given))) {
            return;
        }
        if (!(interpolator.resolve(given) instanceof ListNode list)) {
            throw problem(given.position(), "must be a list of texts");
        }
        for (Node item : list.items()) {
            repository.addSource(new FolderSource(folder(item), sink));
        }
    }

    private Path folder(Node item) {
        Node resolved = interpolator.resolve(item);
        if (!(resolved instanceof ValueNode value) || !(value.value() instanceof String text)) {
            throw problem(item.position(), "must be a list of texts");
        }
        String path = text.startsWith(FILE_SCHEME) ? text.substring(FILE_SCHEME.length()) : text;
        if (path.contains("://")) {
            throw new ConfigException(ConfigProblem.error(item.position(), KEY, "'" + text + "' is no folder")
                    .withFix("name a folder as file:///path/of/folder; Python packages cannot be searched from here"));
        }
        try {
            return Path.of(path).toAbsolutePath();
        } catch (InvalidPathException e) {
            throw problem(item.position(), "'" + text + "' is no path: " + e.getReason());
        }
    }

    /** Throws when a configuration that is not the primary one sets the search path, which would have no effect. */
    static void refuseIn(ConfigFile file, String packageName) {
        Node tree = file.tree();
        Node found = null;
        if (packageName.isEmpty()) {
            Node hydra = tree.child("hydra");
            found = hydra == null ? null : hydra.child("searchpath");
        } else if (packageName.equals("hydra")) {
            found = tree.child("searchpath");
        }
        if (found != null && !isNull(found)) {
            throw problem(found.position(), "can only be given in the primary configuration");
        }
    }

    private static boolean isNull(@Nullable Node node) {
        return node instanceof ValueNode value && value.value() == null;
    }

    private static ConfigException problem(SourcePosition position, String message) {
        return new ConfigException(ConfigProblem.error(position, KEY, message));
    }
}
