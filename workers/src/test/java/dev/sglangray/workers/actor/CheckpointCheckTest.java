/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.actor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is refused before an engine hears of it. */
class CheckpointCheckTest {
    @TempDir
    Path folder;

    private Path model(String name, String config) throws IOException {
        Path model = Files.createDirectories(folder.resolve(name));
        Files.writeString(model.resolve("config.json"), config);
        return model;
    }

    private CheckpointCheck of(Path served) {
        return new CheckpointCheck(served::toString, "10.0.0.1");
    }

    @Test
    void aFolderThatIsMissingOrEmptyIsNamedWithItsNode() throws IOException {
        CheckpointCheck check = of(model("served", "{}"));
        String missing = folder.resolve("none").toString();
        assertThat(check.refuse(missing)).contains("there is no folder " + missing + " on node 10.0.0.1");
        String empty = Files.createDirectories(folder.resolve("empty")).toString();
        assertThat(check.refuse(empty)).contains("the folder " + empty + " on node 10.0.0.1 is empty");
    }

    @Test
    void aModelOfAnotherShapeIsRefused() throws IOException {
        CheckpointCheck check = of(model("served", "{\"model_type\": \"qwen3\", \"hidden_size\": 1024}"));
        Path other = model("other", "{\"model_type\": \"qwen3\", \"hidden_size\": 2048}");
        assertThat(check.refuse(other.toString()))
                .hasValueSatisfying(why -> assertThat(why)
                        .contains("of another model: hidden_size is 2048 there, and 1024 in the engine's"));
        Path same = model("same", "{\"hidden_size\": 1024, \"torch_dtype\": \"float32\"}");
        assertThat(check.refuse(same.toString())).isEmpty();
    }

    @Test
    void whatCannotBeComparedIsLetThrough() throws IOException {
        Path damaged = model("damaged", "{");
        assertThat(of(model("served", "{\"hidden_size\": 1}")).refuse(damaged.toString()))
                .isEmpty();
        assertThat(new CheckpointCheck(() -> null, "10.0.0.1").refuse(damaged.toString()))
                .isEmpty();
        assertThat(of(damaged).refuse("Qwen/Qwen3-0.6B")).as("a name of a hub").isEmpty();
    }

    /** A worker is made before the key to its specification's secrets has come, and a model's path may be one. */
    @Test
    void theServedModelIsLookedUpWhenItIsCompared() throws IOException {
        AtomicReference<String> served = new AtomicReference<>("sealed");
        CheckpointCheck check = new CheckpointCheck(served::get, "10.0.0.1");
        String other = model("other", "{\"hidden_size\": 2}").toString();
        assertThat(check.refuse(other)).isEmpty();
        served.set(model("served", "{\"hidden_size\": 1}").toString());
        assertThat(check.refuse(other)).isPresent();
    }
}
