/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.config.thread.Threads;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Python process that has imported SGLang, from which engines are forked: a start then takes seconds where imports take most of a
 * minute. It is replaced in the background when it dies, hangs or is out of date. Where no engine can be forked, {@link #start} starts
 * it as a program, as {@link SupervisedProcess#start} does.
 *
 * <p>An engine outlives the process that it was forked from, but not this object. Safe for use by many threads.
 */
public final class ForkServer implements AutoCloseable {
    /** A variable of the engine: 0 turns forks off. */
    public static final String SWITCH = "SGLANG_RAY_WARM_START";

    private static final Logger LOG = LoggerFactory.getLogger(ForkServer.class);

    /** Imports take seconds on a quiet machine and minutes on a drowning one, where a program would take as long. */
    private static final Duration IMPORT_PATIENCE = Duration.ofMinutes(5);

    private static final Duration FORK_PATIENCE = Duration.ofSeconds(15);
    /** The second is for a fork server in the place of one that was gone, hung or stale, or had another environment. */
    private static final int MAX_ATTEMPTS = 2;

    private static final String UNKNOWN = "unknown";
    /** After so many deaths in a row before it is ready, engines are started as programs. */
    private static final int MAX_EARLY_DEATHS = 3;

    /** Variables that are read when they are used, or by the supervisor. All others must be those that it was started with. */
    private static final Set<String> AT_FORK = Set.of(
            "CUDA_VISIBLE_DEVICES",
            "HIP_VISIBLE_DEVICES",
            "ROCR_VISIBLE_DEVICES",
            "MUSA_VISIBLE_DEVICES",
            "ASCEND_RT_VISIBLE_DEVICES",
            "HABANA_VISIBLE_MODULES",
            "XPU_VISIBLE_DEVICES",
            "ZE_AFFINITY_MASK",
            "ONEAPI_DEVICE_SELECTOR",
            "SGLANG_RAY_LOG_BYTES",
            "SGLANG_RAY_WATCH_RANKS");

    private final Path folder;
    private final Duration importPatience;
    private final Duration forkPatience;
    private final Object lock = new Object();
    private final Set<Generation> generations = new HashSet<>();
    private ProcessSpec spec;
    private @Nullable Generation current;
    private int earlyDeaths;
    /** Why nothing is forked; null while children are. */
    private @Nullable Off off;
    /** Why the last child was not forked. */
    private @Nullable String cold;
    /** One that was forked was healthy once: what ends one early from then on is not that it was forked. */
    private boolean trusted;

    private ForkServer(ProcessSpec spec, Path folder, Duration importPatience, Duration forkPatience) {
        this.spec = spec;
        this.folder = folder;
        this.importPatience = importPatience;
        this.forkPatience = forkPatience;
    }

    /**
     * Starts the process and returns at once.
     *
     * @param spec the process: the command runs {@code sglang_ray.fork_server} in the engines' interpreter, the environment is theirs
     */
    public static ForkServer open(ProcessSpec spec) {
        return open(spec, NodeDirectories.base().resolve("forks"), IMPORT_PATIENCE, FORK_PATIENCE);
    }

    static ForkServer open(ProcessSpec spec, Path folder, Duration importPatience, Duration forkPatience) {
        ForkServer server = new ForkServer(spec, folder, importPatience, forkPatience);
        if ("0".equals(spec.environment().get(SWITCH))) {
            server.turnOff(Cause.CHOICE, SWITCH + " is 0");
        } else {
            server.replace();
        }
        return server;
    }

    /**
     * Starts a child: by a fork where that is possible, else as a program. Waits for imports that are under way, which takes no longer
     * than a program that imports the same, since an engine does so twice.
     *
     * @param abort its completion ends that wait
     * @throws ProcessStartException when it cannot be started, or the wait was aborted; nothing is left then
     */
    public SupervisedProcess start(ProcessSpec child, CompletableFuture<?> abort) {
        String why = "";
        for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
            try {
                SupervisedProcess started = fork(child, abort);
                say(null);
                return started;
            } catch (NotForkedException e) {
                why = String.valueOf(e.getMessage());
            }
        }
        say(why);
        LOG.info("'{}' is started as a program, not by a fork: {}", child.name(), why);
        return SupervisedProcess.start(child);
    }

    /**
     * Returns when imports that are under way have ended, so that {@link #start} need not wait for them.
     *
     * @param abort its completion ends the wait
     */
    public void awaitImports(CompletableFuture<?> abort) {
        Generation present;
        synchronized (lock) {
            present = off == null ? current : null;
        }
        if (present != null) {
            CompletableFuture.anyOf(present.verdict, abort)
                    .handle((verdict, failure) -> verdict)
                    .join();
        }
    }

    private void say(@Nullable String why) {
        synchronized (lock) {
            cold = why;
        }
    }

    /**
     * Why children are started as programs although they should be forked: the next ones, or at least the last one. Empty when they are
     * forked, and when that is a choice.
     */
    public Optional<String> fault() {
        synchronized (lock) {
            if (off == null) {
                return Optional.ofNullable(cold);
            }
            return off.cause == Cause.CHOICE ? Optional.empty() : Optional.of(off.why);
        }
    }

    /** The child is healthy. */
    public void trust(SupervisedProcess child) {
        synchronized (lock) {
            trusted |= child.isForked();
        }
    }

    /**
     * The child ended before it was healthy, and its arguments are not the cause. Where none that was forked has ever been healthy, that
     * may be the cause: then children are programs from now on.
     *
     * @return whether it is worth to start the child once more
     */
    public boolean blame(SupervisedProcess child) {
        synchronized (lock) {
            if (trusted || off != null || !child.isForked()) {
                return false;
            }
            turnOff(
                    Cause.BLAME,
                    "one that was forked ended before it was healthy (its log is " + child.logFile() + ")");
            Objects.requireNonNull(current).end();
            return true;
        }
    }

    /** A program ended early as well as the child that was blamed: children are forked again. */
    public void absolve() {
        synchronized (lock) {
            if (off != null && off.cause == Cause.BLAME) {
                off = null;
                cold = null;
                replace();
            }
        }
    }

    private void turnOff(Cause cause, String why) {
        synchronized (lock) {
            off = new Off(cause, why);
        }
    }

    private enum Cause {
        /** It was asked for, or nothing can be forked on such a machine. */
        CHOICE,
        FAULT,
        /** One that was forked ended early, and may have done so because it was forked. */
        BLAME
    }

    private record Off(Cause cause, String why) {}

    private SupervisedProcess fork(ProcessSpec child, CompletableFuture<?> abort) throws NotForkedException {
        Generation generation = fitting(child);
        String verdict = await(generation.verdict, abort, child);
        if (!verdict.isEmpty()) {
            throw new NotForkedException(verdict);
        }
        try {
            return SupervisedProcess.forked(child, SupervisorLink.connect(generation.socket), forkPatience);
        } catch (IOException e) {
            retire(generation);
            throw new NotForkedException("the fork server does not listen: " + e.getMessage());
        } catch (NotForkedException e) {
            retire(generation);
            throw e;
        }
    }

    private static String await(CompletableFuture<String> verdict, CompletableFuture<?> abort, ProcessSpec child) {
        try {
            CompletableFuture.anyOf(verdict, abort).get();
        } catch (ExecutionException e) {
            LOG.debug("The start of '{}' was aborted", child.name(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ProcessStartException("Interrupted while '" + child.name() + "' was starting.");
        }
        String found = verdict.getNow(UNKNOWN);
        if (found.equals(UNKNOWN)) {
            throw new ProcessStartException(
                    "The start of '" + child.name() + "' was aborted while its fork server was importing.");
        }
        return found;
    }

    private Generation fitting(ProcessSpec child) throws NotForkedException {
        synchronized (lock) {
            if (off != null) {
                throw new NotForkedException(off.why);
            }
            if (!child.command().subList(0, 1).equals(spec.command().subList(0, 1))) {
                throw new NotForkedException("its Python is not that of the fork server");
            }
            List<String> differing = differing(spec.environment(), child.environment());
            if (!differing.isEmpty()) {
                LOG.info("The fork server is replaced by one with other values of {}", differing);
                spec = withEnvironment(spec, child.environment());
                replace();
            }
            return Objects.requireNonNull(current);
        }
    }

    /** The names of the variables that are not the same and must be. */
    static List<String> differing(Map<String, String> one, Map<String, String> other) {
        Set<String> names = new TreeSet<>(one.keySet());
        names.addAll(other.keySet());
        names.removeAll(AT_FORK);
        Map<String, String> first = new TreeMap<>(one);
        names.removeIf(name -> Objects.equals(first.get(name), other.get(name)));
        return List.copyOf(names);
    }

    private static ProcessSpec withEnvironment(ProcessSpec spec, Map<String, String> environment) {
        return new ProcessSpec(
                spec.name(),
                spec.supervisorPython(),
                spec.supervisorScript(),
                spec.command(),
                environment,
                spec.workingDirectory(),
                spec.stdin(),
                spec.logFile(),
                spec.grace());
    }

    /** Puts a new process in the place of the current one, in the background. What was forked from that one stays. */
    private void replace() {
        Generation next;
        Generation previous;
        synchronized (lock) {
            previous = current;
            next = new Generation(
                    spec, folder.resolve(UUID.randomUUID().toString().substring(0, 13)));
            current = next;
            generations.removeIf(Generation::isGone);
            generations.add(next);
        }
        if (previous != null) {
            previous.end();
        }
        Thread unused = Threads.start("sglang-ray-" + next.spec.name(), next::run);
    }

    /** Since when the process that engines are forked from has been ready; empty while there is none. */
    public Optional<Instant> readySince() {
        synchronized (lock) {
            return off != null || current == null ? Optional.empty() : Optional.ofNullable(current.readyAt);
        }
    }

    /** It did not do its work. */
    private void retire(Generation generation) {
        synchronized (lock) {
            if (current != generation || off != null) {
                return;
            }
            replace();
        }
    }

    /** It has ended; that is a fault unless this object was closed or has replaced it. */
    private void ended(Generation generation, String verdict) {
        synchronized (lock) {
            if (current != generation || off != null) {
                return;
            }
            if (!generation.wasReady) {
                earlyDeaths++;
                if (earlyDeaths >= MAX_EARLY_DEATHS) {
                    turnOff(Cause.FAULT, verdict);
                    LOG.warn("No engine is forked from now on: {}", verdict);
                    return;
                }
            } else {
                earlyDeaths = 0;
            }
            LOG.info("The fork server has ended and is replaced ({})", generation.wasReady ? "it was ready" : verdict);
            replace();
        }
    }

    private void unfit(Generation generation, Cause cause, String why) {
        synchronized (lock) {
            if (current == generation && off == null) {
                turnOff(cause, why);
                LOG.info("Engines are started as programs, not by forks: {}", why);
            }
        }
    }

    /** One process. */
    private final class Generation {
        private final ProcessSpec spec;
        private final Path socket;
        /** Empty when engines can be forked from it, else why not. */
        private final CompletableFuture<String> verdict = new CompletableFuture<>();

        private final CompletableFuture<Void> done = new CompletableFuture<>();
        private volatile boolean wasReady;
        private volatile @Nullable Instant readyAt;
        private @Nullable SupervisedProcess server;
        private @Nullable SupervisorLink owner;
        private boolean over;

        Generation(ProcessSpec spec, Path socket) {
            this.spec = spec;
            this.socket = socket;
        }

        /** From start to end, on a thread of its own. */
        void run() {
            try {
                NodeDirectories.ours(folder);
                SupervisedProcess started = SupervisedProcess.listening(spec, socket);
                SupervisorLink link = connectTo(started);
                if (!take(started, link)) {
                    end();
                    return;
                }
                verdict.completeOnTimeout(
                        "the fork server has not imported everything within " + importPatience.toSeconds() + " s",
                        importPatience.toMillis(),
                        TimeUnit.MILLISECONDS);
                var unused = verdict.thenAccept(this::judged);
                listen(link);
            } catch (ProcessStartException | IOException e) {
                verdict.complete("the fork server cannot be started: " + NodeDirectories.why(e));
                unfit(this, Cause.FAULT, verdict.join());
            } finally {
                verdict.complete("the fork server ended while it imported (its log is " + spec.logFile() + ")");
                removeSocket();
                ended(this, verdict.join());
                done.complete(null);
            }
        }

        /** Leaves no process that nobody can reach. */
        private SupervisorLink connectTo(SupervisedProcess started) throws IOException {
            try {
                return SupervisorLink.connect(socket);
            } catch (IOException e) {
                started.close();
                throw e;
            }
        }

        /** Its supervisor does so, unless that was killed. */
        private void removeSocket() {
            try {
                Files.deleteIfExists(socket);
            } catch (IOException e) {
                LOG.info("The socket {} of a fork server that has ended is left: {}", socket, NodeDirectories.why(e));
            }
        }

        private synchronized boolean take(SupervisedProcess started, SupervisorLink link) {
            server = started;
            owner = link;
            return !over;
        }

        /** Nothing is left of it, nor of what was forked from it. */
        synchronized boolean isGone() {
            return over && server != null && server.isGone();
        }

        /** A process that is not ready in time is of no use later either. */
        private void judged(String why) {
            if (why.isEmpty()) {
                readyAt = Instant.now();
                wasReady = true;
            } else {
                end();
            }
        }

        private void listen(SupervisorLink link) {
            try (BufferedReader in = new BufferedReader(new InputStreamReader(link.events(), StandardCharsets.UTF_8))) {
                for (String line = in.readLine(); line != null; line = in.readLine()) {
                    JsonNode event = BridgeJson.MAPPER.readTree(line);
                    if ("ready".equals(event.path("event").asText())) {
                        verdict.complete("");
                    } else {
                        String why = event.path("error").asText(line);
                        unfit(this, event.path("chosen").asBoolean() ? Cause.CHOICE : Cause.FAULT, why);
                        verdict.complete(why);
                    }
                }
            } catch (IOException e) {
                LOG.debug("The connection to the fork server broke: {}", e.getMessage());
            }
        }

        /** Ends the process, and nothing that was forked from it. Does not wait. */
        synchronized void end() {
            over = true;
            if (owner != null) {
                owner.close();
            }
            if (server != null) {
                server.killChild();
            }
        }

        /** Ends the process and all that was forked from it; returns when nothing is left. */
        void close() {
            end();
            // Joining does not heed interrupts. It may be starting, which has a deadline.
            done.join();
            SupervisedProcess all;
            synchronized (this) {
                all = server;
            }
            if (all != null) {
                all.close();
            }
        }
    }

    /** Ends it and all that was forked from it; returns when nothing is left. */
    @Override
    public void close() {
        List<Generation> all;
        synchronized (lock) {
            turnOff(Cause.CHOICE, "the fork server was closed");
            all = new ArrayList<>(generations);
        }
        all.forEach(Generation::close);
    }
}
