/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.docs;

import dev.sglangray.app.cluster.PythonEnvironment;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A fenced block of a Markdown page.
 *
 * @param page the file, relative to the repository
 * @param line where the fence opens, from 1
 * @param language what follows the fence; empty when nothing does
 * @param marker the text of the HTML comment in the line above; empty when there is none
 * @param text the lines between the fences, without their common indent
 */
public record DocBlock(String page, int line, String language, String marker, String text) {

    private static final String FENCE = "```";

    /** The blocks of every page that a user reads. */
    public static List<DocBlock> all() {
        Path root = PythonEnvironment.repository();
        List<Path> pages = new ArrayList<>(List.of(
                root.resolve("README.md"),
                root.resolve("CONTRIBUTING.md"),
                root.resolve("AGENTS.md"),
                root.resolve("bench/README.md")));
        try (Stream<Path> docs = Files.walk(root.resolve("docs"))) {
            docs.filter(file -> file.toString().endsWith(".md")).sorted().forEach(pages::add);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return pages.stream()
                .flatMap(page -> of(root.relativize(page).toString(), read(page)).stream())
                .toList();
    }

    /** The text of the blocks of a page that have a marker, which must be the same wherever it is repeated. */
    public static String marked(String marker) {
        List<String> texts = all().stream()
                .filter(block -> block.marker().equals(marker))
                .map(DocBlock::text)
                .distinct()
                .toList();
        if (texts.size() != 1) {
            throw new AssertionError("one text is wanted for <!-- " + marker + " -->, but there are " + texts);
        }
        return texts.get(0);
    }

    static List<DocBlock> of(String page, List<String> lines) {
        List<DocBlock> blocks = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            String opening = lines.get(i).strip();
            if (!opening.startsWith(FENCE)) {
                continue;
            }
            int begin = i;
            List<String> inside = new ArrayList<>();
            for (i++; i < lines.size() && !lines.get(i).strip().equals(FENCE); i++) {
                inside.add(lines.get(i));
            }
            String above = begin == 0 ? "" : lines.get(begin - 1).strip();
            boolean comment = above.startsWith("<!--") && above.endsWith("-->");
            blocks.add(new DocBlock(
                    page,
                    begin + 1,
                    opening.substring(FENCE.length()).strip(),
                    comment ? above.substring(4, above.length() - 3).strip() : "",
                    String.join("\n", inside).stripIndent()));
        }
        return blocks;
    }

    private static List<String> read(Path page) {
        try {
            return Files.readAllLines(page);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String toString() {
        return page + ":" + line;
    }
}
