/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.gang;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.bridge.PortAllocator;
import dev.sglangray.workers.StandIn;
import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.node.DeviceLocks;
import dev.sglangray.workers.node.SharedFolder;
import dev.sglangray.workers.node.WorkerNode;
import dev.sglangray.workers.process.ExitListener;
import dev.sglangray.workers.process.Incarnation;
import dev.sglangray.workers.process.PartSpec;
import dev.sglangray.workers.process.ProcessFactory;
import dev.sglangray.workers.process.ProcessStarter;
import dev.sglangray.workers.process.ServerProcess;
import dev.sglangray.workers.process.ServerSpec;
import dev.sglangray.workers.process.TryAgainException;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.protocol.WorkerState;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An engine of three parts, whose processes do what the test says. */
@Timeout(60)
class GangProcessTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    @TempDir
    Path folder;

    private final ThreadLoop loop = new ThreadLoop("gang", InstantSource.system());
    private final List<Part> parts = new ArrayList<>();
    private final List<Fake> made = new CopyOnWriteArrayList<>();
    private final BlockingQueue<String> exits = new LinkedBlockingQueue<>();
    private final List<Integer> absolved = new CopyOnWriteArrayList<>();
    private int fails = -1;
    private int diesAsItServes = -1;
    private final AtomicInteger triesAgain = new AtomicInteger();

    @BeforeEach
    void threeParts() {
        parts.add(new Part(1));
        parts.add(new Part(2));
    }

    @AfterEach
    void close() {
        made.forEach(process -> process.shutdown(Duration.ZERO));
        loop.close();
    }

    @Test
    void allPartsStartWithOneMeetingPoint() {
        GangProcess gang = gang();
        assertThat(gang.start(listener())).isEqualTo("http://10.0.0.1:1");
        assertThat(made).hasSize(3);
        Object meeting = args(0).get("dist_init_addr");
        assertThat(String.valueOf(meeting)).startsWith("10.0.0.1:");
        for (int part = 0; part < 3; part++) {
            assertThat(args(part))
                    .containsEntry("nnodes", 3)
                    .containsEntry("node_rank", part)
                    .containsEntry("dist_init_addr", meeting);
        }
        assertThat(process(1).spec.actorName()).isEqualTo("engines:1/1");
        assertThat(process(2).spec.plannedDevices()).containsExactly("2");
        assertThat(gang.isHealthy()).isTrue();
        assertThat(gang.snapshot().state()).isEqualTo(WorkerState.READY);
        assertThat(gang.snapshot().parts()).extracting(part -> part.nodeIp()).containsExactly("10.0.0.2", "10.0.0.3");
        assertThat(gang.logTail(5)).contains("part 0 on 10.0.0.1", "log of 1", "part 2 on 10.0.0.3", "log of 2");
        gang.shutdown(SECOND);
        assertThat(made).allMatch(process -> process.ended);
        assertThat(exits).as("an end that was asked for").isEmpty();
    }

    @Test
    void aPartThatDoesNotStartEndsAllWithTheLogsOfAll() {
        fails = 2;
        assertThatThrownBy(() -> gang().start(listener()))
                .isInstanceOf(WorkerFailure.class)
                .hasMessageContaining("part 2 on 10.0.0.3: it ran out of memory")
                .hasMessageContaining("part 0 on 10.0.0.1:\n  log of 0")
                .hasMessageContaining("part 1 on 10.0.0.2:\n  log of 1");
        assertThat(made).hasSize(3).allMatch(process -> process.ended);
    }

    @Test
    void partZeroThatDoesNotStartEndsTheOthers() {
        fails = 0;
        assertThatThrownBy(() -> gang().start(listener()))
                .hasMessageContaining("it ran out of memory")
                .hasMessageContaining("log of 1");
        assertThat(made).allMatch(process -> process.ended);
    }

    @Test
    void theEndOfAnyPartIsTheEndOfTheEngine() throws InterruptedException {
        for (int victim = 0; victim < 3; victim++) {
            made.clear();
            GangProcess gang = gang();
            gang.start(listener());
            process(victim).dies("killed by signal 9");
            assertThat(exits.poll(30, TimeUnit.SECONDS)).contains("killed by signal 9");
            gang.shutdown(SECOND);
            assertThat(made).allMatch(process -> process.ended);
            assertThat(gang.isHealthy()).isFalse();
            assertThat(exits).as("told once").isEmpty();
        }
    }

    @Test
    void aPartThatEndsAsPartZeroBecomesHealthyBreaksTheStart() {
        for (int i = 0; i < 50; i++) {
            made.clear();
            diesAsItServes = 1 + i % 2;
            GangProcess gang = gang();
            boolean served;
            try {
                gang.start(listener());
                served = true;
            } catch (WorkerFailure e) {
                assertThat(e).hasMessageContaining("killed as it was ready");
                served = false;
            }
            if (served) {
                assertThat(poll())
                        .as("an engine without a part does not serve in silence")
                        .contains("killed as it was ready");
            }
            gang.shutdown(SECOND);
            assertThat(made).allMatch(process -> process.ended);
            assertThat(exits).isEmpty();
        }
    }

    private String poll() {
        try {
            return String.valueOf(exits.poll(30, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aLostPortLetsAllPartsStartAgainAtAnotherMeetingPoint() {
        triesAgain.set(2);
        GangProcess gang = gang();
        gang.start(listener());
        assertThat(made).hasSize(9);
        assertThat(made.stream()
                        .map(process -> process.spec.serverArgs().get("dist_init_addr"))
                        .distinct())
                .hasSize(3);
        assertThat(absolved).as("part 1 is to blame").contains(2).doesNotContain(1);
        gang.shutdown(SECOND);
    }

    @Test
    void aFailureToTheEndAbsolvesAll() {
        triesAgain.set(100);
        assertThatThrownBy(() -> gang().start(listener()))
                .hasMessageContaining("part 1 on 10.0.0.2: its port was taken");
        assertThat(made).hasSize(12).allMatch(process -> process.ended);
        assertThat(absolved).contains(1, 2);
    }

    @Test
    void theLogOfThePartThatEndedIsTold() throws InterruptedException {
        GangProcess gang = gang();
        BlockingQueue<String> explained = new LinkedBlockingQueue<>();
        gang.start(new ExitListener() {
            @Override
            public void ended(boolean clean, String why) {
                exits.add(why);
            }

            @Override
            public void explained(String why) {
                explained.add(why);
            }
        });
        process(2).dies("killed by signal 9");
        assertThat(explained.poll(30, TimeUnit.SECONDS))
                .contains("part 2 on 10.0.0.3", "log of 0", "log of 1", "log of 2");
        gang.shutdown(SECOND);
    }

    @Test
    void aWorkerThatDoesNotAnswerForAMomentIsNoEnd() {
        GangProcess gang = gang();
        parts.get(0).silent.set(3);
        gang.start(listener());
        assertThat(gang.isHealthy()).isTrue();
        assertThat(exits).isEmpty();
        gang.shutdown(SECOND);
    }

    @Test
    void anEndThatOvertakesItsHoldIsKept() {
        PartProcess part = parts.get(0).process;
        assertThat(part.end("late", SECOND, false)).isTrue();
        ServerSpec spec = spec().meetingAt("10.0.0.1:5", null).part(1);
        assertThatThrownBy(() -> part.hold("late", spec, SECOND)).hasMessageContaining("was ended");
    }

    @Test
    void aWorkerThatIsGoneIsTheEndOfTheEngine() throws InterruptedException {
        GangProcess gang = gang();
        gang.start(listener());
        parts.get(0).gone = true;
        process(1).dies("its worker was killed, and it with it");
        assertThat(exits.poll(30, TimeUnit.SECONDS)).contains("part 1 on 10.0.0.2: its worker is gone");
        gang.shutdown(SECOND);
        assertThat(process(2).ended).isTrue();
    }

    @Test
    void partsOfOneMachineWithOneSharedMemoryAreRefused() {
        parts.get(1).facts = PartFacts.here();
        assertThatThrownBy(() -> gang().start(listener()))
                .hasMessageContaining("nodes 10.0.0.3 and 10.0.0.1 are one machine with one /dev/shm");
        assertThat(made).noneMatch(process -> process.started);
    }

    @Test
    void anEndWhileItStartsEndsAllParts() throws Exception {
        fails = 3;
        GangProcess gang = gang();
        CompletableFuture<String> start = CompletableFuture.supplyAsync(() -> gang.start(listener()));
        while (made.size() < 3 || !made.stream().allMatch(process -> process.started)) {
            assertThat(start).isNotDone();
            Thread.onSpinWait();
        }
        gang.shutdown(SECOND);
        assertThat(start)
                .failsWithin(Duration.ofSeconds(30))
                .withThrowableThat()
                .withMessageContaining("aborted by a shutdown");
        assertThat(made).allMatch(process -> process.ended);
    }

    @Test
    void aPartWhoseEngineAsksForNothingEndsByItself() throws InterruptedException {
        Part part = new Part(1, Duration.ofMillis(400));
        ServerSpec spec = spec().meetingAt("10.0.0.1:5", null).part(1);
        part.process.hold("k", spec, SECOND);
        part.process.start("k", spec, Incarnation.FIRST);
        PartState state = part.process.await("k", PartState.Phase.STARTING);
        assertThat(state.phase()).isEqualTo(PartState.Phase.READY);
        assertThat(made.get(0).end.await(30, TimeUnit.SECONDS)).isTrue();
        assertThat(part.process.await("k", PartState.Phase.READY).why()).contains("asked for nothing");
    }

    @Test
    void aLaterStartEndsWhatIsLeftOfAnEarlierOne() {
        PartProcess part = parts.get(0).process;
        ServerSpec spec = spec().meetingAt("10.0.0.1:5", null).part(1);
        part.hold("first", spec, SECOND);
        part.start("first", spec, Incarnation.FIRST);
        part.hold("second", spec, SECOND);
        assertThat(made.get(0).ended).isTrue();
        assertThat(part.await("first", PartState.Phase.READY).phase()).isEqualTo(PartState.Phase.ENDED);
        assertThatThrownBy(() -> part.start("first", spec, Incarnation.FIRST)).hasMessageContaining("aborted");
        assertThat(part.start("second", spec, Incarnation.FIRST)).isTrue();
        assertThat(part.end("first", SECOND, false)).isTrue();
        assertThat(made.get(1).ended)
                .as("the key of an earlier start has no effect")
                .isFalse();
    }

    private Fake process(int part) {
        return made.stream()
                .filter(one -> one.spec.number() == part)
                .findFirst()
                .orElseThrow();
    }

    private Map<String, Object> args(int part) {
        return process(part).spec.serverArgs();
    }

    private ServerSpec spec() {
        return StandIn.spanning(
                Map.of(),
                IntStream.of(2, 3)
                        .mapToObj(node -> new PartSpec(
                                "10.0.0." + node,
                                Map.of(),
                                null,
                                "CUDA_VISIBLE_DEVICES",
                                List.of("" + (node - 1)),
                                null))
                        .toList());
    }

    private ProcessFactory kit(String ip) {
        WorkerNode node = new WorkerNode("id", ip, List.of(), folder);
        return new ProcessFactory(
                node,
                new PortAllocator(),
                new DeviceLocks(folder.resolve(ip), new SharedFolder(folder, "shared")),
                folder,
                Map.of());
    }

    private GangProcess gang() {
        return new GangProcess(
                spec(), kit("10.0.0.1"), Fake::new, ProcessStarter.PROGRAM, parts, loop, Incarnation.FIRST);
    }

    private ExitListener listener() {
        return (clean, why) -> exits.add(why);
    }

    /** A worker of a further part, in this process. */
    private final class Part implements PartPort {
        final int number;
        final PartProcess process;
        PartFacts facts = new PartFacts("");
        volatile boolean gone;
        final AtomicInteger silent = new AtomicInteger();

        Part(int number) {
            this(number, PartProcess.LEASE);
        }

        Part(int number, Duration lease) {
            this.number = number;
            this.process = new PartProcess(kit(node(number)), Fake::new, ProcessStarter.PROGRAM, loop, lease);
        }

        private static String node(int number) {
            return "10.0.0." + (number + 1);
        }

        private <T> CompletableFuture<T> call(Supplier<T> method) {
            return CompletableFuture.supplyAsync(
                    () -> {
                        if (gone) {
                            throw new PartLostException("its process was killed");
                        }
                        T answer = method.get();
                        if (gone) {
                            throw new PartLostException("its process was killed");
                        }
                        return answer;
                    },
                    task -> {
                        Thread thread = new Thread(task, "part-" + number);
                        thread.setDaemon(true);
                        thread.start();
                    });
        }

        @Override
        public int number() {
            return number;
        }

        @Override
        public String node() {
            return node(number);
        }

        @Override
        public CompletableFuture<PartFacts> open(ServerSpec spec, Duration patience, CompletableFuture<?> abort) {
            return call(() -> facts);
        }

        @Override
        public CompletableFuture<Boolean> hold(String key, ServerSpec spec, Duration patience) {
            return call(() -> process.hold(key, spec, patience));
        }

        @Override
        public CompletableFuture<Boolean> start(String key, ServerSpec spec, Incarnation incarnation) {
            return call(() -> process.start(key, spec, incarnation));
        }

        @Override
        public CompletableFuture<PartState> await(String key, PartState.Phase known) {
            if (silent.getAndDecrement() > 0) {
                return CompletableFuture.failedFuture(new WorkerFailure("no answer"));
            }
            return call(() -> process.await(key, known));
        }

        @Override
        public CompletableFuture<Boolean> end(String key, Duration grace, boolean absolve) {
            if (absolve) {
                absolved.add(number);
            }
            return call(() -> process.end(key, grace, absolve));
        }

        @Override
        public CompletableFuture<String> logTail(int lines) {
            return call(() -> process.logTail(lines));
        }

        @Override
        public CompletableFuture<Boolean> shutdown() {
            return call(() -> {
                process.shutdown(SECOND);
                return true;
            });
        }
    }

    /** A process of a part: healthy at once, unless the test says otherwise. */
    private final class Fake implements ServerProcess {
        final ServerSpec spec;
        final CountDownLatch end = new CountDownLatch(1);
        volatile boolean started;
        volatile boolean ended;
        private volatile @Nullable ExitListener listener;

        Fake(ServerSpec spec, Incarnation incarnation) {
            this.spec = spec;
            if (spec.serverArgs().containsKey("dist_init_addr")) {
                made.add(this);
            }
        }

        @Override
        public String start(ExitListener exits) {
            listener = exits;
            started = true;
            boolean waits = fails >= 0 && fails != spec.number();
            if (fails == spec.number()) {
                throw new WorkerFailure("it ran out of memory");
            }
            if (spec.number() == 1 && triesAgain.getAndDecrement() > 0) {
                throw new TryAgainException("its port was taken", true);
            }
            if (diesAsItServes == spec.number()) {
                Thread death = new Thread(() -> dies("killed as it was ready"), "death");
                death.setDaemon(true);
                death.start();
            }
            if (waits) {
                // For the peer that does not come.
                awaitEnd();
                throw new WorkerFailure("it was ended");
            }
            return url();
        }

        private void awaitEnd() {
            try {
                end.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        void dies(String why) {
            Objects.requireNonNull(listener).ended(false, why);
            ended = true;
            end.countDown();
        }

        @Override
        public String url() {
            return "http://10.0.0." + (spec.number() + 1) + ":1";
        }

        @Override
        public boolean isHealthy() {
            return started && !ended;
        }

        @Override
        public String logTail(int lines) {
            return "log of " + spec.number();
        }

        @Override
        public void shutdown(Duration grace) {
            ended = true;
            end.countDown();
        }

        @Override
        public Snapshot snapshot() {
            return new Snapshot(
                    ended ? WorkerState.STOPPED : started ? WorkerState.READY : WorkerState.NEW,
                    url(),
                    null,
                    null,
                    null,
                    null,
                    null,
                    List.of(),
                    List.of(),
                    null);
        }
    }
}
