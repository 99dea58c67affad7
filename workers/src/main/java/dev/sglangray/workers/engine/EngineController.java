/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.engine;

import dev.sglangray.workers.loop.Backoff;
import dev.sglangray.workers.loop.ChangeQueue;
import dev.sglangray.workers.loop.ConditionWaits;
import dev.sglangray.workers.loop.Deadline;
import dev.sglangray.workers.loop.EventLoop;
import dev.sglangray.workers.loop.Lease;
import dev.sglangray.workers.loop.RecordStore;
import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.InFlightPolicy;
import dev.sglangray.workers.protocol.PauseMode;
import dev.sglangray.workers.protocol.ReportReply;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.UpdateNotice;
import dev.sglangray.workers.protocol.UpdateOutcome;
import dev.sglangray.workers.protocol.UpdateOutcome.Result;
import dev.sglangray.workers.protocol.WeightUpdate;
import dev.sglangray.workers.protocol.Weights;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.supervision.EventKind;
import dev.sglangray.workers.supervision.EventSink;
import dev.sglangray.workers.supervision.ProcessActions;
import dev.sglangray.workers.supervision.ReconcileLoop;
import dev.sglangray.workers.supervision.Reconciler;
import dev.sglangray.workers.supervision.Signal;
import dev.sglangray.workers.supervision.SupervisionPhase;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import dev.sglangray.workers.supervision.SupervisionStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Decides for one engine: whether it may get requests, what may be done to it now, and what follows from what happens to it. It
 * holds the engine's one record; from it and from where the process stands follows what its worker says to the registry.
 *
 * <p>For use on the worker's event loop only. All futures complete there; they fail with a {@link WorkerFailure} whose words are
 * for people.
 */
public final class EngineController {
    /** Begins the text of an event of kind {@code WEIGHTS} that says which weights the engine has. */
    public static final String HAS_WEIGHTS = "the engine has weights of ";

    /** The text of the event of a drain that begins. */
    public static final String DRAIN_BEGINS = "no new requests";

    private static final String PAUSED = "generation paused";

    private static final Duration QUICK = Duration.ofSeconds(5);
    private static final Duration LOOK = Duration.ofMillis(100);
    /** By then the end of a process is known whose connections have ended. */
    private static final Duration KNOWN = Duration.ofSeconds(1);

    private static final Duration FIRST_RETRY = Duration.ofSeconds(1);
    private static final Duration LONGEST_RETRY = Duration.ofSeconds(30);
    /** More statements than a predecessor can have made since the last one whose epoch reached the disk. */
    private static final long UNWRITTEN = 1_000;
    /** A restart takes another port when the registry has not answered by then for the old one. */
    private static final Duration OLD_URL = Duration.ofSeconds(1);

    private final EngineSettings settings;
    private final EventLoop loop;
    private final EventSink events;
    private final EnginePort engine;
    private final ProcessActions process;
    private final WeightLoader loader;
    private final RecordStore<EngineRecord> store;
    private final ReconcileLoop supervisor;
    private final RegistrationReporter registration;
    private final ChangeQueue changes;
    private final ConditionWaits waiters;
    private final Backoff retries = new Backoff(FIRST_RETRY, LONGEST_RETRY);

    private EngineRecord record;
    /** Counts the processes; what is known of a process holds for its number only. */
    private int number;

    private Loaded loaded;
    private boolean releasing;
    private @Nullable Update update;
    private boolean pausedForUpdate;
    private int pausedNumber;
    /** The process that was asked to pause and did not answer: it may do so at any later moment. */
    private int doubtedNumber = -1;

    private boolean probesPaused;
    private @Nullable String problem;
    /** The weights for which a new process was started because it was not known what the old one had. */
    private @Nullable String renewedFor;

    private @Nullable Instant bringAt;
    private Signal.Restrained restrained = new Signal.Restrained(false, false);
    private EventLoop.@Nullable Timer timer;
    private boolean ended;

    /**
     * What the present process has.
     *
     * @param id of the weights; null when it has none, or that is not known
     * @param lost whether it has none: they were released, and loading puts that right
     * @param stray whether a load may still be under way
     */
    private record Loaded(@Nullable String id, @Nullable Weights weights, boolean lost, boolean stray) {
        boolean isUnknown() {
            return id == null && !lost;
        }
    }

    /** An update that has begun and not ended; it ends by itself when its time is over. */
    private record Update(UpdateNotice notice, Instant until) {}

    /**
     * For an engine that does not run.
     *
     * @param groupSize how many engines its group has, unless a predecessor knows another number
     */
    public EngineController(
            EngineSettings settings,
            SupervisionPolicy policy,
            EventLoop loop,
            EventSink events,
            ProcessActions process,
            EnginePort engine,
            RegistryPort registry,
            RecordStore<EngineRecord> store,
            int groupSize,
            boolean inherits) {
        this.settings = settings;
        this.loop = loop;
        this.events = events;
        this.process = process;
        this.engine = engine;
        this.loader = new WeightLoader(engine);
        this.store = store;
        this.changes = new ChangeQueue(loop, (what, why) -> new WorkerFailure(what + ": " + why));
        this.waiters = new ConditionWaits(loop);
        this.record = (inherits ? store.load() : Optional.<EngineRecord>empty())
                .orElseGet(() -> EngineRecord.fresh(groupSize));
        this.loaded = initially();
        this.registration = new RegistrationReporter(
                settings.key(),
                settings.actor(),
                inherits ? record.epoch() + UNWRITTEN : record.epoch(),
                loop,
                registry,
                events,
                this::keepEpoch,
                this::replied);
        this.supervisor = new ReconcileLoop(
                loop,
                new Reconciler("engine", policy, loop::now, events),
                process,
                this::start,
                standing -> standingChanged(standing));
    }

