/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import java.util.ArrayList;
import java.util.List;

/** A table of text with columns as wide as their widest cell. Not thread-safe. */
public final class TextTable {
    private static final String GAP = "  ";

    private final List<List<String>> rows = new ArrayList<>();

    /** Adds a row. */
    public TextTable row(String... cells) {
        rows.add(List.of(cells));
        return this;
    }

    /** The lines, at most so many; a last line tells how many are left out. */
    public List<String> lines(int most, String what) {
        int columns = rows.stream().mapToInt(List::size).max().orElse(0);
        List<List<String>> shown = rows.subList(0, Math.min(most, rows.size()));
        int[] width = new int[columns];
        for (List<String> row : shown) {
            for (int i = 0; i < row.size(); i++) {
                width[i] = Math.max(width[i], row.get(i).length());
            }
        }
        List<String> lines = new ArrayList<>();
        for (List<String> row : shown) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < row.size(); i++) {
                line.append(row.get(i))
                        .append(" ".repeat(width[i] - row.get(i).length()))
                        .append(GAP);
            }
            lines.add(line.toString().stripTrailing());
        }
        if (rows.size() > most) {
            lines.add("... and " + (rows.size() - most) + " more " + what);
        }
        return lines;
    }
}
