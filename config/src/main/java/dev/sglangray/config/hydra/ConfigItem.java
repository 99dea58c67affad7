/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra;

import dev.sglangray.config.error.SourcePosition;
import org.jspecify.annotations.Nullable;

/** An item that names a configuration by its path, {@code db/mysql}, or the list's own configuration, {@code _self_}. */
final class ConfigItem extends DefaultItem {
    static final String SELF = "_self_";

    private final boolean optional;
    private String path;

    ConfigItem(String path, @Nullable String packageName, boolean optional, SourcePosition position) {
        super(packageName, position);
        this.path = path;
        this.optional = optional;
    }

    @Override
    boolean isSelf() {
        return path.equals(SELF);
    }

    @Override
    boolean isOptional() {
        return optional;
    }

    @Override
    String groupPath() {
        String group = relativeGroup();
        return path.startsWith("/") ? group : join(group);
    }

    @Override
    String relativeGroup() {
        String relative = path.startsWith("/") ? path.substring(1) : path;
        int slash = relative.lastIndexOf('/');
        return slash < 0 ? "" : relative.substring(0, slash);
    }

    @Override
    String name() {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    @Override
    String configPath() {
        return join(path);
    }

    @Override
    @Nullable
    String interpolated() {
        String full = configPath();
        return full.contains("${") ? full : null;
    }

    @Override
    void resolveTo(String text) {
        path = text;
    }

    @Override
    ConfigItem copy() {
        return new ConfigItem(path, packageName(), optional, position());
    }
}
