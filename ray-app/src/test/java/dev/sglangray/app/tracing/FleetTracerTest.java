/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.tracing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.monitor.FakeFleet;
import dev.sglangray.app.monitor.FakeFleet.FakeWorker;
import dev.sglangray.app.monitor.FleetMonitor;
import dev.sglangray.workers.supervision.EventKind;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** The spans of what happens to a fake fleet. */
class FleetTracerTest {
    private final FakeFleet fleet = new FakeFleet(2);
    private final List<SpanData> spans = new CopyOnWriteArrayList<>();
    private final FleetTracer tracer = FleetTracer.to(
            new SpanExporter() {
                @Override
                public CompletableResultCode export(Collection<SpanData> some) {
                    spans.addAll(some);
                    return CompletableResultCode.ofSuccess();
                }

                @Override
                public CompletableResultCode flush() {
                    return CompletableResultCode.ofSuccess();
                }

                @Override
                public CompletableResultCode shutdown() {
                    return CompletableResultCode.ofSuccess();
                }
            },
            "E",
            "launch",
            () -> fleet.now);
    private final FleetMonitor monitor = new FleetMonitor(fleet, () -> fleet.now);

    FleetTracerTest() {
        monitor.add(tracer);
    }

    private SpanData only(String name) {
        List<SpanData> found = all(name);
        assertThat(found).as(name + " in " + spans).hasSize(1);
        return found.get(0);
    }

    private List<SpanData> all(String name) {
        return spans.stream().filter(span -> span.getName().equals(name)).toList();
    }

    private static double seconds(SpanData span) {
        return (span.getEndEpochNanos() - span.getStartEpochNanos()) / 1e9;
    }

    private static String attribute(SpanData span, String key) {
        return span.getAttributes().get(AttributeKey.stringKey(key));
    }

