/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.registry;

import static dev.sglangray.workers.registry.RegistryFixture.url;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.workers.protocol.EngineReport;
import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.Weights;
import dev.sglangray.workers.registry.EngineRegistry.Commit;
import java.time.Duration;
import java.util.Collections;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Which weights a fleet has, who may change them, and who gets requests meanwhile. */
class RegistryWeightsTest {
    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final FleetWeights SEVEN =
            FleetWeights.INITIAL.next("id-7", new Weights("7", "/weights/7", null), false);

    private final RegistryFixture fixture = new RegistryFixture();

    private String begin(String kind, String token) {
        return fixture.loop.value(fixture.registry.beginChange(kind, token, MINUTE));
    }

    private Commit commit(FleetWeights weights, String token) {
        return fixture.loop.value(fixture.registry.commit(weights, token));
    }

    @Test
    void enginesWithOtherWeightsLeaveAndAreAskedUntilTheyReport() {
        fixture.serve(1);
        fixture.serve(2);
        assertThat(begin("an update", "a")).isEmpty();
        fixture.asked.clear();
        Commit first = commit(SEVEN, "a");
        assertThat(first.taken()).isTrue();
        assertThat(first.settled()).as("the router still lists them").isFalse();
        fixture.pass();
        assertThat(fixture.router.lists()).isEmpty();
        assertThat(commit(SEVEN, "a").settled()).isTrue();
        assertThat(fixture.asked).contains("engines:1", "engines:2");
        assertThat(fixture.member("key1").why()).contains("does not have the fleet's weights, version 7");
        fixture.asked.clear();
        fixture.loop.pass(MINUTE);
        assertThat(fixture.asked).contains("engines:1", "engines:2");

        assertThat(fixture.report(1, 3, true, "id-7").weights()).isEqualTo(SEVEN);
        fixture.pass();
        assertThat(fixture.router.lists()).containsExactly(url(1));
        fixture.asked.clear();
        fixture.loop.pass(MINUTE);
        assertThat(fixture.asked).containsOnly("engines:2");
    }

    @Test
    void noEngineWithNewWeightsIsListedWhileOneWithOldOnesStillIs() {
        fixture.serve(1);
        fixture.serve(2);
        fixture.report(2, 3, false, FleetWeights.INITIAL_ID);
        fixture.pass();
        // The router does nothing of what it is asked.
        fixture.router.silent = true;
        assertThat(commit(SEVEN, "a").taken()).isTrue();
        fixture.report(2, 4, true, "id-7");
        fixture.loop.pass(Duration.ofSeconds(3));
        assertThat(fixture.router.calls).contains("remove " + url(1)).doesNotHaveDuplicates();
        assertThat(fixture.router.lists()).containsExactly(url(1));
        fixture.router.silent = false;
        fixture.loop.pass(Duration.ofSeconds(6));
        Set<String> after = fixture.router.lists();
        assertThat(after).containsExactly(url(2));
        assertThat(fixture.router.calls.lastIndexOf("add " + url(2)))
                .isGreaterThan(fixture.router.calls.indexOf("remove " + url(1)));
    }

    @Test
    void anEngineThatWasTakenAwayHoldsUpNewWeightsWhileTheRouterMayListIt() {
        fixture.serve(1);
        fixture.serve(2);
        fixture.report(2, 3, false, FleetWeights.INITIAL_ID);
        fixture.pass();
        fixture.router.silent = true;
        assertThat(fixture.loop.value(fixture.registry.unregister(url(1)))).isTrue();
        assertThat(commit(SEVEN, "a").taken()).isTrue();
        fixture.report(2, 4, true, "id-7");
        fixture.loop.pass(Duration.ofSeconds(3));
        assertThat(fixture.router.lists()).containsExactly(url(1));
        assertThat(Collections.frequency(fixture.router.calls, "add " + url(2)))
                .as("only the first time, with the old weights")
                .isEqualTo(1);
        fixture.router.silent = false;
        fixture.loop.pass(Duration.ofSeconds(6));
        assertThat(fixture.router.lists()).containsExactly(url(2));
    }

