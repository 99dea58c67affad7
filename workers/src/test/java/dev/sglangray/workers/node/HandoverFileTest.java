/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.node;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.workers.loop.RecordStore;
import dev.sglangray.workers.loop.ThreadLoop;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A small file that must never get into the way of the work. */
class HandoverFileTest {
    @TempDir
    Path folder;

    private final ThreadLoop loop = new ThreadLoop("under-test", InstantSource.system());

    private record Note(String text, int number) {}

    @AfterEach
    void end() {
        loop.close();
    }

    private Path path() {
        return folder.resolve("deeper/actor.json");
    }

    private HandoverFile file() {
        return new HandoverFile(path(), loop);
    }

    private static RecordStore<Note> section(HandoverFile file, String name) {
        return file.section(name, Note.class);
    }

    private static void await(CompletableFuture<?> saved) throws Exception {
        Object unused = saved.get(20, TimeUnit.SECONDS);
    }

    @Test
    void givesBackWhatWasSavedLast() throws Exception {
        RecordStore<Note> store = section(file(), "engine");
        CompletableFuture<Void> first = store.save(new Note("a", 1));
        CompletableFuture<Void> second = store.save(new Note("b", 2));
        await(first);
        await(second);
        assertThat(section(file(), "engine").load()).contains(new Note("b", 2));
        assertThat(folder.resolve("deeper")).isDirectoryNotContaining("glob:**.new");
    }

    @Test
    void aSaveIsDoneOnTheLoopWhenTheRecordLiesOnTheDisk() throws Exception {
        RecordStore<Note> store = section(file(), "engine");
        for (int i = 0; i < 50; i++) {
            int number = i;
            CompletableFuture<String> onDisk = loop.ask(() -> store.save(new Note("n", number))
                    .thenApply(nothing -> Thread.currentThread().getName() + " " + read().number()));
            assertThat(onDisk.get(20, TimeUnit.SECONDS)).isEqualTo("loop-under-test " + number);
        }
    }

    private Note read() {
        return section(file(), "engine").load().orElseThrow();
    }

    @Test
    void manySavesAtOnceEndWithTheLast() throws Exception {
        RecordStore<Note> store = section(file(), "engine");
        List<CompletableFuture<Void>> all = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            all.add(store.save(new Note("n", i)));
        }
        for (CompletableFuture<Void> one : all) {
            await(one);
        }
        assertThat(read().number()).isEqualTo(499);
    }

    @Test
    void sectionsStandBesideEachOtherAndSurviveASuccessorThatSaysNothingOfThem() throws Exception {
        HandoverFile file = file();
        await(section(file, "engine").save(new Note("engine", 1)));
        await(section(file, "who").save(new Note("who", 1)));
        HandoverFile successor = file();
        await(section(successor, "who").save(new Note("who", 2)));
        assertThat(section(file(), "engine").load()).contains(new Note("engine", 1));
        assertThat(section(file(), "who").load()).contains(new Note("who", 2));
    }

    @Test
    void givesNothingBeforeAndAfter() throws Exception {
        HandoverFile file = file();
        RecordStore<Note> store = section(file, "engine");
        assertThat(store.load()).isEmpty();
        await(store.save(new Note("a", 1)));
        store.delete();
        store.delete();
        await(store.save(new Note("too late", 2)));
        assertThat(path()).doesNotExist();
        assertThat(section(file(), "engine").load()).isEmpty();
    }

    @Test
    void givesNothingWhenItIsDamaged() throws IOException {
        Files.createDirectories(path().getParent());
        Files.writeString(path(), "{\"engine\": \"http://");
        assertThat(section(file(), "engine").load()).isEmpty();
        Files.writeString(path(), "{\"engine\": [1]}");
        assertThat(section(file(), "engine").load()).isEmpty();
    }

    @Test
    void isDoneWithoutWhereItCannotBeWritten() throws Exception {
        Files.writeString(folder.resolve("deeper"), "a file where the folder should be");
        await(section(file(), "engine").save(new Note("a", 1)));
        assertThat(section(file(), "engine").load()).isEmpty();
    }
}