    /** Takes over from a process of the worker that died, if that one had started an engine; to be called once, first. */
    public boolean inherit() {
        boolean started = record.url() != null;
        if (started) {
            Lease drained = record.drained();
            if (drained != null) {
                note(record.withDrain(drained.takenOver(loop.now())));
            }
            // First: no process may start where the memory is lent.
            restrain();
            supervisor.signal(new Signal.Inherited(
                    record.restarts(),
                    record.spentMillis().stream().map(Instant::ofEpochMilli).toList()));
        }
        return started;
    }

    /** The first start, which the caller made, succeeded at this URL. */
    public void adopt(String url) {
        number = Math.max(number, 1);
        note(record.withUrl(url));
        supervisor.signal(new Signal.Adopted());
    }

    /** Takes news of the process, such as that it ended by itself. */
    public void signal(Signal news) {
        supervisor.signal(news);
    }

    private CompletableFuture<Void> start(int incarnation, Consumer<Signal> news) {
        // A router that still works on an earlier registration of this URL would send to the new process before it
        // has the fleet's weights: then it gets another one.
        return waiters.until(registration::isOut, OLD_URL).thenCompose(out -> {
            number++;
            loaded = initially();
            pausedForUpdate = false;
            // What an earlier process could not load has nothing to do with when this one begins to.
            return process.start(incarnation, out, news).thenRun(() -> bringAt = null);
        });
    }

    private Loaded initially() {
        return new Loaded(FleetWeights.INITIAL_ID, settings.initial().get(), false, false);
    }

    private void standingChanged(SupervisionStatus standing) {
        String url = record.url();
        ServerEndpoint endpoint = settings.endpoint().get();
        if (standing.isServing() && endpoint != null) {
            url = endpoint.url();
        }
        if (!(standing.condition() instanceof SupervisionPhase.Idle) && url != null) {
            note(record.withUrl(url).withRestarts(standing.restarts(), standing.spentMillis()));
        }
        step();
    }

    private void keepEpoch(long epoch) {
        note(record.withEpoch(epoch));
    }

    /** As {@link #keep}, and waits for nothing. */
    private void note(EngineRecord now) {
        CompletableFuture<Void> unused = keep(now);
    }

    private CompletableFuture<Void> keep(EngineRecord now) {
        if (ended || now.equals(record)) {
            return CompletableFuture.completedFuture(null);
        }
        record = now;
        return store.save(now);
    }

    // What follows from the state, at each change of it.

    private void step() {
        if (ended) {
            return;
        }
        expire();
        restrain();
        if (!(supervisor.standing().condition() instanceof SupervisionPhase.Idle)) {
            ServerEndpoint endpoint = settings.endpoint().get();
            registration.say(new RegistrationReporter.Statement(whyNot(), endpoint, loaded.id()));
            bringSoon();
        }
        waiters.changed();
    }

    private void restrain() {
        Signal.Restrained now = new Signal.Restrained(
                probesPaused || isHeldBack(), releasing || !record.released().isNothing());
        if (!now.equals(restrained)) {
            restrained = now;
            supervisor.signal(now);
        }
    }

    private void expire() {
        Instant now = loop.now();
        Lease drained = record.drained();
        if (drained != null && !now.isBefore(drained.until())) {
            events.add(EventKind.DRAINED, "the drain was not ended by its caller, and is over: new requests may come");
            note(record.withDrain(null));
        }
        if (update != null && !now.isBefore(update.until())) {
            events.add(
                    EventKind.HELD,
                    "the update (" + update.notice().text() + ") was not ended by its caller, and is over");
            update = null;
        }
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
        Lease draining = record.drained();
        Instant due = Stream.of(
                        draining == null ? Instant.MAX : draining.until(),
                        update == null ? Instant.MAX : update.until(),
                        bringAt == null || !now.isBefore(bringAt) ? Instant.MAX : bringAt)
                .min(Instant::compareTo)
                .orElse(Instant.MAX);
        if (due.isBefore(Instant.MAX)) {
            timer = loop.schedule(Duration.between(now, due), this::step);
        }
    }

    /** Whether probes would need what is held. */
    private boolean isHeldBack() {
        return releasing || !record.released().isNothing() || record.paused() != null || update != null;
    }