    @Test
    void unknownWeightsAreNotTheFleets() {
        fixture.serve(1);
        var unused = fixture.registry.report(
                new EngineReport("key1", "engines:1", 3, true, "", RegistryFixture.engine(1, 0), null));
        fixture.pass();
        assertThat(fixture.router.lists()).isEmpty();
    }

    @Test
    void mixingLeavesOldWeightsUntilItsEnd() {
        fixture.serve(1);
        fixture.serve(2);
        assertThat(begin("a rolling update", "a")).isEmpty();
        FleetWeights mixed = FleetWeights.INITIAL.next("id-7", new Weights("7", "/weights/7", null), true);
        assertThat(commit(mixed, "a").settled()).isTrue();
        fixture.report(1, 3, true, "id-7");
        fixture.pass();
        assertThat(fixture.router.lists()).containsExactly(url(1), url(2));
        assertThat(fixture.registry.endChange("a")).isTrue();
        fixture.pass();
        assertThat(fixture.registry.weights()).isEqualTo(mixed.alone());
        assertThat(fixture.router.lists()).containsExactly(url(1));
    }

    @Test
    void onlyTheNextGenerationIsTakenAndOnlyFromTheOwnerOfTheChange() {
        assertThat(begin("an update", "a")).isEmpty();
        assertThat(commit(SEVEN, "b").taken()).as("another token").isFalse();
        assertThat(commit(SEVEN, "a").taken()).isTrue();
        assertThat(commit(SEVEN, "a").taken()).as("repeated").isTrue();
        FleetWeights stale = FleetWeights.INITIAL.next("id-8", new Weights("8", "/weights/8", null), false);
        Commit refused = commit(stale, "a");
        assertThat(refused.taken()).as("another generation").isFalse();
        assertThat(refused.weights()).isEqualTo(SEVEN);
        FleetWeights far = SEVEN.next("x", new Weights("x", null, null), false)
                .next("id-9", new Weights("9", "/weights/9", null), false);
        assertThat(commit(far, "a").taken()).isFalse();
        assertThat(commit(SEVEN.next("id-8", new Weights("8", "/weights/8", null), false), "a")
                        .taken())
                .isTrue();
    }

    @Test
    void aCommitIsToldOnceASuccessorWouldKnowIt() {
        CompletableFuture<Void> disk = new CompletableFuture<>();
        fixture.saving = disk;
        CompletableFuture<Commit> commit = fixture.registry.commit(SEVEN, "a");
        fixture.pass();
        assertThat(commit).isNotDone();
        assertThat(fixture.registry.weights()).isEqualTo(FleetWeights.INITIAL);
        assertThat(fixture.onDisk().weights()).isEqualTo(SEVEN);
        disk.complete(null);
        assertThat(fixture.loop.value(commit).taken()).isTrue();
        assertThat(fixture.registry.weights()).isEqualTo(SEVEN);
        fixture.saving = null;
        fixture.replaceWorker();
        assertThat(fixture.registry.weights()).isEqualTo(SEVEN);
        assertThat(fixture.registry.view().weightVersion()).isEqualTo("7");
    }

    @Test
    void changesExcludeEachOther() {
        assertThat(begin("an update", "a")).isEmpty();
        assertThat(begin("a change of size", "b")).contains("an update is under way", "2026-01-01T00:01:0");
        assertThat(begin("an update", "a")).as("its owner").isEmpty();
        assertThat(fixture.registry.view().change()).isEqualTo("an update");
        assertThat(fixture.registry.endChange("b")).isFalse();
        assertThat(fixture.registry.endChange("a")).isTrue();
        assertThat(fixture.registry.endChange("a")).isFalse();
        assertThat(begin("a change of size", "b")).isEmpty();
    }

