/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.sglangray.config.cluster.ClusterConfig;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.launcher.LauncherArgs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whatever the input, it is read or refused with a ConfigException, and soon. Lasts a moment; {@code -Dfuzz.seconds=600}
 * makes it last, {@code -Dfuzz.seed=N} repeats a run.
 */
class FuzzTest {
    private static final System.Logger LOG = System.getLogger(FuzzTest.class.getName());

    /** An input may be slow on a busy machine, but not that slow. */
    private static final Duration LONGEST = Duration.ofSeconds(20);

    private static final List<String> YAML = List.of(
            "a: {b: [1, x], c: ${a.b}}\nb: ${oc.select:a.c,3}\n",
            "x: &x {p: 1, q: [1, 2]}\ny: {<<: *x, p: 2}\nz: [*x, *x]\n",
            "a: |\n  text\n  more\nb: >-\n  folded\nc: 'it''s'\nd: \"\\x41\\u00e9\"\n",
            "2: one\ntrue: t\n1.5: f\n'k': {}\n",
            """
            cluster:
              num_nodes: 2
              component_placement: {rollout: {placement: 0-3, node_group: a}}
              node_groups:
                - {label: a, node_ranks: 0-1, env_configs: [{node_ranks: 0, env_vars: [{A: 1}]}]}
            router_server_args:
              model_path: /m
              tensor_parallel_size: 2
              pipeline_parallel_size: 1
              server: {model_path: "${..model_path}", tp_size: "${..tensor_parallel_size}"}
              router: {policy: cache_aware}
            """);
    private static final List<String> INTERPOLATIONS = List.of(
            "${b}",
            "x${b}y${l[0]}",
            "${m.${k}}",
            "${oc.decode:'[1, a, {b: null}]'}",
            "${oc.create:{a: [1, \"x\"], b: '${b}'}}",
            "${oc.dict.values:m}",
            "${multiply:${b}, 2.5}",
            "\\${b} \\\\${b}",
            "${oc.select:m.n,[1,{a:b}]}",
            "${int_div:-7,2}${not:''}${torch.dtype:bfloat16}");
    private static final List<String> OVERRIDES = List.of(
            "a.b=1",
            "+new.key=[1, 'a b', {c: null}]",
            "++a.b.c=${b}",
            "~a",
            "db=pg",
            "+db@x.y=pg",
            "b=int('3')",
            "l.0=\"q\\\"uoted\"",
            "hydra.run.dir=x",
            "b=a\\,b\\ c");
    private static final List<String> COMPOSED = List.of(
            "defaults:\n  - db: pg\n  - _self_\na: 1\n",
            "# @package x.y\ndefaults:\n  - optional nope: z\n  - db@d: [pg, my]\n  - override db@d: my\n",
            "defaults:\n  - db@_global_: ${oc.env:X,pg}\n  - /db/my@a\nhydra:\n  run: {dir: o}\n",
            "hydra:\n  searchpath: [file://more]\ndefaults: [main2]\nb: ${a}\n");

    @TempDir
    private Path folder;

    private volatile String current = "";

    @BeforeEach
    void write() throws IOException {
        Files.writeString(folder.resolve("config.yaml"), "a: {b: 1}\nb: 2\nl: [1, {c: 2}]\ndefaults: [db: my]\n");
        Files.createDirectories(folder.resolve("db"));
        Files.writeString(folder.resolve("db/pg.yaml"), "port: 1\nv: ${..b}\n");
        Files.writeString(folder.resolve("db/my.yaml"), "# @package db.my\nport: 2\n");
    }

    @Test
    void everyInputIsReadOrRefused() throws InterruptedException {
        long seconds = Long.getLong("fuzz.seconds", 2);
        long seed = Long.getLong("fuzz.seed", seconds > 2 ? System.nanoTime() : 1);
        CompletableFuture<Long> done = new CompletableFuture<>();
        Thread worker = new Thread(() -> run(seed, Duration.ofSeconds(seconds), done), "fuzz");
        worker.setDaemon(true);
        worker.start();
        try {
            long inputs = done.get(seconds + LONGEST.toSeconds() * 2, TimeUnit.SECONDS);
            LOG.log(System.Logger.Level.INFO, "{0} inputs, seed {1}", inputs, String.valueOf(seed));
            assertThat(inputs).isPositive();
        } catch (TimeoutException e) {
            fail("seed " + seed + ": no end with '" + current + "'", e);
        } catch (ExecutionException e) {
            fail("seed " + seed + ": '" + current + "' made " + e.getCause(), e.getCause());
        }
    }

    private void run(long seed, Duration budget, CompletableFuture<Long> done) {
        Mutator mutator = new Mutator(seed);
        long end = System.nanoTime() + budget.toNanos();
        long inputs = 0;
        try {
            while (System.nanoTime() < end) {
                long begin = System.nanoTime();
                one(mutator);
                inputs++;
                if (System.nanoTime() - begin > LONGEST.toNanos()) {
                    throw new IllegalStateException("took longer than " + LONGEST);
                }
            }
            done.complete(inputs);
        } catch (Throwable e) { // errors too: a stack overflow is what this looks for
            done.completeExceptionally(e);
        }
    }

    private void one(Mutator mutator) {
        switch (mutator.below(8)) {
            case 0, 1, 2 -> yaml(mutator.next(YAML));
            case 3, 4, 5 -> interpolation(mutator.next(INTERPOLATIONS));
            case 6 -> overrides(List.of(mutator.next(OVERRIDES), mutator.next(OVERRIDES)));
            default -> composed(mutator.next(COMPOSED));
        }
    }

    private void yaml(String text) {
        current = text;
        attempt(() -> {
            Config config = Config.parse(text, Map.of());
            attempt(() -> ClusterConfig.from(config));
            ClusterConfig.check(config).problems().forEach(config::explain);
            attempt(() -> LauncherArgs.from(config.select("router_server_args").orElse(config)));
            attempt(() -> TreeView.of(config));
            config.toJava();
        });
    }

    private void interpolation(String text) {
        current = text;
        attempt(() -> {
            Config config = Config.of(
                    Map.of("a", text, "b", 2, "k", "n", "l", List.of(1, text), "m", Map.of("n", text, "o", "${a}")));
            attempt(() -> TreeView.of(config));
            config.toJava();
        });
    }

    private void overrides(List<String> lines) {
        current = String.join("' and '", lines);
        attempt(() -> load("config", lines).load().toJava());
        load("config", lines).check().config().ifPresent(config -> attempt(config::toJava));
    }

    private void composed(String text) {
        current = text;
        try {
            // A lone surrogate cannot be written as UTF-8; what becomes of it can.
            Files.write(folder.resolve("main.yaml"), text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        attempt(() -> load("main", List.of()).load().toJava());
        load("main", List.of()).check().config().ifPresent(config -> attempt(() -> TreeView.of(config)));
    }

    private ConfigLoader.Builder load(String name, List<String> overrides) {
        return ConfigLoader.builder()
                .configDir(folder)
                .configName(name)
                .overrides(overrides)
                .environment(Map.of("X", "my"));
    }

    private static void attempt(Runnable step) {
        try {
            step.run();
        } catch (ConfigException e) {
            for (ConfigProblem problem : e.problems()) {
                assertThat(problem.render()).isNotBlank();
            }
        }
    }
}