    @Test
    void aLaunchHasItsPhasesAndItsWorkers() {
        monitor.phaseBegan("reserve", "what");
        fleet.passes(2);
        monitor.phase("reserve", Duration.ofSeconds(2));
        monitor.phaseBegan("start", "what");
        fleet.passes(30);
        monitor.workerReady("E:0", "http://10.0.0.1:30000");
        fleet.passes(10);
        monitor.phase("start", Duration.ofSeconds(40));
        monitor.launched(Optional.empty());
        monitor.close();

        SpanData launch = only("launch");
        assertThat(seconds(launch)).isEqualTo(42);
        assertThat(launch.getParentSpanContext().isValid()).isFalse();
        assertThat(launch.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
        assertThat(launch.getResource().getAttribute(AttributeKey.stringKey("sglang_ray.fleet")))
                .isEqualTo("E");
        assertThat(seconds(only("reserve"))).isEqualTo(2);
        SpanData worker = only("start worker");
        assertThat(seconds(worker)).isEqualTo(30);
        assertThat(attribute(worker, "sglang_ray.worker")).isEqualTo("E:0");
        for (SpanData part : List.of(only("reserve"), only("start"), worker)) {
            assertThat(part.getTraceId()).isEqualTo(launch.getTraceId());
            assertThat(part.getParentSpanId()).isEqualTo(launch.getSpanId());
        }
    }

    @Test
    void aLaunchThatFailsSaysWhy() {
        monitor.launched(Optional.of("LaunchException: no room"));
        monitor.close();

        assertThat(only("launch").getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
        assertThat(only("launch").getStatus().getDescription()).isEqualTo("LaunchException: no room");
    }

    @Test
    void aRecoveryIsASpanFromTheEndToTheNextStart() {
        monitor.launched(Optional.empty());
        FakeWorker engine = fleet.engine(1);
        fleet.happens(engine, EventKind.STARTED, "serves");
        monitor.look();
        fleet.happens(engine, EventKind.EXITED, "it ended by signal 9");
        fleet.passes(7);
        fleet.happens(engine, EventKind.RECOVERED, "serves again");
        monitor.look();
        fleet.happens(fleet.router, EventKind.UNRESPONSIVE, "no answer");
        fleet.passes(3);
        fleet.happens(fleet.router, EventKind.RECOVERED, "serves again");
        monitor.look();
        monitor.close();

        assertThat(seconds(only("restart engine"))).isEqualTo(7);
        assertThat(attribute(only("restart engine"), "sglang_ray.cause")).isEqualTo("exit");
        assertThat(attribute(only("restart engine"), "sglang_ray.worker")).isEqualTo("E:1");
        assertThat(attribute(only("restart router"), "sglang_ray.cause")).isEqualTo("unresponsive");
    }

    @Test
    void anUpdateIsOneTraceOfAllEngines() {
        monitor.launched(Optional.empty());
        for (int rank = 0; rank < 2; rank++) {
            fleet.happens(fleet.engine(rank), EventKind.PUBLISHED, "requests are sent to it");
        }
        monitor.look();
        for (int rank = 0; rank < 2; rank++) {
            fleet.happens(fleet.engine(rank), EventKind.HELD, "weights are replaced by version step-8");
        }
        fleet.passes(1);
        for (int rank = 0; rank < 2; rank++) {
            fleet.happens(fleet.engine(rank), EventKind.WITHDRAWN, "no requests are sent to it");
        }
        monitor.look();
        fleet.passes(4);
        for (int rank = 0; rank < 2; rank++) {
            fleet.happens(fleet.engine(rank), EventKind.WEIGHTS, "has step-8");
            fleet.engine(rank).version = "step-8";
        }
        fleet.passes(1);
        fleet.happens(fleet.engine(0), EventKind.PUBLISHED, "requests are sent to it");
        monitor.look();
        fleet.passes(2);
        fleet.happens(fleet.engine(1), EventKind.PUBLISHED, "requests are sent to it");
        monitor.look();
        monitor.close();

        SpanData update = only("update weights");
        assertThat(seconds(update)).isEqualTo(8);
        assertThat(attribute(update, "sglang_ray.weight_version")).isEqualTo("step-8");
        assertThat(all("withdraw")).hasSize(2).allMatch(span -> seconds(span) == 1);
        assertThat(all("load")).hasSize(2).allMatch(span -> seconds(span) == 4);
        assertThat(all("return")).extracting(FleetTracerTest::seconds).containsExactly(1.0, 3.0);
        assertThat(all("load")).allMatch(span -> span.getParentSpanId().equals(update.getSpanId()));
    }

    @Test
    void anUpdateThatIsGivenUpIsOverWhenTheEngineServesAgain() {
        monitor.launched(Optional.empty());
        FakeWorker engine = fleet.engine(0);
        fleet.happens(engine, EventKind.PUBLISHED, "requests are sent to it");
        monitor.look();
        fleet.happens(engine, EventKind.HELD, "weights are replaced by version step-8");
        fleet.happens(engine, EventKind.WITHDRAWN, "no requests are sent to it");
        fleet.happens(engine, EventKind.HELD, "no longer: weights are replaced by version step-8");
        fleet.passes(3);
        fleet.happens(engine, EventKind.PUBLISHED, "requests are sent to it");
        monitor.look();
        monitor.close();

        assertThat(only("update weights").getStatus().getDescription()).isEqualTo("the update was given up");
    }

    @Test
    void lentMemoryIsNoUpdate() {
        monitor.launched(Optional.empty());
        FakeWorker engine = fleet.engine(0);
        fleet.happens(engine, EventKind.PUBLISHED, "requests are sent to it");
        monitor.look();
        fleet.happens(engine, EventKind.HELD, "memory is being released: weights");
        fleet.passes(1);
        fleet.happens(engine, EventKind.WITHDRAWN, "no requests are sent to it");
        fleet.happens(engine, EventKind.HELD, "all memory is back");
        fleet.happens(engine, EventKind.PUBLISHED, "requests are sent to it");
        monitor.look();
        monitor.close();

        assertThat(all("update weights")).isEmpty();
        assertThat(all("withdraw")).isEmpty();
    }

    @Test
    void aChangeOfSizeIsATraceOfItsOwn() {
        monitor.launched(Optional.empty());
        fleet.passes(60);
        monitor.phaseBegan("drain", "what");
        fleet.passes(5);
        monitor.phase("drain", Duration.ofSeconds(5));
        monitor.scaled("a", false, true);
        monitor.close();

        assertThat(seconds(only("scale"))).isEqualTo(5);
        assertThat(attribute(only("scale"), "sglang_ray.direction")).isEqualTo("down");
        assertThat(only("drain").getParentSpanId()).isEqualTo(only("scale").getSpanId());
    }
}