    @Test
    void aChangeOfBeforeTheClockWasSetBackIsNotLongerForASuccessor() {
        assertThat(begin("an update", "a")).isEmpty();
        fixture.setClockBack(Duration.ofHours(2));
        fixture.replaceWorker();
        assertThat(begin("a change of size", "b")).isNotEmpty();
        fixture.loop.pass(MINUTE);
        assertThat(begin("a change of size", "b")).isEmpty();
    }

    @Test
    void aChangeThatIsNotEndedIsOverWithItsLease() {
        assertThat(begin("an update", "a")).isEmpty();
        fixture.loop.pass(MINUTE.minusSeconds(1));
        assertThat(begin("an update", "a")).as("prolonged").isEmpty();
        fixture.loop.pass(MINUTE.minusSeconds(1));
        assertThat(begin("a change of size", "b")).isNotEmpty();
        fixture.loop.pass(Duration.ofSeconds(1));
        assertThat(fixture.events).contains("an update was not ended by its owner, and is over");
        assertThat(begin("a change of size", "b")).isEmpty();
        assertThat(commit(SEVEN, "a").taken())
                .as("by the one that was thought dead")
                .isFalse();
    }

    @Test
    void aSuccessorKnowsTheChangeAndItsLease() {
        assertThat(begin("an update", "a")).isEmpty();
        fixture.replaceWorker();
        assertThat(begin("a change of size", "b")).contains("an update is under way");
        fixture.loop.pass(MINUTE);
        assertThat(begin("a change of size", "b")).isEmpty();
    }

    @Test
    void aServerWithoutAWorkerIsAskedForItsWeights() {
        fixture.router.versions.put("http://old:3", "6");
        fixture.router.versions.put("http://same:4", "7");
        assertThat(commit(SEVEN, "a").taken()).isTrue();
        fixture.registry.register(ServerEndpoint.regular("http://old:3"));
        fixture.registry.register(ServerEndpoint.regular("http://same:4"));
        fixture.registry.register(ServerEndpoint.regular("http://silent:5"));
        fixture.pass();
        assertThat(fixture.router.lists()).containsExactly("http://same:4", "http://silent:5");
        assertThat(fixture.member("http://old:3").why())
                .isEqualTo("it has weights of version 6, and the fleet those of version 7 from /weights/7");
        // Its owner gives it others.
        fixture.router.versions.put("http://old:3", "7");
        fixture.loop.pass(Duration.ofSeconds(10));
        assertThat(fixture.router.lists()).contains("http://old:3");
    }

    @Test
    void anEngineWhosePoolIsFrozenKeepsItsWeightsAndServes() {
        ServerEndpoint frozen =
                new ServerEndpoint(url(1), "regular", null, null, "engines:1", "key1", 1, "judge", false);
        String unused = fixture.registry.register(frozen);
        fixture.registry.report(new EngineReport("key1", "engines:1", 2, true, "", frozen, FleetWeights.INITIAL_ID));
        fixture.pass();
        assertThat(commit(SEVEN, "a").settled()).isTrue();
        fixture.pass();
        assertThat(fixture.router.lists()).containsExactly(url(1));
        fixture.registry.report(new EngineReport("key1", "engines:1", 3, true, "", frozen, "id-7"));
        fixture.pass();
        assertThat(fixture.router.lists())
                .as("with weights that are not its own")
                .isEmpty();
    }

    @Test
    void theNextWeightsAreNotThoseOfAServerWithoutAWorker() {
        fixture.router.versions.put("http://same:4", "7");
        fixture.registry.register(ServerEndpoint.regular("http://same:4"));
        fixture.registry.register(ServerEndpoint.regular("http://silent:5"));
        fixture.pass();
        assertThat(commit(SEVEN, "a").taken()).isTrue();
        fixture.pass();
        assertThat(fixture.router.lists()).containsExactly("http://same:4", "http://silent:5");
        assertThat(commit(SEVEN.next("id-8", new Weights("8", "/weights/8", null), false), "a")
                        .taken())
                .isTrue();
        fixture.pass();
        assertThat(fixture.router.lists()).containsExactly("http://silent:5");
    }
}