    /** Why the engine must get no requests; empty when it may have some. */
    private String whyNot() {
        if (!supervisor.standing().isServing()) {
            return supervisor.standing().describe("engine");
        }
        List<String> held = held();
        if (!held.isEmpty()) {
            return held.get(0);
        }
        if (pausedForUpdate) {
            return "generation is still paused by an update";
        }
        if (isPauseDoubted() && record.paused() == null) {
            return "it is not known whether generation is paused";
        }
        if (isStartedWhilePaused()) {
            return "the engine started while generation is paused";
        }
        return record.fleet().allow(loaded.id())
                ? ""
                : Objects.requireNonNullElse(
                        problem,
                        "the engine does not have the fleet's weights ("
                                + record.fleet().text() + ") yet");
    }

    /** What keeps requests away because a caller wants it. */
    private List<String> held() {
        List<String> held = new ArrayList<>();
        Lease drained = record.drained();
        if (drained != null) {
            held.add("drained until " + drained.until());
        }
        if (releasing || !record.released().isNothing()) {
            held.add(
                    record.released().isNothing()
                            ? "memory is being released"
                            : record.released().text());
        }
        if (update != null) {
            held.add(update.notice().text());
        }
        return held;
    }

    private boolean isPauseDoubted() {
        return doubtedNumber == number;
    }

    private boolean isStartedWhilePaused() {
        return record.paused() != null && pausedNumber != number;
    }

    /** Whether a condition in a worker's status says that generation is paused. */
    public static boolean isPausedText(String condition) {
        return condition.startsWith(PAUSED);
    }

    /** What holds the engine back at the moment, in words. */
    public List<String> conditions() {
        List<String> all = new ArrayList<>(held());
        if (record.paused() != null) {
            all.add(PAUSED + " (" + record.paused().word() + ")"
                    + (isStartedWhilePaused() ? "; the engine started since, and gets no requests until it ends" : ""));
        }
        if (problem != null) {
            all.add(problem);
        } else if (isReadyButForWeights() && !record.fleet().allow(loaded.id())) {
            all.add("does not have the fleet's weights: " + record.fleet().text());
        }
        return all;
    }

    /** Whether the engine runs, and its own worker keeps requests away. */
    public boolean isWithheld() {
        return supervisor.standing().isServing() && !whyNot().isEmpty();
    }

    /** Where the process stands. Safe for use by many threads. */
    public SupervisionStatus standing() {
        return supervisor.standing();
    }

    /** The record of now. */
    public EngineRecord record() {
        return record;
    }

    /** The version of the weights that the engine has; null when that is not known. */
    public @Nullable String weightVersion() {
        return loaded.weights() == null ? null : loaded.weights().version();
    }

    /** The id of the weights that the engine has; null when that is not known. */
    public @Nullable String weightsId() {
        return loaded.id();
    }

    // The registry.

    private void replied(ReportReply reply) {
        adopt(reply.weights());
        step();
    }

    private void adopt(FleetWeights fleet) {
        if (settings.updateWeights() && fleet.generation() > record.fleet().generation()) {
            problem = null;
            renewedFor = null;
            bringAt = null;
            retries.reset();
            note(record.withFleet(fleet));
        }
    }

    /** What a registry must know to register the engine now; a registration with an earlier answer is void once it ended. */
    public ServerEndpoint endpoint() {
        ServerEndpoint endpoint = settings.endpoint().get();
        if (endpoint == null || supervisor.standing().condition() instanceof SupervisionPhase.Idle) {
            throw new WorkerFailure("the engine has no URL: it was not started, or has ended");
        }
        registration.again();
        return endpoint.at(record.epoch());
    }

    /** The registry does not know how the engine stands, or took it off the router's list. */
    public void reportAgain() {
        registration.again();
    }

    // Bringing the engine to the fleet's weights.

    private boolean isReadyButForWeights() {
        return supervisor.standing().isServing()
                && !releasing
                && record.released().isNothing()
                && update == null;
    }

    private void bringSoon() {
        boolean due = bringAt == null || !loop.now().isBefore(bringAt);
        boolean needed = !record.fleet().allow(loaded.id()) || (pausedForUpdate && record.paused() == null);
        if (needed && due && isReadyButForWeights() && !changes.isTaken()) {
            CompletableFuture<Void> unused = changes.alone(
                            "loading the fleet's weights", settings.toLoad(), this::bring)
                    .handle((nothing, failure) -> {
                        if (failure != null) {
                            failedToBring(EventLoop.words(failure));
                        }
                        // In a task of its own: this change has its turn until it returns.
                        loop.execute(this::step);
                        return null;
                    });
        } else if (!needed && problem != null) {
            problem = null;
            retries.reset();
        }
    }

    private void failedToBring(String why) {
        if (!why.equals(problem)) {
            problem = why;
            events.add(EventKind.WEIGHTS, why);
        }
        bringAt = loop.now().plus(retries.next());
    }

    private CompletableFuture<Void> bring(Deadline deadline) {
        return unpause().thenCompose(nothing -> {
            if (record.fleet().allow(loaded.id())) {
                return CompletableFuture.completedFuture(null);
            }
            // It may have served until now: no request may meet the change.
            return awaitOut(deadline.left())
                    .thenCompose(out -> awaitIdle(deadline, 0))
                    .thenCompose(busy -> reload(deadline));
        });
    }

