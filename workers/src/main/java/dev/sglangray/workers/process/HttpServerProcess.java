/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import dev.sglangray.bridge.ListeningProcess;
import dev.sglangray.bridge.PortLease;
import dev.sglangray.bridge.ProcessExit;
import dev.sglangray.bridge.ProcessSpec;
import dev.sglangray.bridge.ProcessStartException;
import dev.sglangray.bridge.SupervisedProcess;
import dev.sglangray.workers.node.WorkerNode;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.protocol.WorkerState;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import okhttp3.OkHttpClient;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A supervised child that serves HTTP: started as its planner says, waited for until {@code /health} answers,
 * watched, ended. Safe for use by many threads; {@link #shutdown} works while {@link #start} is under way.
 */
public final class HttpServerProcess implements ServerProcess {
    private static final Logger LOG = LoggerFactory.getLogger(HttpServerProcess.class);

    private static final int MAX_ATTEMPTS = 4;
    private static final int TAIL_LINES = 30;
    /** SGLang prints all of its arguments in one line. */
    private static final int LONGEST_LINE = 400;
    /** A traceback of several processes fits. */
    private static final int TRACEBACK_LINES = 200;
    /** What the log of a server says that found its port taken. */
    private static final List<String> PORT_TAKEN = List.of(
            "address already in use", "address in use", "addrinuse", "eaddrinuse", "errno 98", "is not available in");

    /** Exit codes of {@code sglang_ray.serve}: its input is wrong; a package is missing. */
    private static final Set<Integer> REFUSED = Set.of(2, 3);

    /** What never was ready has nothing to finish. */
    private static final Duration FAILED_START_GRACE = Duration.ofSeconds(2);

    private static final Duration FIRST_PAUSE = Duration.ofMillis(25);
    /** A server that listens may write a line for each question. */
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);

    private static final Duration LONGEST_PAUSE_BEFORE = Duration.ofMillis(250);

    private final ServerPlanner planner;
    private final String what;
    private final WorkerNode node;
    private final HealthProbe probe;
    private final ProcessStarter starter;
    private final CompletableFuture<Void> abort = new CompletableFuture<>();
    private final CompletableFuture<Void> startEnded = new CompletableFuture<>();

    private final Object lock = new Object();
    private WorkerState state = WorkerState.NEW;
    private @Nullable StartAttempt attempt;
    private @Nullable SupervisedProcess process;
    private @Nullable String failure;
    private @Nullable Double secondsToReady;

    private HttpServerProcess(ServerPlanner planner, WorkerNode node, OkHttpClient http, ProcessStarter starter) {
        this.planner = planner;
        this.what = planner.what();
        this.node = node;
        this.probe = new HealthProbe(http);
        this.starter = starter;
    }

    /** An SGLang engine; starts nothing. */
    public static HttpServerProcess engine(
            ServerSpec spec, ProcessFactory kit, OkHttpClient http, Incarnation incarnation, ProcessStarter starter) {
        return new HttpServerProcess(new EnginePlanner(spec, kit, incarnation), kit.node(), http, starter);
    }

    /** The process from which engines of this specification can be forked. */
    public static ProcessSpec forkServer(ServerSpec spec, ProcessFactory kit) {
        return new EnginePlanner(spec, kit, Incarnation.FIRST).forkServer();
    }

    /**
     * The ports that the parts of an engine over several nodes must agree on, in part 0's node.
     *
     * @param meeting those of their meeting, in a row
     * @param bootstrap that for the decoders of a prefill engine, or null
     */
    public record CommonPorts(
            List<PortLease> meeting, @Nullable PortLease bootstrap) implements AutoCloseable {
        /** Copies the list. */
        public CommonPorts {
            meeting = List.copyOf(meeting);
        }

        /** Where the parts meet. */
        public int port() {
            return meeting.get(0).port();
        }

        @Override
        public void close() {
            meeting.forEach(PortLease::close);
            if (bootstrap != null) {
                bootstrap.close();
            }
        }
    }

    /** The ports for one start of an engine that spans nodes. */
    public static CommonPorts commonPorts(ServerSpec spec, ProcessFactory kit) {
        EnginePlanner planner = new EnginePlanner(spec, kit, Incarnation.FIRST);
        boolean bootstrap = planner.needsBootstrapPort();
        return new CommonPorts(
                kit.ports().acquireRun(planner.meetingPorts()),
                bootstrap ? kit.ports().acquire() : null);
    }

    /** A router; starts nothing. */
    public static HttpServerProcess router(
            RouterSpec spec, ProcessFactory kit, OkHttpClient http, Incarnation incarnation) {
        return new HttpServerProcess(
                new RouterPlanner(spec, kit, incarnation), kit.node(), http, ProcessStarter.PROGRAM);
    }

    /**
     * Starts the child and waits until it is healthy. Nothing is left of it when that fails.
     *
     * @throws WorkerFailure with exit code or signal, the last log lines and the log's place
     * @throws TryAgainException when it is a part of an engine, and another start of all parts may succeed
     */
    @Override
    public String start(ExitListener exits) {
        synchronized (lock) {
            if (state != WorkerState.NEW) {
                throw new WorkerFailure("the " + what + " was started before (it is " + state + ")");
            }
            state = WorkerState.STARTING;
        }
        Runnable over = () -> {};
        try {
            long begin = System.nanoTime();
            // Imports take longest, and no other engine needs to wait for them.
            starter.prepare(abortAfter(remaining(begin)));
            throwIfAborted();
            long prepared = System.nanoTime();
            over = planner.awaitTurn(abort);
            // The wait for other engines does not count for the time that this one may take.
            begin += System.nanoTime() - prepared;
            String url = startWithRetries(begin, exits);
            becomeReady(begin);
            LOG.info(
                    "The {} is ready at {} after {} s",
                    what,
                    url,
                    String.format(Locale.ROOT, "%.1f", secondsSince(begin)));
            return url;
        } catch (RuntimeException e) {
            String text = planner.secrets().hide(String.valueOf(e.getMessage()));
            synchronized (lock) {
                if (state == WorkerState.STARTING) {
                    state = abort.isDone() ? WorkerState.STOPPED : WorkerState.FAILED;
                }
                failure = text;
            }
            throw e instanceof TryAgainException again
                    ? new TryAgainException(text, again.portLost())
                    : new WorkerFailure(text);
        } finally {
            over.run();
            startEnded.complete(null);
        }
    }

    private CompletableFuture<Void> abortAfter(Duration time) {
        return abort.copy().completeOnTimeout(null, Math.max(1, time.toMillis()), TimeUnit.MILLISECONDS);
    }

    private void becomeReady(long begin) {
        synchronized (lock) {
            if (process == null || !process.isAlive()) {
                throw new WorkerFailure("the " + what + " ended as soon as it was ready"
                        + (process == null ? "" : ": " + process.onExit().join().describe() + "." + tail(process)));
            }
            secondsToReady = secondsSince(begin);
            state = WorkerState.READY;
        }
    }

    private String startWithRetries(long begin, ExitListener exits) {
        boolean blamed = false;
        for (int n = 0; ; ) {
            StartAttempt next = planner.plan(n);
            boolean kept = false;
            try {
                startOnce(next, begin, exits);
                kept = true;
                return next.url();
            } catch (PortLostException e) {
                requireAlone(e, true);
                if (!next.retryable() || n + 1 >= MAX_ATTEMPTS) {
                    throw new WorkerFailure(String.valueOf(e.getMessage()));
                }
                LOG.warn("The {} lost port {} to another process; trying another port", what, next.port());
                n++;
            } catch (BadStartException e) {
                requireAlone(e, false);
                blamed = true;
                LOG.warn(
                        "It is started once more, in another way: {}",
                        planner.secrets().hide(String.valueOf(e.getMessage())));
            } catch (WorkerFailure e) {
                if (blamed) {
                    starter.absolve();
                }
                throw e;
            } finally {
                if (!kept) {
                    endChild(FAILED_START_GRACE);
                    next.release();
                }
            }
        }
    }

    /** Its peers wait for one that is not started again by itself. */
    private void requireAlone(RuntimeException failure, boolean portLost) {
        if (!planner.startsAlone()) {
            throw new TryAgainException(String.valueOf(failure.getMessage()), portLost);
        }
    }

    /** The port went to another program between our check and the child's bind. */
    private static final class PortLostException extends RuntimeException {
        PortLostException(String message) {
            super(message);
        }
    }

    /** The way in which the child was started may be the cause of its end. */
    private static final class BadStartException extends RuntimeException {
        BadStartException(String message) {
            super(message);
        }
    }

    private void startOnce(StartAttempt next, long begin, ExitListener exits) {
        synchronized (lock) {
            attempt = next;
        }
        throwIfAborted();
        SupervisedProcess child;
        try {
            child = starter.start(next.process(), abortAfter(remaining(begin)));
        } catch (ProcessStartException e) {
            throwIfAborted();
            throw new WorkerFailure("the " + what + " could not be started: " + e.getMessage());
        }
        synchronized (lock) {
            process = child;
        }
        var unused = child.onExit().thenAccept(exit -> onExit(next, child, exit, exits));
        awaitHealthy(next, child, begin);
    }

    private void awaitHealthy(StartAttempt next, SupervisedProcess child, long begin) {
        CompletableFuture<ProcessExit> exit = child.onExit();
        Duration pause = FIRST_PAUSE;
        boolean listens = false;
        String lastAnswer = "none";
        while (true) {
            CompletableFuture<HealthProbe.Answer> answer = probe.ask(next.url());
            waitForAny(remaining(begin), exit, abort, answer);
            throwIfAborted();
            if (exit.isDone()) {
                answer.cancel(false);
                throw exitedEarly(child, exit.join(), begin);
            }
            if (answer.isDone()) {
                lastAnswer = answer.join().detail();
                if (answer.join().healthy()) {
                    requireOurs(next, child);
                    starter.trust(child);
                    child.lookForRanks();
                    return;
                }
                if (answer.join().listens() && !listens) {
                    // It has loaded and only warms up.
                    listens = true;
                    pause = FIRST_PAUSE;
                }
            }
            if (remaining(begin).isNegative() || remaining(begin).isZero()) {
                answer.cancel(false);
                throw new WorkerFailure("the " + what + " did not become healthy within "
                        + planner.deadline().toSeconds() + " s (last answer of " + next.url() + "/health: " + lastAnswer
                        + ")." + tail(child));
            }
            waitForAny(min(pause, remaining(begin)), exit, abort);
            pause = min(pause.multipliedBy(3).dividedBy(2), listens ? LONGEST_PAUSE : LONGEST_PAUSE_BEFORE);
        }
    }

    /** A stranger on the same port answers health checks as well as our child would. */
    private void requireOurs(StartAttempt next, SupervisedProcess child) {
        Optional<String> stranger = ListeningProcess.stranger(next.port(), child::owns);
        if (stranger.isPresent()) {
            throw new PortLostException("port " + next.port() + " of this node is served by " + stranger.get()
                    + ", not by the " + what
                    + " that we started there. Choose another port,"
                    + " or leave it unset (null) to have a free one chosen." + tail(child));
        }
        if (!child.isAlive()) {
            throw new PortLostException("the " + what + " ended although its /health was answered: another process"
                    + " serves port " + next.port() + "." + tail(child));
        }
    }

    private RuntimeException exitedEarly(SupervisedProcess child, ProcessExit exit, long begin) {
        String text = String.format(
                Locale.ROOT,
                "the %s exited before it was ready: %s, after %.1f s.%s",
                what,
                exit.describe(),
                secondsSince(begin),
                tail(child));
        if (saysThatItsPortIsTaken(child.logTail(TRACEBACK_LINES))) {
            return new PortLostException(text);
        }
        boolean refused = exit.code() != null && REFUSED.contains(exit.code());
        return !refused && starter.blame(child) ? new BadStartException(text) : new WorkerFailure(text);
    }

    private static boolean saysThatItsPortIsTaken(List<String> log) {
        return log.stream()
                .map(line -> line.toLowerCase(Locale.ROOT))
                .anyMatch(line -> PORT_TAKEN.stream().anyMatch(line::contains));
    }

    private String tail(SupervisedProcess child) {
        String place = child.logFile() + " on node " + node.ip();
        List<String> lines = child.logTail(TAIL_LINES);
        return lines.isEmpty()
                ? "\nIts log is empty (" + place + ")."
                : "\nLast lines of its log (" + place + "):\n  "
                        + lines.stream().map(HttpServerProcess::shorten).collect(Collectors.joining("\n  "));
    }

    private static String shorten(String line) {
        return line.length() <= LONGEST_LINE ? line : line.substring(0, LONGEST_LINE) + " …";
    }

    private void onExit(StartAttempt ended, SupervisedProcess child, ProcessExit exit, ExitListener exits) {
        String why;
        synchronized (lock) {
            if (state != WorkerState.READY || process != child) {
                return;
            }
            state = WorkerState.FAILED;
            why = planner.secrets().hide("the " + what + " ended by itself: " + exit.describe());
            failure = why;
        }
        ended.release();
        // First: a log that cannot be read, or not soon, must hold up nothing that follows from the death.
        exits.ended(Integer.valueOf(0).equals(exit.code()), why);
        LOG.error("The {} at {} ended by itself: {}", what, ended.url(), exit.describe());
        String explained = why + "." + planner.secrets().hide(tail(child));
        synchronized (lock) {
            failure = explained;
        }
        exits.explained(explained);
    }

    private void throwIfAborted() {
        if (abort.isDone()) {
            throw WorkerFailure.abortedStart(what);
        }
    }

    private Duration remaining(long begin) {
        return planner.deadline().minusNanos(System.nanoTime() - begin);
    }

    private static Duration min(Duration a, Duration b) {
        return a.compareTo(b) <= 0 ? a : b;
    }

    private static double secondsSince(long begin) {
        return (System.nanoTime() - begin) / 1e9;
    }

    private void waitForAny(Duration timeout, CompletableFuture<?>... futures) {
        try {
            CompletableFuture.anyOf(futures).get(Math.max(1, timeout.toMillis()), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            // The caller looks at what is done.
        } catch (ExecutionException e) {
            throw new IllegalStateException("These futures never fail.", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new WorkerFailure("the start of the " + what + " was interrupted");
        }
    }

    @Override
    public void shutdown(Duration grace) {
        boolean starting;
        synchronized (lock) {
            starting = state == WorkerState.STARTING;
            if (state == WorkerState.NEW || state == WorkerState.READY) {
                state = WorkerState.STOPPED;
            }
        }
        abort.complete(null);
        if (starting) {
            // The starting thread cleans up after itself. Joining does not heed interrupts, which must not leave a
            // child.
            startEnded
                    .copy()
                    .completeOnTimeout(null, grace.plusSeconds(30).toMillis(), TimeUnit.MILLISECONDS)
                    .join();
        }
        endChild(grace);
        synchronized (lock) {
            if (attempt != null) {
                attempt.release();
            }
            if (state == WorkerState.STARTING || state == WorkerState.READY) {
                state = WorkerState.STOPPED;
            }
        }
    }

    private void endChild(Duration grace) {
        SupervisedProcess child;
        synchronized (lock) {
            child = process;
        }
        if (child != null) {
            child.terminate(grace);
            child.close();
        }
    }

    @Override
    public boolean isHealthy() {
        String url;
        synchronized (lock) {
            if (state != WorkerState.READY || attempt == null) {
                return false;
            }
            url = attempt.url();
        }
        return probe.ask(url).join().healthy();
    }

    @Override
    public String url() {
        synchronized (lock) {
            if (state != WorkerState.READY || attempt == null) {
                throw new WorkerFailure(
                        "the " + what + " has no URL: it is " + state + (failure == null ? "" : " (" + failure + ")"));
            }
            return attempt.url();
        }
    }

    @Override
    public String logTail(int lines) {
        SupervisedProcess child;
        synchronized (lock) {
            child = process;
        }
        return child == null ? "" : planner.secrets().hide(String.join("\n", child.logTail(lines)));
    }

    @Override
    public Snapshot snapshot() {
        Stream<String> slow =
                starter.fault().map(why -> "no warm start: " + planner.secrets().hide(why)).stream();
        List<String> conditions =
                Stream.concat(planner.conditions().stream(), slow).toList();
        synchronized (lock) {
            SupervisedProcess child = process;
            return new Snapshot(
                    state,
                    attempt == null || state == WorkerState.NEW ? null : attempt.url(),
                    child == null || !child.isAlive() ? null : child.pid(),
                    child == null ? null : child.logFile(),
                    secondsToReady,
                    failure,
                    attempt == null ? null : attempt.bootstrapPort(),
                    conditions,
                    List.of(),
                    starter.forkServerSince().orElse(null));
        }
    }
}
