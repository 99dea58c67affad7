/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The refusal of a placement: something that was asked for cannot be given by this cluster.
 *
 * <p>Thrown before anything is started, except that bundles may have been waited for ({@link #busy()}). {@link #getMessage()} is written for people and already
 * holds all of the details; the accessors are for programs.
 */
public final class PlacementException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient @Nullable String component;
    private final transient List<String> available;
    private final boolean busy;

    private PlacementException(Builder builder) {
        super(builder.render(), builder.cause);
        this.component = builder.component;
        this.available = List.copyOf(builder.available);
        this.busy = builder.busy;
    }

    /** A refusal that has no more to say than {@code message}. */
    public static PlacementException of(String message) {
        return builder(message).build();
    }

    /** Starts a refusal; {@code message} is one sentence that says what is wrong. */
    public static Builder builder(String message) {
        return new Builder(message);
    }

    /** The same refusal as seen from a component: its name is put in front, and this exception becomes the cause. */
    public PlacementException inside(String outer) {
        return new PlacementException(outer + ": " + getMessage(), outer, this);
    }

    private PlacementException(String message, String component, PlacementException inner) {
        super(message, inner);
        this.component = component;
        this.available = inner.available();
        this.busy = inner.busy;
    }

    /**
     * Whether the cluster could give it but others held it until the deadline, so that it may succeed later; else it is
     * impossible as asked.
     */
    public boolean busy() {
        return busy;
    }

    /** The component (or worker group) concerned, when there is one. */
    public Optional<String> component() {
        return Optional.ofNullable(component);
    }

    /** What exists instead: node group labels, component names, or a table of nodes; may be empty. */
    public List<String> available() {
        return available == null ? List.of() : available;
    }

    /** Collects the details of a refusal. Not thread-safe. */
    public static final class Builder {
        private static final int LONG = 40;
        private static final int MANY = 12;

        private final String message;
        private @Nullable String component;
        private @Nullable Integer rank;
        private List<String> available = List.of();
        private @Nullable String availableTitle;
        private @Nullable String fix;
        private @Nullable Throwable cause;
        private boolean busy;

        private Builder(String message) {
            this.message = message;
        }

        /** Names the component or worker group. */
        public Builder component(@Nullable String name) {
            this.component = name;
            return this;
        }

        /** Names the process. */
        public Builder rank(int processRank) {
            this.rank = processRank;
            return this;
        }

        /** What exists; {@code title} introduces the lines, as in "Node groups". */
        public Builder available(String title, List<String> lines) {
            this.availableTitle = title;
            this.available = List.copyOf(lines);
            return this;
        }

        /** What to do about it, one sentence. */
        public Builder fix(@Nullable String sentence) {
            this.fix = sentence;
            return this;
        }

        /** The failure below this one. */
        public Builder cause(@Nullable Throwable failure) {
            this.cause = failure;
            return this;
        }

        /** Whether it may succeed later; see {@link PlacementException#busy()}. */
        public Builder busy(boolean mayComeFree) {
            this.busy = mayComeFree;
            return this;
        }

        /** Makes the exception. */
        public PlacementException build() {
            return new PlacementException(this);
        }

        private String render() {
            StringBuilder text = new StringBuilder();
            if (component != null) {
                text.append(component);
                if (rank != null) {
                    text.append(", rank ").append(rank);
                }
                text.append(": ");
            } else if (rank != null) {
                text.append("rank ").append(rank).append(": ");
            }
            text.append(message);
            if (!message.endsWith(".") && !message.endsWith("?")) {
                text.append('.');
            }
            boolean table = available.stream().anyMatch(line -> line.length() > LONG || line.contains("  "))
                    || available.size() > MANY;
            if (!available.isEmpty()) {
                text.append(table ? "\n  " : " ").append(availableTitle).append(':');
                text.append(table ? "\n    " : " ").append(String.join(table ? "\n    " : ", ", available));
                text.append(table ? "" : ".");
            }
            if (fix != null) {
                text.append(table ? "\n  " : " ").append(fix);
            }
            return text.toString();
        }
    }
}