    private CompletableFuture<Void> reload(Deadline deadline) {
        return CompletableFuture.<Void>completedFuture(null).thenCompose(nothing -> {
            FleetWeights fleet = record.fleet();
            if (!isReadyButForWeights() || fleet.allow(loaded.id())) {
                return CompletableFuture.completedFuture(null);
            }
            Weights wanted = fleet.updated() == null ? settings.initial().get() : fleet.updated();
            // A load that was not answered may still be under way in this process, and end at any moment. After one
            // that was, one
            // new process is enough: what it cannot load the next one cannot either.
            if (loaded.stray() || (loaded.isUnknown() && !fleet.id().equals(renewedFor))) {
                renewedFor = fleet.id();
                String why = "it is not known which weights the engine has; a new one starts for " + wanted.text();
                supervisor.signal(new Signal.RestartWanted(why));
                throw new WorkerFailure(why);
            }
            if (wanted.path() == null) {
                throw new WorkerFailure("the fleet has weights of " + wanted.text()
                        + ", which cannot be loaded again: the engine stays out of the router until the next update");
            }
            WeightUpdate again =
                    WeightUpdate.fromDisk(wanted.version(), wanted.path()).withLoadFormat(wanted.loadFormat());
            return load(fleet.id(), again, true, deadline).thenAccept(outcome -> {
                if (!outcome.is(Result.UPDATED)) {
                    throw new WorkerFailure("the engine could not load the fleet's weights, " + wanted.text()
                            + ", and stays out of the router: " + outcome.detail());
                }
                problem = null;
                retries.reset();
            });
        });
    }

    /** No update may leave its pause behind: the router must not send to an engine that generates nothing. */
    private CompletableFuture<Void> unpause() {
        if (!pausedForUpdate
                || record.paused() != null
                || !supervisor.standing().isServing()) {
            return CompletableFuture.completedFuture(null);
        }
        if (isPauseDoubted()) {
            supervisor.signal(new Signal.RestartWanted("the engine did not answer a request to pause"));
            return CompletableFuture.failedFuture(new WorkerFailure("it is not known whether generation is paused"));
        }
        int of = number;
        return engine.post("/continue_generation", Map.of(), QUICK).handle((answer, failure) -> {
            if (of == number) {
                if (failure == null && answer.ok()) {
                    pausedForUpdate = false;
                } else {
                    supervisor.signal(new Signal.RestartWanted("its generation did not continue after an update"));
                    throw new WorkerFailure("generation was paused for an update and does not continue");
                }
            }
            return null;
        });
    }

    private CompletableFuture<UpdateOutcome> load(String id, WeightUpdate wanted, boolean flush, Deadline deadline) {
        int of = number;
        // While the engine loads, and when no answer comes, it is not known what it has.
        Loaded before = loaded;
        loaded = new Loaded(null, null, false, true);
        return loader.load(wanted, flush, deadline).thenApply(load -> {
            UpdateOutcome outcome = load.outcome();
            if (of != number) {
                return UpdateOutcome.of(Result.UNCERTAIN, "the engine's process ended while it loaded");
            }
            if (outcome.is(Result.UPDATED)) {
                loaded = new Loaded(id, wanted.weights(), false, false);
                problem = null;
                events.add(EventKind.WEIGHTS, HAS_WEIGHTS + wanted.weights().text());
            } else {
                loaded = outcome.is(Result.UNCERTAIN) ? new Loaded(null, null, false, load.stray()) : before;
                events.add(
                        EventKind.WEIGHTS, "no weights of " + wanted.weights().text() + ": " + outcome.detail());
            }
            return outcome;
        });
    }

    // Waiting.

    private CompletableFuture<Void> awaitOut(Duration timeout) {
        return waiters.until(registration::isOut, timeout).thenAccept(out -> {
            if (!out) {
                throw new WorkerFailure("no reply from the router's worker within " + text(timeout)
                        + " that the router stopped sending: the engine may still get requests");
            }
        });
    }

    /** Completes with whether the process serves, once it does or cannot start for now; fails when neither happens in time. */
    private CompletableFuture<Boolean> awaitSettled(Deadline deadline) {
        return waiters.until(
                        () -> standing().isServing()
                                || standing().isLost()
                                || standing().startBlocked(),
                        deadline.left())
                .thenApply(settled -> {
                    if (!settled) {
                        throw new WorkerFailure("the engine was still starting after " + deadline.text()
                                + ", and a process that starts takes memory; nothing was changed");
                    }
                    return standing().isServing();
                });
    }

    private boolean isServedOrHeld() {
        return registration.isServed() || !held().isEmpty() || isStartedWhilePaused() || problem != null;
    }

    /** Completes with the number of requests that the engine has, once it has none or when the time is over. */
    private CompletableFuture<OptionalInt> awaitIdle(Deadline deadline, int idleBefore) {
        return engine.requests(deadline.left().compareTo(QUICK) < 0 ? deadline.left() : QUICK)
                .thenCompose(busy -> {
                    // Twice in a row, because one that the router had let through may be on its way.
                    int idle = busy.isPresent() && busy.getAsInt() == 0 ? idleBefore + 1 : 0;
                    if (busy.isEmpty() || idle >= 2 || deadline.isOver()) {
                        return CompletableFuture.completedFuture(busy);
                    }
                    return loop.after(LOOK).thenCompose(nothing -> awaitIdle(deadline, idle));
                });
    }

