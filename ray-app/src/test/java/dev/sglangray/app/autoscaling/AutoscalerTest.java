/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.autoscaling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.sglangray.app.monitor.FakeFleet;
import dev.sglangray.app.monitor.FleetLook;
import dev.sglangray.app.monitor.FleetMonitor;
import dev.sglangray.app.monitor.LookListener;
import dev.sglangray.app.monitor.PoolDemand;
import dev.sglangray.workers.engine.ReleasedMemory;
import dev.sglangray.workers.protocol.EngineLoad;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** From a look at a fake fleet to a change of it: target 10, up after 30 s, down after 60 s. */
class AutoscalerTest {
    private final FakeFleet fleet = new FakeFleet(2);
    private final FleetMonitor monitor = new FleetMonitor(fleet, () -> fleet.now);
    private final List<String> remarks = new ArrayList<>();
    private final List<PoolChange> begun = new ArrayList<>();
    private final List<Runnable> tasks = new ArrayList<>();
    private final Heard heard = new Heard();
    private Supplier<OptionalInt> outcome = () -> OptionalInt.of(fleet.wanted);

    private final Autoscaler autoscaler = new Autoscaler(
            Map.of("", PoolScalerTest.settings(1, 1)),
            new PoolSizes() {
                @Override
                public OptionalInt resize(PoolChange change, Duration toDrain) {
                    begun.add(change);
                    return outcome.get();
                }

                @Override
                public void remark(String text) {
                    remarks.add(text);
                }
            },
            monitor,
            () -> fleet.now,
            tasks::add);

    private static final class Heard implements LookListener {
        final List<String> decided = new ArrayList<>();
        PoolDemand demand = new PoolDemand("", -1, -1, Set.of());

        @Override
        public Duration interval() {
            return Duration.ofHours(1);
        }

        @Override
        public void saw(FleetLook look, Duration took, Instant at) {}

        @Override
        public void demand(PoolDemand its) {
            demand = its;
        }

        @Override
        public void decided(String pool, boolean up, PoolDemand.Result result) {
            decided.add((up ? "up " : "down ") + result);
        }

        @Override
        public void close() {}
    }

    AutoscalerTest() {
        monitor.add(autoscaler);
        monitor.add(heard);
    }

    private void load(int... ongoing) {
        for (int rank = 0; rank < ongoing.length; rank++) {
            fleet.load(rank, new EngineLoad(ongoing[rank], 0, null, null));
        }
    }

    private void looks(int seconds) {
        for (int i = 0; i < seconds; i += 5) {
            fleet.passes(5);
            monitor.look();
        }
    }

    @Test
    void asksForTheLoadAndSaysWhatItMakesOfIt() {
        fleet.load(0, new EngineLoad(10, 4, null, null));
        fleet.load(1, new EngineLoad(1, 1, null, null));
        looks(5);
        assertThat(heard.demand).isEqualTo(new PoolDemand("", 16, 2, Set.of()));
        assertThat(autoscaler.interval()).isEqualTo(Duration.ofSeconds(5));
    }

    @Test
    void carriesOneChangeOutAtATime() {
        load(20, 15);
        looks(200);
        assertThat(tasks).hasSize(1);
        assertThat(begun).as("on a thread of its own").isEmpty();
        assertThat(heard.demand.held()).containsExactly("change");
        outcome = () -> {
            fleet.wanted = 2; // the fake fleet has no more engines
            return OptionalInt.of(4);
        };
        tasks.get(0).run();
        assertThat(begun).extracting(PoolChange::from, PoolChange::to).containsExactly(tuple(2, 4));
        assertThat(heard.decided).containsExactly("up DONE");
    }

    @Test
    void saysWhyAChangeFailed() {
        load(20, 15);
        outcome = () -> {
            throw new IllegalStateException("there is no place\nfor more");
        };
        looks(40);
        tasks.get(0).run();
        assertThat(heard.decided).containsExactly("up FAILED");
        assertThat(remarks)
                .containsExactly(
                        "autoscaling: the fleet stays at 2 engine(s): there is no place; the next attempt is in 30 s"
                                + " at the earliest");
        looks(60);
        assertThat(tasks).hasSize(2);
    }

    @Test
    void aRefusedChangeWaitsWithoutNoise() {
        load(0, 0);
        outcome = OptionalInt::empty;
        looks(70);
        tasks.get(0).run();
        assertThat(heard.decided).containsExactly("down REFUSED");
        assertThat(remarks).isEmpty();
        looks(60);
        assertThat(tasks).hasSize(1);
        looks(10);
        assertThat(tasks).hasSize(2);
    }

    @Test
    void doesNothingOnceItIsClosed() {
        load(0, 0);
        looks(70);
        outcome = () -> {
            throw new IllegalStateException("the fleet was ended meanwhile");
        };
        autoscaler.close();
        tasks.get(0).run();
        looks(100);
        assertThat(tasks).hasSize(1);
        assertThat(remarks).isEmpty();
    }

    /** Each is idle, so that the pool would shrink. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "router",
                "routerWorker",
                "worker",
                "missing",
                "failed",
                "restarting",
                "unregistered",
                "memory",
                "paused",
                "load"
            })
    void doesNotShrinkAFleetThatIsNotWhole(String what) {
        load(0, 0);
        looks(5);
        String reason = switch (what) {
            case "router" -> {
                fleet.routerState = "RESTARTING";
                yield "router";
            }
            case "routerWorker" -> {
                fleet.routerAnswers = false;
                yield "router";
            }
            case "worker" -> {
                fleet.engine(1).answers = false;
                yield "missing";
            }
            case "missing" -> {
                fleet.remove(1);
                yield "missing";
            }
            case "failed" -> {
                fleet.engine(1).state = "FAILED";
                yield "failed";
            }
            case "restarting" -> {
                fleet.engine(1).state = "RESTARTING";
                yield "not_serving";
            }
            case "unregistered" -> {
                fleet.listed.remove(1);
                yield "not_serving";
            }
            case "memory" -> {
                fleet.engine(1).conditions = List.of(new ReleasedMemory(List.of("weights"), false).text());
                yield "paused";
            }
            case "paused" -> {
                fleet.engine(1).conditions = List.of("generation paused (abort)");
                yield "paused";
            }
            default -> {
                fleet.load(1, EngineLoad.UNKNOWN);
                yield "unknown_load";
            }
        };
        looks(1000);
        assertThat(tasks).isEmpty();
        assertThat(heard.demand.held()).contains(reason);
    }

    @Test
    void anEngineThatAHandDrainedIsLeftToTheHand() {
        load(0, 0);
        fleet.engine(1).state = "DRAINED";
        fleet.listed.remove(1);
        looks(70);
        assertThat(tasks).as("to shrink could end the drain").isEmpty();
        fleet.engine(1).state = "READY";
        fleet.listed.add(1);
        looks(70);
        assertThat(tasks).hasSize(1);
    }
}
