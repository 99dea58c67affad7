/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.InFlight;
import dev.sglangray.workers.protocol.PauseMode;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.UpdateOutcome;
import dev.sglangray.workers.protocol.UpdateOutcome.Result;
import dev.sglangray.workers.protocol.WeightUpdate;
import dev.sglangray.workers.protocol.Weights;
import dev.sglangray.workers.supervision.Hold;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import mockwebserver3.Dispatcher;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a worker does with its engine's memory, generation and weights; the engine answers as it is told. */
class EngineChangesTest {
    private static final Duration SOON = Duration.ofSeconds(5);
    private static final Duration LEASE = Duration.ofMinutes(1);

    @TempDir
    Path folder;

    private final MockWebServer engine = new MockWebServer();
    private final Map<String, MockResponse> answers = new ConcurrentHashMap<>();
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private final List<String> told = new CopyOnWriteArrayList<>();
    private final AtomicInteger generation = new AtomicInteger();
    private final List<FakeEngine> processes = new CopyOnWriteArrayList<>();
    private volatile FleetWeights fleet = FleetWeights.INITIAL;
    private Keeper keeper;
    private EngineMemory memory;
    private EnginePause pause;
    private EngineWeights weights;
    private EngineUpdate update;

    @BeforeEach
    void start() throws Exception {
        engine.setDispatcher(new Dispatcher() {
            @Override
            public MockResponse dispatch(RecordedRequest request) {
                String path = request.getUrl().encodedPath();
                asked.add(path
                        + (request.getBody() == null
                                ? ""
                                : " " + request.getBody().utf8()));
                return answers.getOrDefault(
                        path,
                        new MockResponse.Builder()
                                .code(200)
                                .body("{\"success\": true}")
                                .build());
            }
        });
        engine.start();
        wire();
        keeper.start();
        await().until(() -> keeper.isServing());
    }

    private void wire() {
        RouterLink router = new RouterLink() {
            @Override
            public void suspend(String url) {
                told.add("suspend");
            }

            @Override
            public void resume(String oldUrl, ServerEndpoint endpoint) {
                told.add("resume " + endpoint.weightVersion());
            }

            @Override
            public Optional<FleetWeights> weights() {
                return Optional.of(fleet);
            }
        };
        EngineOutside outside = new EngineOutside(
                router,
                new LivenessProbe(WorkerHttp.create(), SupervisionPolicy.DEFAULT.probe(), SOON),
                () -> ServerEndpoint.regular("http://engine")
                        .withWeightVersion(
                                weights.current().map(Weights::version).orElse(null)));
        outside.knownAs("http://engine");
        keeper = new Keeper(
                "engines:0",
                "engine",
                SupervisionPolicy.DEFAULT,
                Secrets.of(Map.of(), Map.of()),
                incarnation -> {
                    generation.incrementAndGet();
                    FakeEngine fresh = new FakeEngine();
                    processes.add(fresh);
                    return fresh;
                },
                outside,
                file("engine"));
        EngineControl control = new EngineControl(
                WorkerHttp.create(), () -> engine.url("").toString().replaceAll("/$", ""), null);
        ChangeLock changes = new ChangeLock();
        memory = new EngineMemory(keeper, control, changes, file("lent"), generation::get, Optional::empty);
        pause = new EnginePause(keeper, control, changes, file("paused"));
        weights = new EngineWeights(
                new Weights("default", "/model", null),
                control,
                router,
                file("weights"),
                keeper.journal(),
                generation::get,
                keeper::restartSoon);
        update = new EngineUpdate(
                keeper, control, changes, memory, pause, weights, new CheckpointCheck(null, "127.0.0.1"));
        outside.beforePublishing(() -> {
            update.beforePublishing();
            weights.bring(SOON);
        });
    }

    private MemoryFile file(String name) {
        return new MemoryFile(folder.resolve(name + ".json"));
    }

    /** A process that runs as soon as it is started. */
    private static final class FakeEngine implements ServingLifecycle {
        private volatile @Nullable ExitListener listener;

        @Override
        public String start() {
            return "http://engine";
        }

        @Override
        public String url() {
            return "http://engine";
        }

        @Override
        public boolean isHealthy() {
            throw new IllegalStateException("what is held back is not asked");
        }

        @Override
        public String logTail(int lines) {
            return "";
        }

        @Override
        public void shutdown(Duration grace) {}

        @Override
        public WorkerStatus status() {
            throw new IllegalStateException("not needed");
        }

        @Override
        public void listen(ExitListener toTell) {
            listener = toTell;
        }

        void die() {
            ExitListener toTell = listener;
            if (toTell != null) {
                toTell.ended(false, "killed by SIGKILL");
            }
        }
    }

    @AfterEach
    void end() {
        keeper.close();
        engine.close();
    }

    private void answer(String path, int code, String body) {
        answers.put(path, new MockResponse.Builder().code(code).body(body).build());
    }

    private List<String> asked(String path) {
        return asked.stream().filter(request -> request.startsWith(path)).toList();
    }