    /** Completes when the engine has no requests; fails with words when it has some at the end, or cannot tell. */
    private CompletableFuture<Void> requireIdle(Deadline deadline, String consequence) {
        return awaitIdle(deadline, 0).thenAccept(busy -> {
            if (busy.isEmpty() && record.paused() == null) {
                throw new WorkerFailure("the engine has no /v1/loads, so it is not known whether it has requests; "
                        + consequence + ". Pause the generation first (pauseGeneration with ABORT)");
            }
            if (busy.isPresent() && busy.getAsInt() > 0) {
                throw new WorkerFailure("the engine still has " + busy.getAsInt() + " request(s) after "
                        + deadline.text() + "; " + consequence
                        + ". Wait for them, abort them, or pause the generation first");
            }
        });
    }

    /** Fails with what came instead, unless the engine did what it was asked to do. */
    private static void requireDone(
            String path, EnginePort.Answer answer, @Nullable Throwable failure, Deadline deadline) {
        if (failure != null) {
            throw new WorkerFailure("the engine did not answer " + path + " within " + deadline.text() + ": "
                    + EventLoop.words(failure));
        }
        if (!answer.ok()) {
            throw new WorkerFailure("the engine answered " + path + " with " + answer.text());
        }
    }

    /** Completes when requests come, or something keeps them away; a failure begins with these words. */
    private CompletableFuture<Boolean> awaitServedOrOut(Duration left, String late, Duration timeout) {
        return inTime(waiters.until(() -> registration.isServed() || registration.isOut(), left), late, timeout);
    }

    private static CompletableFuture<Boolean> inTime(CompletableFuture<Boolean> waited, String late, Duration timeout) {
        return waited.thenApply(done -> {
            if (!done) {
                throw new WorkerFailure(late + " within " + text(timeout) + "; its worker retries");
            }
            return true;
        });
    }

    private static CompletableFuture<UpdateOutcome> outcome(Result result, String detail) {
        return CompletableFuture.completedFuture(UpdateOutcome.of(result, detail));
    }

    private static String text(Duration time) {
        return time.toMillis() / 1000.0 + " s";
    }

    // What callers ask for. Each future completes when it is done and true.

    /**
     * Keeps new requests away and waits for those that the engine has.
     *
     * @param lease after this the drain ends by itself
     * @return how many it still has when the time is over; -1 when the engine cannot tell
     */
    public CompletableFuture<Integer> drain(Duration timeout, Duration lease) {
        Deadline deadline = Deadline.in(loop, timeout);
        CompletableFuture<Void> kept = keep(record.withDrain(Lease.begin(loop.now(), lease)));
        events.add(EventKind.DRAINED, DRAIN_BEGINS);
        step();
        return kept.thenCompose(nothing -> awaitOut(deadline.left())).thenCompose(out -> drained(number, deadline));
    }

    /** As {@link #awaitIdle}, for one process; its requests end with it. */
    private CompletableFuture<Integer> drained(int of, Deadline deadline) {
        if (hasEnded(of)) {
            return CompletableFuture.completedFuture(0);
        }
        return awaitIdle(deadline, 0)
                .thenApply(busy -> busy.orElse(-1))
                // It may have ended, which is known in a moment.
                .exceptionallyCompose(failure -> deadline.isOver()
                        ? CompletableFuture.failedFuture(failure)
                        : loop.after(LOOK).thenCompose(nothing -> drained(of, deadline)));
    }

    /** Lets new requests come again; completes when they do, or when something else keeps them away. */
    public CompletableFuture<Boolean> undrain(Duration timeout) {
        if (record.drained() != null) {
            events.add(EventKind.DRAINED, "new requests may come again");
        }
        return keep(record.withDrain(null)).thenCompose(nothing -> {
            step();
            return awaitServedOrOut(timeout, "the engine was not back in the router", timeout);
        });
    }

    /** Releases what is not released yet of these tags; no tags mean all. */
    public CompletableFuture<Boolean> release(List<String> tags, Duration timeout) {
        return changes.alone("releaseMemory", timeout, deadline -> {
            settings.releaseRefusal().get().ifPresent(why -> {
                throw new WorkerFailure(why);
            });
            ReleasedMemory before = record.released();
            if (before.uncertain()) {
                throw new WorkerFailure("an earlier answer was lost, so it is not known what is released;"
                        + " resumeMemory puts that right, by a new process");
            }
            List<String> missing = (tags.isEmpty() ? ReleasedMemory.ALL : tags)
                    .stream().filter(tag -> !before.tags().contains(tag)).toList();
            if (missing.isEmpty()) {
                return CompletableFuture.completedFuture(true);
            }
            if (update != null) {
                throw new WorkerFailure(
                        "an update is under way: " + update.notice().text());
            }
            releasing = true;
            events.add(EventKind.HELD, "memory is being released: " + String.join(", ", missing));
            step();
            return awaitOut(deadline.left())
                    .thenCompose(out -> awaitSettled(deadline))
                    .thenCompose(serving -> serving
                            ? requireIdle(deadline, "nothing was released")
                                    .thenCompose(idle -> release(before, missing, tags.isEmpty(), deadline))
                            // There is no process, so it has no memory, and none starts before the resume.
                            : keep(record.withReleased(new ReleasedMemory(joined(before.tags(), missing), false))))
                    .handle((nothing, failure) -> {
                        releasing = false;
                        loop.execute(this::step);
                        if (failure != null) {
                            throw new WorkerFailure(EventLoop.words(failure));
                        }
                        return true;
                    });
        });
    }

