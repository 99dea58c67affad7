/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

import dev.sglangray.bridge.LogTail;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The logs of a fleet's workers, first their last lines and then what comes. Not thread-safe. */
public final class LogStream {
    /** So many pieces of each log are taken in one look, so that one long log does not keep the others away. */
    private static final int PIECES = 16;

    /** A log, read from a position on; from its last lines on for null. */
    @FunctionalInterface
    public interface Source extends Function<LogTail.@Nullable Position, CompletableFuture<LogTail.Piece>> {}

    private final Questions<LogTail.Piece> questions;
    private final Consumer<String> print;
    private final Map<String, LogTail.Position> positions = new HashMap<>();
    private String shown = "";

    public LogStream(Questions<LogTail.Piece> questions, Consumer<String> print) {
        this.questions = questions;
        this.print = print;
    }

    /**
     * Prints the last lines of every log, with what stands after them.
     *
     * @return whether any worker answered
     */
    public boolean tails(Map<String, Source> sources) throws InterruptedException {
        Map<String, LogTail.Piece> pieces = questions.ask(asked(sources));
        pieces.forEach((name, piece) -> {
            show(name, sources.size() > 1, piece);
            if (!piece.unfinished().isEmpty()) {
                print.accept(piece.unfinished());
            }
        });
        return !pieces.isEmpty();
    }

    /** Prints what came since the last call, at first the last lines. */
    public void next(Map<String, Source> sources) throws InterruptedException {
        boolean more = true;
        for (int i = 0; more && i < PIECES; i++) {
            more = false;
            for (Map.Entry<String, LogTail.Piece> answer :
                    questions.ask(asked(sources)).entrySet()) {
                String name = answer.getKey();
                LogTail.Piece piece = answer.getValue();
                LogTail.Position before = positions.get(name);
                LogTail.Position now = piece.next();
                boolean replaced =
                        before != null && now != null && !before.file().equals(now.file());
                if (replaced || !piece.lines().isEmpty()) {
                    show(name, sources.size() > 1 || replaced, piece);
                }
                if (now != null) {
                    positions.put(name, now);
                }
                more |= piece.more() || replaced;
            }
        }
    }

    private Map<String, Supplier<CompletableFuture<LogTail.Piece>>> asked(Map<String, Source> sources) {
        Map<String, Supplier<CompletableFuture<LogTail.Piece>>> asked = new LinkedHashMap<>();
        sources.forEach((name, source) -> asked.put(name, () -> source.apply(positions.get(name))));
        return asked;
    }

    private void show(String name, boolean named, LogTail.Piece piece) {
        String header = "==> " + name
                + (piece.next() == null ? ", no log yet" : ": " + piece.next().file()) + " <==";
        if (named && !header.equals(shown)) {
            if (!shown.isEmpty()) {
                print.accept("");
            }
            print.accept(header);
            shown = header;
        }
        piece.lines().forEach(print);
    }
}