    @Test
    void memoryIsReleasedOnceAndTheRouterKnowsFirst() {
        assertThat(memory.release(List.of(), SOON)).isTrue();
        assertThat(memory.release(List.of("weights"), SOON)).isTrue();
        assertThat(asked("/release")).containsExactly("/release_memory_occupation {}");
        assertThat(told).containsExactly("suspend");
        assertThat(keeper.isHealthy()).isTrue();

        assertThat(memory.resume(List.of("weights"), SOON)).isTrue();
        assertThat(keeper.standing().holds()).containsEntry(Hold.MEMORY, "memory released: kv_cache, cuda_graph");
        assertThat(memory.resume(List.of(), SOON)).isTrue();
        assertThat(memory.resume(List.of(), SOON)).isTrue();
        assertThat(asked("/resume"))
                .containsExactly(
                        "/resume_memory_occupation {\"tags\":[\"weights\"]}",
                        "/resume_memory_occupation {\"tags\":[\"kv_cache\",\"cuda_graph\"]}");
        assertThat(told).containsExactly("suspend", "resume default");
        assertThat(keeper.standing().holds()).isEmpty();
    }

    @Test
    void nothingIsReleasedWhileThereAreRequestsAndTheEngineServesOn() {
        answer("/v1/loads", 200, "{\"loads\": [{\"num_running_reqs\": 2}]}");
        assertThatThrownBy(() -> memory.release(List.of(), Duration.ofMillis(300)))
                .hasMessageContaining("still has 2 request(s)");
        assertThat(asked("/release")).isEmpty();
        await().until(() -> told.equals(List.of("suspend", "resume default")));
        assertThat(keeper.standing().holds()).isEmpty();
    }

    @Test
    void aRefusedReleaseLeavesTheEngineServing() {
        answer("/release_memory_occupation", 400, "{\"error\": {\"message\": \"no\"}}");
        assertThatThrownBy(() -> memory.release(List.of(), SOON)).hasMessageContaining("HTTP 400");
        await().until(() -> told.contains("resume default"));
    }

    @Test
    void anEngineThatDiesWithoutItsMemoryComesBackWithTheResume() {
        memory.release(List.of(), SOON);
        processes.get(0).die();
        await().until(() -> keeper.standing().isStartBlocked());
        assertThat(processes).hasSize(1);
        assertThat(memory.resume(List.of(), SOON)).isTrue();
        assertThat(processes).hasSize(2);
        assertThat(asked("/resume")).isEmpty();
        assertThat(told).endsWith("resume default");
    }

    @Test
    void aSuccessorKnowsWhatIsLentAndThatGenerationIsPaused() {
        memory.release(List.of(), SOON);
        pause.pause(PauseMode.RETRACT, SOON);
        keeper.holdQuietly(Hold.MEMORY, "not deleted by a close");
        EngineMemory successor = new EngineMemory(
                keeper,
                new EngineControl(WorkerHttp.create(), () -> "", null),
                new ChangeLock(),
                file("lent"),
                generation::get,
                Optional::empty);
        successor.inherit();
        assertThat(successor.current().tags()).containsExactlyElementsOf(EngineMemory.ALL);
        await().until(() -> "memory released: kv_cache, weights, cuda_graph"
                .equals(keeper.standing().holds().get(Hold.MEMORY)));
    }

    @Test
    void pausingAndGoingOnMayBeRepeated() {
        pause.pause(PauseMode.IN_PLACE, SOON);
        pause.pause(PauseMode.IN_PLACE, SOON);
        assertThat(asked("/pause")).first().isEqualTo("/pause_generation {\"mode\":\"in_place\"}");
        assertThat(keeper.standing().holds()).containsEntry(Hold.GENERATION, "generation paused (in_place)");
        assertThat(told).isEmpty();
        pause.resume(SOON);
        pause.resume(SOON);
        assertThat(keeper.standing().holds()).isEmpty();
        assertThat(asked("/continue")).hasSize(2);
    }

    @Test
    void anEngineStartedDuringAPauseWaitsOutsideUntilItIsOver() {
        pause.pause(PauseMode.ABORT, SOON);
        processes.get(0).die();
        pause.renewed();
        await().until(() -> processes.size() == 2 && keeper.isServing());
        assertThat(keeper.standing().holds()).containsKeys(Hold.GENERATION, Hold.LATE);
        assertThat(told).doesNotContain("resume default");
        pause.resume(SOON);
        assertThat(told).contains("resume default");
    }

    private UpdateOutcome updated(WeightUpdate wanted) {
        assertThat(update.prepare(wanted, SOON, LEASE).result()).isEqualTo(Result.READY);
        UpdateOutcome outcome = update.apply(wanted, SOON);
        fleet = outcome.is(Result.UPDATED) ? new FleetWeights(wanted.weights()) : fleet;
        var unused = update.settle(fleet, wanted.version(), SOON);
        return outcome;
    }

    private WeightUpdate to(String version) throws Exception {
        Path checkpoint = Files.createDirectories(folder.resolve("checkpoint"));
        Files.writeString(checkpoint.resolve("config.json"), "{}");
        return WeightUpdate.fromDisk(version, checkpoint.toString());
    }