    private CompletableFuture<Void> release(
            ReleasedMemory before, List<String> missing, boolean all, Deadline deadline) {
        int of = number;
        List<String> together = joined(before.tags(), missing);
        // Written down before it is asked for: a successor must not start an engine where the memory may be gone.
        return keep(record.withReleased(new ReleasedMemory(together, true)))
                .thenCompose(kept -> post("release", all && before.tags().isEmpty(), missing, deadline))
                // A connection that ends may be the first sign of the process's end.
                .exceptionallyCompose(failure -> waiters.until(() -> hasEnded(of), KNOWN)
                        .thenCompose(ended -> CompletableFuture.failedFuture(failure)))
                .handle((answer, failure) -> {
                    if (hasEnded(of)) {
                        // The process ended, and its memory with it.
                        return new ReleasedMemory(together, false);
                    }
                    if (failure != null) {
                        throw new WorkerFailure(lost("/release_memory_occupation", deadline, failure));
                    }
                    if (!answer.ok()) {
                        note(record.withReleased(before));
                    }
                    requireDone("/release_memory_occupation", answer, null, deadline);
                    if (missing.contains("weights") && !settings.keepsWeights()) {
                        loaded = new Loaded(null, null, true, loaded.stray());
                    }
                    return new ReleasedMemory(together, false);
                })
                .thenCompose(after -> keep(record.withReleased(after)));
    }

    private boolean hasEnded(int of) {
        return of != number || !standing().isServing();
    }

    private static String lost(String path, Deadline deadline, Throwable failure) {
        return "the engine did not answer " + path + " within " + deadline.text() + " (" + EventLoop.words(failure)
                + "), so it is not known what it has released; resumeMemory puts that right, by a new process";
    }

    private static List<String> joined(List<String> first, List<String> second) {
        return Stream.concat(first.stream(), second.stream()).toList();
    }

    private CompletableFuture<EnginePort.Answer> post(String verb, boolean all, List<String> tags, Deadline deadline) {
        return engine.post("/" + verb + "_memory_occupation", all ? Map.of() : Map.of("tags", tags), deadline.left());
    }

    /**
     * Takes back what is released of these tags; no tags mean all. When all memory is back the engine gets requests again, once it
     * has its fleet's weights: an engine without a copy of released weights loads them from disk, or waits for an update.
     */
    public CompletableFuture<Boolean> resume(List<String> tags, Duration timeout) {
        Deadline whole = Deadline.in(loop, timeout);
        return changes.alone("resumeMemory", timeout, deadline -> {
                    ReleasedMemory before = record.released();
                    List<String> back = before.tags().stream()
                            .filter(tag -> tags.isEmpty() || tags.contains(tag))
                            .toList();
                    if (before.uncertain()) {
                        supervisor.signal(new Signal.RestartWanted("what it has released is not known"));
                        return keep(record.withReleased(ReleasedMemory.NOTHING));
                    }
                    if (back.isEmpty()) {
                        return CompletableFuture.<Void>completedFuture(null);
                    }
                    return awaitSettled(deadline)
                            .thenCompose(serving -> serving
                                    ? resume(before, back, deadline)
                                    // A new process takes all of the memory.
                                    : keep(record.withReleased(ReleasedMemory.NOTHING)));
                })
                .thenCompose(nothing -> {
                    events.add(
                            EventKind.HELD,
                            record.released().isNothing()
                                    ? "all memory is back"
                                    : record.released().text());
                    step();
                    return inTime(
                            waiters.until(() -> isServedOrHeld() || standing().isLost(), whole.left()),
                            "the engine has its memory, but was not back in the router",
                            timeout);
                });
    }

    private CompletableFuture<Void> resume(ReleasedMemory before, List<String> back, Deadline deadline) {
        int of = number;
        return post("resume", back.equals(ReleasedMemory.ALL), back, deadline)
                .handle((answer, failure) -> {
                    if (of != number || !standing().isServing()) {
                        return ReleasedMemory.NOTHING;
                    }
                    if (failure != null) {
                        note(record.withReleased(new ReleasedMemory(before.tags(), true)));
                        throw new WorkerFailure(lost("/resume_memory_occupation", deadline, failure));
                    }
                    requireDone("/resume_memory_occupation", answer, null, deadline);
                    List<String> still = new ArrayList<>(before.tags());
                    still.removeAll(back);
                    return new ReleasedMemory(still, false);
                })
                .thenCompose(after -> keep(record.withReleased(after)));
    }

