/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.engine;

import dev.sglangray.workers.loop.ManualLoop;
import dev.sglangray.workers.loop.RecordStore;
import dev.sglangray.workers.protocol.EngineReport;
import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.ReportReply;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.WeightUpdate;
import dev.sglangray.workers.protocol.Weights;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.supervision.OnDegraded;
import dev.sglangray.workers.supervision.OnNodeLoss;
import dev.sglangray.workers.supervision.ProbeKind;
import dev.sglangray.workers.supervision.ProcessActions;
import dev.sglangray.workers.supervision.RestartMode;
import dev.sglangray.workers.supervision.Signal;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** An engine's worker without an engine, a registry or a disk; everything that it does is written down in one list. */
final class EngineFixture {
    static final String URL = "http://engine:1";
    static final String KEY = "key";
    static final Weights INITIAL = new Weights("default", "/model", null);

    final ManualLoop loop = new ManualLoop();
    final List<String> deeds = new ArrayList<>();
    final List<String> events = new ArrayList<>();
    final List<EngineReport> reports = new ArrayList<>();
    final Map<String, EnginePort.Answer> answers = new HashMap<>();
    final Map<String, Runnable> meanwhile = new HashMap<>();
    OptionalInt requests = OptionalInt.of(0);

    @Nullable
    String requestsFailure;

    FleetWeights fleet = FleetWeights.INITIAL;
    boolean registryAnswers = true;
    boolean member = true;
    boolean starts = true;

    @Nullable
    CompletableFuture<Void> startBlocks;

    boolean keepsWeights;
    Optional<String> releaseRefusal = Optional.empty();
    Optional<String> updateRefusal = Optional.empty();
    RestartMode mode = RestartMode.ALWAYS;
    ProbeKind probe = ProbeKind.NONE;

    @Nullable
    EngineRecord kept;

    @Nullable
    String url;

    private final class FakeProcess implements ProcessActions {
        @Override
        public CompletableFuture<Void> start(int incarnation, boolean sameUrl, Consumer<Signal> news) {
            deeds.add("start " + incarnation + (sameUrl ? "" : " elsewhere"));
            if (!starts) {
                return CompletableFuture.failedFuture(new WorkerFailure("no memory"));
            }
            url = sameUrl ? URL : "http://engine:2";
            return startBlocks != null ? startBlocks : soon();
        }

        @Override
        public CompletableFuture<Void> end(int incarnation, boolean gently) {
            deeds.add("end " + incarnation);
            return soon();
        }

        @Override
        public CompletableFuture<Void> probe(int incarnation) {
            deeds.add("probe " + incarnation);
            return soon();
        }
    }

    private final class Engine implements EnginePort {
        @Override
        public CompletableFuture<Answer> post(String path, Map<String, ?> body, Duration longest) {
            deeds.add(path + (body.isEmpty() ? "" : " " + new TreeMap<>(body)));
            meanwhile.getOrDefault(path, () -> {}).run();
            Answer answer = answers.getOrDefault(path, new Answer(200, "{\"success\": true}"));
            return answer.code() == 0
                    ? CompletableFuture.failedFuture(new WorkerFailure("connection reset"))
                    : later(answer);
        }

        @Override
        public CompletableFuture<Answer> postBucket(
                WeightUpdate update, int index, Map<String, ?> more, Duration longest) {
            Map<String, Object> body = new TreeMap<>(update.buckets().get(index));
            body.putAll(more);
            return post(update.kind().route(), body, longest);
        }

        @Override
        public CompletableFuture<OptionalInt> requests(Duration longest) {
            return requestsFailure != null
                    ? CompletableFuture.failedFuture(new WorkerFailure(requestsFailure))
                    : later(requests);
        }
    }

    private final class Store implements RecordStore<EngineRecord> {
        @Override
        public CompletableFuture<Void> save(EngineRecord record) {
            kept = record;
            return soon();
        }

        @Override
        public Optional<EngineRecord> load() {
            return Optional.ofNullable(kept);
        }

        @Override
        public void delete() {
            kept = null;
        }
    }

    private CompletableFuture<Void> soon() {
        CompletableFuture<Void> done = new CompletableFuture<>();
        loop.execute(() -> done.complete(null));
        return done;
    }

    private <T> CompletableFuture<T> later(T value) {
        CompletableFuture<T> done = new CompletableFuture<>();
        loop.execute(() -> done.complete(value));
        return done;
    }

    private CompletableFuture<Optional<ReportReply>> report(EngineReport report) {
        reports.add(report);
        deeds.add(report.serves() ? "report: serves" : "report: out");
        if (!registryAnswers) {
            return new CompletableFuture<>();
        }
        boolean serves = report.serves() && (updateWeights ? fleet : FleetWeights.INITIAL).allow(report.weightsId());
        return later(Optional.of(new ReportReply(report.epoch(), member, serves && member, !serves, fleet)));
    }

    boolean updateWeights = true;

    EngineController controller(boolean inherits) {
        SupervisionPolicy policy =
                new SupervisionPolicy(mode, 5, 600, 1, 4, probe, 10, 5, 3, OnDegraded.CONTINUE, OnNodeLoss.WAIT, 30);
        EngineSettings settings = new EngineSettings(
                KEY,
                "engines:0",
                () -> INITIAL,
                updateWeights,
                keepsWeights,
                Duration.ofMinutes(1),
                () -> url == null
                        ? null
                        : new ServerEndpoint(url, "regular", null, null, "engines:0", KEY, 0, null, true),
                () -> releaseRefusal,
                path -> updateRefusal);
        return new EngineController(
                settings,
                policy,
                loop,
                (kind, text) -> events.add(kind + " " + text),
                new FakeProcess(),
                new Engine(),
                this::report,
                new Store(),
                2,
                inherits);
    }

    /** One that serves, and is known to. */
    EngineController serving() {
        EngineController controller = controller(false);
        url = URL;
        controller.adopt(URL);
        loop.run();
        deeds.clear();
        return controller;
    }

    EngineReport lastReport() {
        return reports.get(reports.size() - 1);
    }

    void answer(String path, int code, String body) {
        answers.put(path, new EnginePort.Answer(code, body));
    }

    /** No answer comes to this route. */
    void loseAnswers(String path) {
        answers.put(path, new EnginePort.Answer(0, ""));
    }

    /** What was asked of the engine and its process, without the reports. */
    List<String> done() {
        return deeds.stream().filter(deed -> !deed.startsWith("report")).toList();
    }

    List<String> done(String beginning) {
        return deeds.stream().filter(deed -> deed.startsWith(beginning)).toList();
    }
}
