/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.drivers;

import com.sun.net.httpserver.HttpServer;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.client.GenerateRequest;
import dev.sglangray.client.InferenceHttpClient;
import dev.sglangray.workers.FleetControl;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import dev.sglangray.workers.UpdateReport;
import dev.sglangray.workers.WeightUpdateException;
import dev.sglangray.workers.WorkerException;
import dev.sglangray.workers.protocol.InFlightPolicy;
import dev.sglangray.workers.protocol.PauseMode;
import dev.sglangray.workers.protocol.WeightUpdate;
import dev.sglangray.workers.protocol.WorkerStatus;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** A trainer in Java on a fleet of two stand-ins that another driver launched: all that it may do, and what may go wrong. */
public final class WeightsDriver {
    private static final GenerateRequest WHO =
            GenerateRequest.builder().text("who?").build();

    private static final Duration LONG = Duration.ofSeconds(60);

    private final FleetControl fleet;
    private final Path folder;
    private final String url;
    private final InferenceHttpClient client;

    private WeightsDriver(FleetControl fleet, Path folder) {
        this.fleet = fleet;
        this.folder = folder;
        this.url = fleet.router().orElseThrow().getRouterUrl().awaitSingle();
        this.client = InferenceHttpClient.of(url);
    }

    public static void main(String[] arguments) throws Exception {
        try (RaySession session = DriverSupport.connect()) {
            FleetControl fleet = FleetControl.attach("SGLangServerGroup");
            System.out.println("session of namespace " + session.namespace());
            WeightsDriver driver = new WeightsDriver(fleet, Path.of(arguments[1]));
            driver.updates();
            driver.refusals();
            driver.failures();
            driver.deaths();
            driver.aServerByUrl();
            driver.memory();
            driver.manyUpdates();
        }
    }

    private void updates() throws IOException {
        try (AskingThread load = new AskingThread(url, 0.05)) {
            await("answers", () -> load.count("default") > 20);
            say("first update complete "
                    + update("1", "{\"update_seconds\": 0.5}").isComplete());
            await("answers", () -> load.count("1") > 20);
            System.err.println(load.versionsInOrder("default", "1"));
        }
        say("answered by " + answering() + ", known as "
                + fleet.weights().orElseThrow().version());
        try (AskingThread load = new AskingThread(url, 0.3)) {
            await("answers", () -> load.count("1") > 4);
            UpdateReport kept = fleet.updateWeights(to("2", "{}").withInFlight(InFlightPolicy.IN_PLACE));
            say("update in place complete " + kept.isComplete());
            await("answers", () -> load.count("2") > 8);
        }
        say("rolling complete "
                + fleet.updateWeights(to("3", "{}").withRolling(true)).isComplete() + ", answered by " + answering());
    }

    private void refusals() throws IOException {
        String missing =
                refusal(WeightUpdate.fromDisk("4", folder.resolve("nowhere").toString()));
        say("a missing folder " + missing.contains("REFUSED, there is no folder"));
        Files.writeString(folder.resolve("config.json"), "{\"hidden_size\": 2}");
        Path other = checkpoint("other", "{}");
        Files.writeString(other.resolve("config.json"), "{\"hidden_size\": 3}");
        say("another model "
                + refusal(WeightUpdate.fromDisk("4", other.toString())).contains("hidden_size is 3"));
        say("tensors "
                + refusal(WeightUpdate.fromDistributed("4", List.of(Map.of("names", List.of()))))
                        .contains("this engine has no /update_weights_from_distributed"));
        say("a server with other weights "
                + refusalOfAStranger().contains("has weights of version 2, and the fleet those of version 3"));
        say("answered by " + answering());
    }

    /** A server that is none of the fleet's, registered by its URL. */
    private String refusalOfAStranger() throws IOException {
        HttpServer stranger = stranger(0, "2");
        try {
            throw new AssertionError(
                    "not refused: " + router().registerServer(url(stranger)).awaitSingle());
        } catch (WorkerException e) {
            return String.valueOf(e.getMessage());
        } finally {
            stranger.stop(0);
        }
    }