    /** Stops generation. The router still sends to the engine: requests wait inside it. */
    public CompletableFuture<Boolean> pause(PauseMode mode, Duration timeout) {
        return changes.alone("pauseGeneration", timeout, deadline -> {
            PauseMode before = record.paused();
            int beforeNumber = pausedNumber;
            events.add(EventKind.HELD, "generation paused (" + mode.word() + ")");
            return keep(record.withPaused(mode)).thenCompose(kept -> {
                int of = number;
                if (!standing().isServing()) {
                    // A process that starts meanwhile gets no requests before the pause ends.
                    pausedNumber = -1;
                    step();
                    return CompletableFuture.completedFuture(true);
                }
                // It may pause at any moment from now on, and requests wait inside it then.
                pausedNumber = of;
                step();
                return engine.post("/pause_generation", Map.of("mode", mode.word()), deadline.left())
                        .handle((answer, failure) -> {
                            if (failure == null && !answer.ok() && of == number) {
                                note(record.withPaused(before));
                                pausedNumber = beforeNumber;
                            } else if (of == number && failure != null) {
                                doubtedNumber = of;
                            }
                            loop.execute(this::step);
                            requireDone("/pause_generation", answer, failure, deadline);
                            return true;
                        });
            });
        });
    }

    /** Lets generation continue. */
    public CompletableFuture<Boolean> continueGeneration(Duration timeout) {
        Deadline whole = Deadline.in(loop, timeout);
        return changes.alone("continueGeneration", timeout, deadline -> {
                    if (isPauseDoubted() && standing().isServing()) {
                        pausedForUpdate = false;
                        supervisor.signal(new Signal.RestartWanted("the engine did not answer a request to pause"));
                    }
                    CompletableFuture<Void> asked = standing().isServing()
                            ? engine.post("/continue_generation", Map.of(), deadline.left())
                                    .handle((answer, failure) -> {
                                        requireDone("/continue_generation", answer, failure, deadline);
                                        pausedForUpdate = false;
                                        return null;
                                    })
                            : CompletableFuture.completedFuture(null);
                    return asked.thenCompose(nothing -> keep(record.withPaused(null)));
                })
                .thenCompose(nothing -> {
                    events.add(EventKind.HELD, "generation continues");
                    step();
                    return awaitServedOrOut(whole.left(), "the engine generates, but was not in the router", timeout);
                });
    }

    /** READY, ABSENT, REFUSED or FROZEN. Once ready or absent, no requests come until {@link #settle} or the end of the lease. */
    public CompletableFuture<UpdateOutcome> prepare(UpdateNotice notice, Duration timeout, Duration lease) {
        if (!settings.updateWeights()) {
            return outcome(Result.FROZEN, "");
        }
        return changes.alone("prepareUpdate", timeout, deadline -> {
            Optional<String> obstacle = obstacle(notice);
            if (obstacle.isPresent()) {
                return outcome(Result.REFUSED, obstacle.get());
            }
            update = new Update(notice, loop.now().plus(lease));
            events.add(EventKind.HELD, notice.text());
            step();
            if (!standing().isServing()) {
                return outcome(Result.ABSENT, standing().describe("engine"));
            }
            return awaitOut(deadline.left())
                    .thenCompose(out -> standing().isServing()
                            ? quieten(notice.inFlight(), deadline)
                            : CompletableFuture.completedFuture(null))
                    .handle((nothing, failure) -> {
                        if (failure == null) {
                            return standing().isServing()
                                    ? UpdateOutcome.of(Result.READY, "")
                                    : UpdateOutcome.of(Result.ABSENT, standing().describe("engine"));
                        }
                        // What is still paused then continues before the registry hears of it.
                        endUpdate(notice.id());
                        return UpdateOutcome.of(Result.REFUSED, EventLoop.words(failure));
                    });
        });
    }

    private void endUpdate(String id) {
        if (update != null && update.notice().id().equals(id)) {
            events.add(EventKind.HELD, "no longer: " + update.notice().text());
            update = null;
        }
        loop.execute(this::step);
    }

    private Optional<String> obstacle(UpdateNotice notice) {
        if (update != null && !update.notice().id().equals(notice.id())) {
            return Optional.of("another update is under way: " + update.notice().text());
        }
        if (record.released().tags().contains("weights") || record.released().uncertain()) {
            return Optional.of("the memory of the engine's weights is released; resume it first (resumeMemory)");
        }
        return settings.updateRefusal().apply(notice.path());
    }

    /** Completes when there is nothing that an update would meet. */
    private CompletableFuture<Void> quieten(InFlightPolicy fate, Deadline deadline) {
        if (record.paused() != null && !isStartedWhilePaused()) {
            // The caller that paused has decided what becomes of the requests.
            return CompletableFuture.completedFuture(null);
        }
        if (fate == InFlightPolicy.RETRACT || fate == InFlightPolicy.IN_PLACE) {
            pausedForUpdate = true;
            PauseMode mode = fate == InFlightPolicy.RETRACT ? PauseMode.RETRACT : PauseMode.IN_PLACE;
            int of = number;
            return engine.post("/pause_generation", Map.of("mode", mode.word()), deadline.left())
                    .handle((answer, failure) -> {
                        if (failure != null) {
                            doubtedNumber = of;
                        }
                        requireDone("/pause_generation", answer, failure, deadline);
                        return null;
                    });
        }
        CompletableFuture<?> aborted = fate == InFlightPolicy.ABORT
                ? engine.post("/abort_request", Map.of("rid", "", "abort_all", true), QUICK)
                : CompletableFuture.completedFuture(null);
        return aborted.thenCompose(nothing -> requireIdle(deadline, "nothing was updated"));
    }

