/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra;

import dev.sglangray.config.error.SourcePosition;
import org.jspecify.annotations.Nullable;

/**
 * An item of a defaults list. Where it stands in the tree of configurations, and so its package, becomes known while the
 * tree grows; the item is changed then. The same item never stands at two places: lists are copied before use.
 */
abstract sealed class DefaultItem permits ConfigItem, GroupItem {
    static final String MISSING = "???";
    private static final String GLOBAL = "_global_";

    private final SourcePosition position;
    private @Nullable String packageName;
    private @Nullable String packageHeader;
    private String baseDir = "";
    private String parentPackage = "";
    private boolean primary;
    private boolean deleted;

    DefaultItem(@Nullable String packageName, SourcePosition position) {
        this.packageName = "_here_".equals(packageName) ? "" : packageName;
        this.position = position;
    }

    SourcePosition position() {
        return position;
    }

    @Nullable
    String packageName() {
        return packageName;
    }

    boolean isPrimary() {
        return primary;
    }

    void markPrimary() {
        primary = true;
    }

    boolean isDeleted() {
        return deleted;
    }

    void markDeleted() {
        deleted = true;
    }

    /** Says below what the item stands. */
    void placeUnder(String directory, String parent) {
        baseDir = directory;
        parentPackage = parent;
        if (packageName != null && packageName.contains("_group_")) {
            packageName = GLOBAL + "." + packageName.replace("_group_", defaultPackage());
        }
    }

    /** Takes the package from the header of the configuration that the item names. */
    public void header(@Nullable String header) {
        if (header == null || header.equals("_group_")) {
            return;
        }
        String absolute = header;
        if (!header.equals(GLOBAL) && !header.startsWith(GLOBAL + ".")) {
            absolute = header.isEmpty() ? GLOBAL : GLOBAL + "." + header;
        }
        packageHeader = absolute.replace("_group_", defaultPackage());
    }

    /** The package as given, or by the header. */
    @Nullable
    String effectivePackage() {
        return packageName == null ? packageHeader : packageName;
    }

    String defaultPackage() {
        return groupPath().replace('/', '.');
    }

    /** Where in the result the configuration goes, dotted; empty for the top. */
    String finalPackage() {
        return finalPackage(effectivePackage());
    }

    private String finalPackage(@Nullable String given) {
        String own = given == null ? relativeGroup().replace('/', '.') : given;
        String name = name();
        if (name != null) {
            own = own.replace("_name_", name);
        }
        String joined = parentPackage.isEmpty() || own.isEmpty() ? parentPackage + own : parentPackage + "." + own;
        int global = joined.lastIndexOf(GLOBAL);
        return global < 0 ? joined : joined.substring(Math.min(joined.length(), global + GLOBAL.length() + 1));
    }

    /** The key by which an override names this item: the group, and the package unless it is the usual one. */
    String overrideKey() {
        String target = finalPackage(packageName);
        if (target.equals(defaultPackage())) {
            return groupPath();
        }
        return groupPath() + "@" + (target.isEmpty() ? GLOBAL : target);
    }

    String join(String path) {
        if (path.startsWith("/")) {
            return path.substring(1);
        }
        if (baseDir.isEmpty()) {
            return path;
        }
        return path.isEmpty() ? baseDir : baseDir + "/" + path;
    }

    boolean isMissing() {
        return MISSING.equals(name());
    }

    abstract boolean isSelf();

    abstract boolean isOptional();

    /** The config group, from the top of the folder. */
    abstract String groupPath();

    /** The group as the item names it, without a leading slash. */
    abstract String relativeGroup();

    /** The configuration's own name; null when the item names none. */
    abstract @Nullable String name();

    /** The configuration's path, from the top of the folder. */
    abstract String configPath();

    /** The text that may hold an interpolation; null when there is none. */
    abstract @Nullable String interpolated();

    /** Puts the resolved text in the place of the interpolation. */
    abstract void resolveTo(String text);

    abstract DefaultItem copy();
}