    private static HttpServer stranger(int port, String version) throws IOException {
        HttpServer stranger = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        stranger.createContext("/", exchange -> {
            byte[] answer = ("{\"weight_version\": \"" + version + "\"}").getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        stranger.start();
        return stranger;
    }

    private static String url(HttpServer server) {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    private RouterGroup router() {
        return fleet.router().orElseThrow();
    }

    /** It goes away, which holds up no call when the router is another process then, and it returns. */
    private void aServerByUrl() throws IOException {
        HttpServer server = stranger(0, "7");
        String other = url(server);
        say("by URL, listed " + router().registerServer(other).awaitSingle().healthy());
        server.stop(0);
        kill(Objects.requireNonNull(router().status().awaitSingle().process().pid()));
        await("the router", this::answers);
        awaitReady("7");
        say("it is gone, and the router another, listed " + isListed(other) + ", answered by " + answeringTwo());
        HttpServer back = stranger(server.getAddress().getPort(), "7");
        try {
            await("it is back", () -> isListed(other));
            say("it is back, unregistered " + router().unregisterServer(other).awaitSingle());
            say("without it, answered by " + answeringTwo());
        } finally {
            back.stop(0);
        }
    }

    private boolean isListed(String server) {
        return router().registry().awaitSingle().members().stream()
                .anyMatch(member -> member.url().equals(server) && member.listed());
    }

    private void failures() throws IOException {
        UpdateReport report = update("5", "{\"broken_on\": \"node-b\"}");
        say("with a broken engine, missing " + report.missing() + " answered by " + answering());
        // It was replaced by a new process, and that cannot load them either, and says so.
        await(
                "the broken engine says why",
                () -> status(1).service().conditions().stream()
                        .anyMatch(words -> words.contains("could not load the fleet's weights")));
        say("the broken engine is " + status(1).state() + ", and 0 is "
                + status(0).state());
        say("the next update is complete " + update("6", "{}").isComplete() + ", answered by " + answering());
        awaitReady("6");
    }

    /** Not while the router's worker is being replaced. */
    private boolean knows(String version) {
        try {
            return fleet.weights().orElseThrow().version().equals(version);
        } catch (WorkerException e) {
            return false;
        }
    }

    private void deaths() throws IOException {
        UpdateReport report = update("7", "{\"dies_on\": \"node-b\", \"update_seconds\": 0.5}");
        say("with an engine killed, missing " + report.missing() + " answered by " + answering());
        awaitReady("7");
        say("it came back, answered by " + answeringTwo());

        kill(Objects.requireNonNull(status(0).process().pid()));
        awaitReady("7");
        say("an engine killed later came back, answered by " + answeringTwo());
        kill(status(1).process().workerPid());
        await("the worker is another", () -> restarted(1));
        awaitReady("7");
        say("a worker killed later came back, answered by " + answeringTwo());
        kill(fleet.router().orElseThrow().status().awaitSingle().process().workerPid());
        await("the router", () -> answers() && knows("7"));
        say("the router's worker killed later knows them, answered by " + answeringTwo());
    }

    private boolean restarted(int rank) {
        return status(rank).supervision().lastError() != null;
    }

    private void memory() throws IOException, InterruptedException {
        ServerGroup servers = fleet.servers();
        fleet.releaseMemory(List.of(), LONG);
        fleet.releaseMemory(List.of(), LONG);
        // Probes come each second, and one would end the stand-in.
        Thread.sleep(2500);
        say("released " + status(0).state() + " " + status(0).service().conditions() + ", a restart later "
                + status(0).supervision().restarts());
        String refused = refusal(WeightUpdate.fromDisk("8", folder.toString()));
        say("no weights without memory " + refused.contains("resume it first"));
        fleet.resumeMemory(List.of("weights"), LONG);
        say("partly " + status(1).service().conditions());
        kill(Objects.requireNonNull(status(1).process().pid()));
        await("it ended", () -> status(1).process().pid() == null);
        fleet.resumeMemory(List.of(), LONG);
        fleet.resumeMemory(List.of(), LONG);
        awaitReady("7");
        say("resumed, answered by " + answeringTwo());
        aDeathDuringARelease();
        fleet.pauseGeneration(PauseMode.IN_PLACE, LONG);
        say("paused " + servers.status().await().get(0).service().conditions());
        fleet.continueGeneration(LONG);
        fleet.flushCache(LONG);
        say("continued, answered by " + answeringTwo());
    }

    /** The engine has been asked for its memory, and ends before it answers. */
    private void aDeathDuringARelease() throws IOException {
        Files.writeString(folder.resolve("standin.json"), "{\"release_seconds\": 5}");
        CompletableFuture<Void> release = CompletableFuture.runAsync(() -> fleet.releaseMemory(List.of(), LONG));
        await(
                "the engine was asked",
                () -> status(1).service().conditions().stream().anyMatch(words -> words.contains("kv_cache")));
        kill(Objects.requireNonNull(status(1).process().pid()));
        release.join();
        Files.writeString(folder.resolve("standin.json"), "{}");
        say("killed while it released, runs " + (status(1).process().pid() != null) + ", "
                + status(1).service().conditions());
        fleet.resumeMemory(List.of(), LONG);
        awaitReady("7");
        say("resumed all the same, answered by " + answeringTwo());
    }

    private void manyUpdates() throws IOException {
        String path = checkpoint("many", "{}").toString();
        fleet.updateWeights(WeightUpdate.fromDisk("warm", path));
        long worker = status(0).process().workerPid();
        long files = files(worker);
        long threads = threads(worker);
        long engine = Objects.requireNonNull(status(0).process().pid());
        long early = 0;
        long engineEarly = 0;
        for (int i = 0; i < 50; i++) {
            if (i == 10) {
                early = memory(worker);
                engineEarly = memory(engine);
            }
            fleet.updateWeights(WeightUpdate.fromDisk("many-" + i, path));
        }
        System.err.println("kB after 10 and after 50: worker " + early + ", " + memory(worker) + ", engine "
                + engineEarly + ", " + memory(engine));
        // A JVM takes memory until its heap is full, so no less could be told from garbage; 40 updates that each kept a
        // megabyte would be seen. The stand-in's interpreter gives back what it does not use.
        say("40 of them, a worker more than 40 MB larger " + (memory(worker) > early + 40_000)
                + ", an engine more than 10 MB larger " + (memory(engine) > engineEarly + 10_000));
        System.err.println(
                "files " + files + " to " + files(worker) + ", threads " + threads + " to " + threads(worker));
        say("50 updates, more files " + (files(worker) > files + 8) + ", more threads "
                + (threads(worker) > threads + 12) + ", answered by " + answering());
    }

    private static long files(long pid) throws IOException {
        return count(Path.of("/proc", Long.toString(pid), "fd"));
    }

    private static long threads(long pid) throws IOException {
        return count(Path.of("/proc", Long.toString(pid), "task"));
    }

    private static long count(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.count();
        }
    }

    /** What a process has of the machine's memory, in kB. */
    private static long memory(long pid) throws IOException {
        return Files.readAllLines(Path.of("/proc", Long.toString(pid), "status")).stream()
                .filter(line -> line.startsWith("VmRSS"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                .findFirst()
                .orElseThrow();
    }

    private UpdateReport update(String version, String behaviour) throws IOException {
        return fleet.updateWeights(to(version, behaviour));
    }

    private WeightUpdate to(String version, String behaviour) throws IOException {
        return WeightUpdate.fromDisk(version, checkpoint(version, behaviour).toString())
                .withTimeout(LONG);
    }

    private Path checkpoint(String name, String behaviour) throws IOException {
        Path checkpoint = Files.createDirectories(folder.resolve("checkpoint-" + name));
        Files.writeString(checkpoint.resolve("standin.json"), behaviour);
        Files.writeString(checkpoint.resolve("config.json"), "{}");
        return checkpoint;
    }

    private String refusal(WeightUpdate update) {
        try {
            throw new AssertionError("not refused: " + fleet.updateWeights(update));
        } catch (WeightUpdateException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private WorkerStatus status(int rank) {
        long end = System.nanoTime() + LONG.toNanos();
        while (true) {
            try {
                return fleet.servers().on(rank).status().await(LONG).get(0);
            } catch (WorkerException e) {
                // Its process is being replaced.
                if (System.nanoTime() - end > 0) {
                    throw e;
                }
            }
        }
    }

    private void awaitReady(String version) {
        await(
                "both ready with " + version,
                () -> Stream.of(status(0), status(1))
                        .allMatch(status -> status.state().equals("READY")
                                && version.equals(status.service().weightVersion())
                                && status.service().conditions().isEmpty()));
        await(
                "both in the router",
                () -> fleet.router().orElseThrow().servers().awaitSingle().stream()
                                .filter(server -> server.healthy())
                                .count()
                        == 2);
    }

    private static void await(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + LONG.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                throw new AssertionError("not in time: " + what);
            }
            Thread.onSpinWait();
            try {
                Thread.sleep(50);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private boolean answers() {
        try {
            return !answering().isEmpty();
        } catch (RuntimeException e) {
            return false;
        }
    }

    /** The versions that answer. */
    private Set<String> answering() {
        Set<String> versions = new TreeSet<>();
        for (int i = 0; i < 6; i++) {
            versions.add(
                    client.generate(WHO).single().metaInfo().weightVersion().orElse("none"));
        }
        return versions;
    }

    /** The versions that answer, once two engines do. */
    private String answeringTwo() {
        Set<Object> pids = new TreeSet<>();
        Set<String> versions = new TreeSet<>();
        await("two engines answer", () -> {
            var meta = client.generate(WHO).single().metaInfo();
            pids.add(String.valueOf(meta.extra().get("pid")));
            versions.add(meta.weightVersion().orElse("none"));
            return pids.size() > 1;
        });
        return versions.toString();
    }

    private static void kill(long pid) {
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();
    }

    private static void say(String line) {
        System.out.println(line);
        System.err.println(line);
    }
}