    /** UPDATED, REFUSED, UNCERTAIN or ABSENT. The engine stays without requests. */
    public CompletableFuture<UpdateOutcome> apply(String id, WeightUpdate wanted, Duration timeout) {
        return changes.alone("applyUpdate", timeout, deadline -> {
            if (update == null || !update.notice().id().equals(id)) {
                return outcome(Result.ABSENT, "its worker was started again, or waited too long for the update");
            }
            if (!standing().isServing()) {
                return outcome(Result.ABSENT, standing().describe("engine"));
            }
            if (loaded.stray()) {
                // It could put its weights over these at any moment. A new process will have the fleet's.
                return outcome(
                        Result.ABSENT, "an earlier load was not answered and may still be under way in the engine");
            }
            return load(id, wanted, !keepsCache(wanted), deadline);
        });
    }

    /** A cache cannot be emptied while requests hold on to it. */
    private boolean keepsCache(WeightUpdate wanted) {
        return record.paused() != null
                ? record.paused() == PauseMode.IN_PLACE
                : wanted.inFlight() == InFlightPolicy.IN_PLACE;
    }

    /**
     * An update is over, and the fleet has these weights. An engine that has them is back in the router when this completes; any
     * other is brought to them first, which is not waited for.
     *
     * @param id what the update was to bring
     * @return what keeps the engine from serving with them, in words; empty for nothing
     */
    public CompletableFuture<String> settle(FleetWeights fleet, String id, Duration timeout) {
        if (!settings.updateWeights()) {
            return CompletableFuture.completedFuture("");
        }
        Deadline whole = Deadline.in(loop, timeout);
        return changes.alone("settleUpdate", timeout, deadline -> {
                    if (update != null && !update.notice().id().equals(id)) {
                        return CompletableFuture.completedFuture("another update is under way: "
                                + update.notice().text());
                    }
                    adopt(fleet);
                    if (update != null) {
                        events.add(
                                EventKind.HELD, "no longer: " + update.notice().text());
                        update = null;
                    }
                    return unpause().handle((nothing, failure) -> "");
                })
                .thenCompose(other -> {
                    step();
                    if (!other.isEmpty()) {
                        return CompletableFuture.completedFuture(other);
                    }
                    if (!record.fleet().allow(loaded.id())) {
                        return CompletableFuture.completedFuture(
                                "is being brought to " + record.fleet().text());
                    }
                    return awaitServedOrOut(
                                    whole.left(), "the engine has the weights, but was not back in the router", timeout)
                            .thenApply(back -> whyNot());
                });
    }

    /** Stops probes, or starts them again. */
    public void pauseProbes(boolean paused) {
        probesPaused = paused;
        events.add(EventKind.PROBES_PAUSED, paused ? "probes are paused" : "probes continue");
        step();
    }

    /** The group has so many engines from now on. */
    public CompletableFuture<Void> resize(int engines) {
        return keep(record.withGroupSize(engines));
    }

    /** Replaces the process; completes when the new one serves, and the router sends to it unless something is held. */
    public CompletableFuture<Boolean> restart(String why, Duration timeout) {
        SupervisionStatus before = standing();
        // A process that is starting is as new as was asked for.
        int wanted = before.incarnation() + (before.condition() instanceof SupervisionPhase.Starting ? 0 : 1);
        supervisor.signal(new Signal.RestartWanted(why));
        return waiters.until(
                        () -> standing().incarnation() >= wanted
                                && (standing().isLost() || (standing().isServing() && isServedOrHeld())),
                        timeout)
                .thenApply(done -> {
                    if (standing().isLost()) {
                        throw new WorkerFailure(
                                "the engine did not come back: " + standing().describe("engine"));
                    }
                    if (!done) {
                        throw new WorkerFailure("the engine did not come back within " + text(timeout)
                                + (standing().lastError() == null
                                        ? ""
                                        : "; the last error: " + standing().lastError()));
                    }
                    return true;
                });
    }

    /** Completes when the engine, right after its first start, has its fleet's weights; fails with why it cannot have them. */
    public CompletableFuture<Boolean> awaitFleetWeights(Duration forAnswer) {
        return waiters.until(registration::isAnswered, forAnswer)
                .thenCompose(answered -> waiters.until(
                        () -> record.fleet().allow(loaded.id())
                                || problem != null
                                || !standing().isServing(),
                        settings.toLoad()))
                .thenApply(known -> {
                    if (problem != null) {
                        throw new WorkerFailure(problem);
                    }
                    return true;
                });
    }

    /** Whether the router is known to send to the engine, or to have nothing to do with it. */
    public boolean isServed() {
        return registration.isServed();
    }

    /** Ends the decisions for good; nothing is left for a successor. The process is the caller's to end. */
    public void end() {
        if (!ended) {
            supervisor.stop();
            registration.end();
            ended = true;
            if (timer != null) {
                timer.cancel();
            }
            store.delete();
        }
    }
}
