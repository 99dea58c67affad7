/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.error;

import java.util.List;
import java.util.Objects;

/**
 * One thing that is wrong in a configuration.
 *
 * @param severity whether the configuration can still be used
 * @param position where the offending text stands
 * @param key the dotted key, such as {@code cluster.node_groups[0].label}; empty when no key is concerned
 * @param message what is wrong, with the value seen
 * @param allowed what would be right; empty when there is no list
 * @param fix what to do about it; empty when nothing better than the message can be said
 * @param trail how the configuration came to this place: the interpolations followed, then the defaults lists that
 *     brought the file in, one line each; empty when it stands in the primary file as it is
 */
public record ConfigProblem(
        Severity severity,
        SourcePosition position,
        String key,
        String message,
        List<String> allowed,
        String fix,
        List<String> trail) {

    private static final int MOST_SHOWN = 40;

    public ConfigProblem {
        Objects.requireNonNull(severity, "severity");
        Objects.requireNonNull(position, "position");
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(message, "message");
        Objects.requireNonNull(fix, "fix");
        allowed = List.copyOf(allowed);
        trail = List.copyOf(trail);
    }

    /** An error without allowed values and fix. */
    public static ConfigProblem error(SourcePosition position, String key, String message) {
        return new ConfigProblem(Severity.ERROR, position, key, message, List.of(), "", List.of());
    }

    /** A warning without allowed values and fix. */
    public static ConfigProblem warning(SourcePosition position, String key, String message) {
        return new ConfigProblem(Severity.WARNING, position, key, message, List.of(), "", List.of());
    }

    /** The same problem with the values that would be right. */
    public ConfigProblem withAllowed(List<String> values) {
        return new ConfigProblem(severity, position, key, message, values, fix, trail);
    }

    /** The same problem with the names that would be right and, as its fix, the one nearest to what was written. */
    public ConfigProblem withNames(String written, List<String> names) {
        return withAllowed(names).withFix(NearestName.didYouMean(written, names));
    }

    /** The same problem with advice. */
    public ConfigProblem withFix(String advice) {
        return new ConfigProblem(severity, position, key, message, allowed, advice, trail);
    }

    /** The same problem of another place. */
    public ConfigProblem withPlace(SourcePosition otherPosition, String otherKey) {
        return new ConfigProblem(severity, otherPosition, otherKey, message, allowed, fix, trail);
    }

    /** The same problem with the way that led there. */
    public ConfigProblem withTrail(List<String> steps) {
        return new ConfigProblem(severity, position, key, message, allowed, fix, steps);
    }

    /** The text for people: position, severity, key and message on the first line, allowed values, trail and fix below. */
    public String render() {
        StringBuilder text = new StringBuilder();
        text.append(position).append(": ");
        text.append(severity == Severity.ERROR ? "error: " : "warning: ");
        if (!key.isEmpty()) {
            text.append(key).append(": ");
        }
        text.append(message);
        if (!allowed.isEmpty()) {
            List<String> shown = allowed.subList(0, Math.min(MOST_SHOWN, allowed.size()));
            text.append("\n    allowed: ").append(String.join(", ", shown));
            if (shown.size() < allowed.size()) {
                text.append(" and ").append(allowed.size() - shown.size()).append(" more");
            }
        }
        trail.forEach(step -> text.append("\n    from: ").append(step));
        if (!fix.isEmpty()) {
            text.append("\n    fix: ").append(fix);
        }
        return text.toString();
    }
}
