/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.yaml;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.SourcePosition;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Pattern;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.events.AliasEvent;
import org.yaml.snakeyaml.events.Event;
import org.yaml.snakeyaml.events.NodeEvent;
import org.yaml.snakeyaml.events.ScalarEvent;

/**
 * Refuses what PyYAML refuses and SnakeYAML takes: tabs between tokens, an anchor that is given twice, and anchors with odd
 * characters.
 */
final class StricterCheck {
    private static final Pattern ANCHOR = Pattern.compile("[0-9A-Za-z_-]+");

    private final String file;
    private final Map<String, SourcePosition> anchors = new HashMap<>();
    /** Code points within scalars, and those within scalars that are not plain. */
    private final BitSet inScalar = new BitSet();

    private final BitSet inText = new BitSet();

    private StricterCheck(String file) {
        this.file = file;
    }

    /** Whether a text could hold any of it; most do not. */
    static boolean concerns(String text) {
        return text.indexOf('\t') >= 0 || text.indexOf('&') >= 0;
    }

    /**
     * Looks at a text that SnakeYAML has read without complaint.
     *
     * @param events the text's events
     * @throws ConfigException at the first thing that is refused
     */
    static void check(String text, Iterable<Event> events, String file) {
        StricterCheck check = new StricterCheck(file);
        for (Event event : events) {
            check.take(event);
        }
        check.tabs(text.codePoints().toArray());
    }

    private void take(Event event) {
        if (event instanceof ScalarEvent scalar) {
            int start = scalar.getStartMark().getIndex();
            int end = scalar.getEndMark().getIndex();
            inScalar.set(start, end);
            if (scalar.getScalarStyle() != DumperOptions.ScalarStyle.PLAIN) {
                inText.set(start, end);
            }
        }
        if (event instanceof NodeEvent node && !(event instanceof AliasEvent) && node.getAnchor() != null) {
            anchor(node.getAnchor(), YamlReader.position(file, event.getStartMark()));
        }
    }

    private void anchor(String name, SourcePosition position) {
        if (!ANCHOR.matcher(name).matches()) {
            throw problem(
                    position, "the anchor '" + name + "' has characters that are no letters, digits, '-' or '_'", "");
        }
        SourcePosition first = anchors.putIfAbsent(name, position);
        if (first != null) {
            throw problem(
                    position,
                    "the anchor '" + name + "' is given twice, first in line " + first.line(),
                    "give it another name");
        }
    }

    private void tabs(int[] points) {
        int line = 1;
        int lineStart = 0;
        boolean comment = false;
        for (int i = 0; i < points.length; i++) {
            int c = points[i];
            if (c == '\n') {
                line++;
                lineStart = i + 1;
                comment = false;
            } else if (c == '#' && !inScalar.get(i)) {
                comment = true;
            } else if (c == '\t' && !comment && !inText.get(i)) {
                throw problem(
                        new SourcePosition(file, line, i - lineStart + 1),
                        "a tab outside of quoted text",
                        "use spaces, or quote the text that the tab belongs to");
            }
        }
    }

    private static ConfigException problem(SourcePosition position, String message, String fix) {
        return new ConfigException(ConfigProblem.error(position, "", message).withFix(fix));
    }
}
