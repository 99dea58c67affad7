/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra;

import dev.sglangray.config.error.SourcePosition;
import dev.sglangray.config.hydra.override.ConfigOverride;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** An item that chooses from a config group: {@code db: mysql}. */
final class GroupItem extends DefaultItem {
    private final String group;
    private final boolean optional;
    private final boolean externallyAdded;
    private boolean override;
    private @Nullable Object choice;

    /**
     * An item of a list in a file.
     *
     * @param choice a name, a list of names, or null for none
     */
    GroupItem(
            String group,
            @Nullable Object choice,
            @Nullable String packageName,
            boolean optional,
            boolean override,
            SourcePosition position) {
        this(group, choice, packageName, optional, override, false, position);
    }

    private GroupItem(
            String group,
            @Nullable Object choice,
            @Nullable String packageName,
            boolean optional,
            boolean override,
            boolean externallyAdded,
            SourcePosition position) {
        super(packageName, position);
        this.group = group;
        this.choice = choice;
        this.optional = optional;
        this.override = override;
        this.externallyAdded = externallyAdded;
    }

    /** An item that {@code +group=choice} adds. */
    static GroupItem added(ConfigOverride line) {
        return new GroupItem(
                line.key(),
                Objects.requireNonNull(line.value()),
                line.packageName(),
                false,
                false,
                true,
                line.position());
    }

    String group() {
        return group;
    }

    /** Whether the item changes the choice of another one. */
    boolean isOverride() {
        return override;
    }

    void markOverride() {
        override = true;
    }

    boolean isExternallyAdded() {
        return externallyAdded;
    }

    @Nullable
    Object choice() {
        return choice;
    }

    void choose(@Nullable Object newChoice) {
        choice = newChoice;
    }

    /** The names chosen when several are; null when it is one or none. */
    @Nullable
    List<String> options() {
        if (choice instanceof List<?> list) {
            return list.stream().map(String::valueOf).toList();
        }
        return null;
    }

    @Override
    boolean isSelf() {
        return ConfigItem.SELF.equals(choice);
    }

    @Override
    boolean isOptional() {
        return optional;
    }

    @Override
    String groupPath() {
        return join(group);
    }

    @Override
    String relativeGroup() {
        return group.startsWith("/") ? group.substring(1) : group;
    }

    @Override
    @Nullable
    String name() {
        return choice instanceof String name ? name : null;
    }

    @Override
    String configPath() {
        return groupPath() + "/" + name();
    }

    @Override
    @Nullable
    String interpolated() {
        String name = name();
        return name != null && name.contains("${") ? name : null;
    }

    @Override
    void resolveTo(String text) {
        choice = text;
    }

    @Override
    GroupItem copy() {
        return new GroupItem(group, choice, packageName(), optional, override, externallyAdded, position());
    }
}