    @Test
    void newWeightsAreLoadedOutsideTheRouter() throws Exception {
        assertThat(updated(to("7")).result()).isEqualTo(Result.UPDATED);
        assertThat(told).containsExactly("suspend", "resume 7");
        assertThat(asked("/update")).singleElement().asString().contains("\"weight_version\":\"7\"");
        assertThat(weights.current()).map(Weights::version).contains("7");
    }

    @Test
    void aRestartedEngineLoadsTheFleetsWeightsBeforeTheRouterHearsOfIt() throws Exception {
        updated(to("7"));
        processes.get(0).die();
        await().until(() -> told.equals(List.of("suspend", "resume 7", "suspend", "resume 7")));
        assertThat(asked("/update")).hasSize(2);
    }

    @Test
    void anEngineThatCannotHaveTheFleetsWeightsStaysOutAndSaysWhy() throws Exception {
        updated(WeightUpdate.fromTensors("9", List.of(Map.of("serialized_named_tensors", List.of("abc")))));
        assertThat(told).endsWith("resume 9");
        processes.get(0).die();
        await().until(() -> weights.problem().isPresent());
        assertThat(weights.problem()).hasValueSatisfying(why -> assertThat(why).contains("cannot be had again"));
        assertThat(told).containsOnlyOnce("resume 9");
    }

    @Test
    void aFailureInTheMiddleIsClearedUpByANewProcess() throws Exception {
        answer("/update_weights_from_disk", 400, "{\"success\": false, \"message\": \"Rolling back\"}");
        assertThat(updated(to("7")).result()).isEqualTo(Result.UNCERTAIN);
        await().until(() -> told.contains("resume default"));
        assertThat(processes).hasSize(2);
    }

    @Test
    void aRefusalLeavesTheEngineAsItIs() throws Exception {
        answer(
                "/update_weights_from_disk",
                400,
                "{\"success\": false, \"message\": \"Failed to get weights iterator\"}");
        assertThat(updated(to("7")).result()).isEqualTo(Result.REFUSED);
        await().until(() -> told.equals(List.of("suspend", "resume default")));
        assertThat(processes).hasSize(1);
        assertThat(update.prepare(WeightUpdate.fromDisk("8", "/nowhere/at/all"), SOON, LEASE)
                        .detail())
                .isEqualTo("there is no folder /nowhere/at/all on node 127.0.0.1");
    }

    @Test
    void anUpdateThatNobodyEndsIsOverWithItsLeaseAndTheRoutersWordCounts() throws Exception {
        WeightUpdate wanted = to("7");
        assertThat(update.prepare(wanted, SOON, Duration.ofMillis(700)).result())
                .isEqualTo(Result.READY);
        assertThat(update.apply(wanted, SOON).result()).isEqualTo(Result.UPDATED);
        // Nobody has told the router of them, so they are not the fleet's.
        await().until(() -> told.equals(List.of("suspend", "resume default")));
        assertThat(asked("/update")).last().asString().contains("\"model_path\":\"/model\"");
    }

    @Test
    void requestsUnderWayStayWhenAskedAndTheirCacheToo() throws Exception {
        assertThat(updated(to("7").withInFlight(InFlight.IN_PLACE)).result()).isEqualTo(Result.UPDATED);
        assertThat(asked.stream().map(request -> request.replaceAll(" .*", "")))
                .containsSubsequence("/pause_generation", "/update_weights_from_disk", "/continue_generation")
                .doesNotContain("/v1/loads");
        assertThat(asked("/update")).singleElement().asString().contains("\"flush_cache\":false");
    }

    @Test
    void twoUpdatesAtOnceDoNotMeet() throws Exception {
        assertThat(update.prepare(to("7"), SOON, LEASE).result()).isEqualTo(Result.READY);
        assertThat(update.prepare(to("8"), SOON, LEASE).detail()).contains("another update is under way");
        assertThat(update.settle(FleetWeights.INITIAL, "8", SOON)).contains("another update is under way");
        assertThat(keeper.standing().holds()).containsKey(Hold.WEIGHTS);
        assertThat(update.prepare(to("7"), SOON, LEASE).result()).isEqualTo(Result.READY);
    }

    @Test
    void whatWasPausedForAnUpdateThatNobodyEndsGoesOn() throws Exception {
        WeightUpdate wanted = to("7").withInFlight(InFlight.RETRACT);
        assertThat(update.prepare(wanted, SOON, Duration.ofMillis(300)).result())
                .isEqualTo(Result.READY);
        await().until(() -> told.equals(List.of("suspend", "resume default")));
        assertThat(asked("/continue_generation")).hasSize(1);
    }

    @Test
    void anEngineThatIsAddedLaterStartsWithTheFleetsWeights() throws Exception {
        fleet = new FleetWeights(to("7").weights());
        weights.bringAtStart(SOON);
        assertThat(weights.current()).map(Weights::version).contains("7");
    }
}
