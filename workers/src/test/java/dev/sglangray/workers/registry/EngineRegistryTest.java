/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.registry;

import static dev.sglangray.workers.registry.RegistryFixture.SECOND;
import static dev.sglangray.workers.registry.RegistryFixture.engine;
import static dev.sglangray.workers.registry.RegistryFixture.url;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.workers.protocol.EngineReport;
import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.ReportReply;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.registry.EngineRegistry.Registration.State;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** The registry keeps the right members, and the router lists the right ones, in any order of reports and deaths. */
class EngineRegistryTest {
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final RegistryFixture fixture = new RegistryFixture();

    private boolean unregister(String url) {
        return fixture.loop.value(fixture.registry.unregister(url));
    }

    @Test
    void aMemberThatServesIsListed() {
        assertThat(fixture.registry.register(engine(1, 1))).isEqualTo("key1");
        fixture.pass();
        assertThat(fixture.router.lists()).isEmpty();
        assertThat(fixture.registration("key1").state()).isEqualTo(State.PENDING);
        assertThat(fixture.registration("key1").detail()).isEqualTo("its worker has not reported yet");
        assertThat(fixture.asked).contains("engines:1");

        ReportReply early = fixture.report(1, 2, true, FleetWeights.INITIAL_ID);
        assertThat(early.member()).isTrue();
        assertThat(early.listed()).isFalse();
        assertThat(early.out()).isFalse();
        fixture.pass();
        assertThat(fixture.router.lists()).containsExactly(url(1));
        assertThat(fixture.registration("key1").state()).isEqualTo(State.LISTED);
        assertThat(fixture.report(1, 2, true, FleetWeights.INITIAL_ID).listed()).isTrue();
        assertThat(fixture.events).contains(url(1) + " gets requests");
    }

    @Test
    void anEngineThatDoesNotServeIsTakenOffTheListAndPutOnAgain() {
        fixture.serve(1);
        fixture.serve(2);
        ReportReply reply = fixture.report(1, 3, false, FleetWeights.INITIAL_ID);
        assertThat(reply.out()).as("the router still lists it").isFalse();
        fixture.pass();
        assertThat(fixture.router.lists()).containsExactly(url(2));
        assertThat(fixture.report(1, 3, false, FleetWeights.INITIAL_ID).out()).isTrue();
        assertThat(fixture.member("key1").why()).isEqualTo("drained");
        fixture.report(1, 4, true, FleetWeights.INITIAL_ID);
        fixture.pass();
        assertThat(fixture.router.lists()).containsExactly(url(1), url(2));
        assertThat(fixture.events).contains(url(1) + " gets no requests: drained");
        assertThat(fixture.registry.view().repairs())
                .as("no repair of what others did")
                .isZero();
    }

    @Test
    void oldReportsAreDroppedInWhateverOrderTheyArrive() {
        fixture.serve(1);
        fixture.report(1, 7, false, FleetWeights.INITIAL_ID);
        for (long epoch : new long[] {6, 3, 5, 7, 4}) {
            assertThat(fixture.report(1, epoch, true, FleetWeights.INITIAL_ID).epoch())
                    .isEqualTo(7);
        }
        fixture.pass();
        assertThat(fixture.router.lists()).isEmpty();
        fixture.report(1, 8, true, FleetWeights.INITIAL_ID);
        fixture.pass();
        assertThat(fixture.router.lists()).containsExactly(url(1));
    }

    @Test
    void anEngineThatCameBackElsewhereReplacesItself() {
        fixture.serve(1);
        ServerEndpoint moved =
                new ServerEndpoint("http://engine:99", "regular", null, null, "engines:1", "key1", 0, null, true);
        ReportReply unused = fixture.registry.report(
                new EngineReport("key1", "engines:1", 3, true, "", moved, FleetWeights.INITIAL_ID));
        fixture.pass();
        assertThat(fixture.router.lists()).containsExactly("http://engine:99");
    }

    @Test
    void anEngineThatIsNoMemberIsNeverListed() {
        ReportReply reply = fixture.report(1, 2, true, FleetWeights.INITIAL_ID);
        fixture.pass();
        assertThat(reply.member()).isFalse();
        assertThat(reply.out()).isTrue();
        assertThat(fixture.router.calls).isEmpty();
        assertThat(fixture.registration("key1").state()).isEqualTo(State.GONE);
    }

    @Test
    void anOldReportDoesNotListAnEngineThatWasToldItIsOutBeforeItsRegistration() {
        assertThat(fixture.report(1, 3, false, FleetWeights.INITIAL_ID).out()).isTrue();
        fixture.registry.register(engine(1, 1));
        fixture.report(1, 2, true, FleetWeights.INITIAL_ID);
        fixture.pass();
        assertThat(fixture.router.lists()).isEmpty();
        fixture.report(1, 4, true, FleetWeights.INITIAL_ID);
        fixture.pass();
        assertThat(fixture.router.lists()).containsExactly(url(1));
    }

    @Test
    void anOldReportOfAnEngineThatIsNoMemberIsForgotten() {
        fixture.report(1, 3, false, FleetWeights.INITIAL_ID);
        assertThat(fixture.report(1, 2, true, FleetWeights.INITIAL_ID).epoch()).isEqualTo(3);
        fixture.registry.register(engine(1, 1));
        fixture.report(1, 2, true, FleetWeights.INITIAL_ID);
        fixture.pass();
        assertThat(fixture.router.lists()).isEmpty();
    }

    @Test
    void whatAWorkerSaidBeforeItWasAskedForItsEndpointIsOutOfDate() {
        fixture.registry.register(engine(1, 3));
        fixture.report(1, 2, true, FleetWeights.INITIAL_ID);
        fixture.pass();
        assertThat(fixture.router.lists()).isEmpty();
        fixture.report(1, 3, true, FleetWeights.INITIAL_ID);
        fixture.pass();
        assertThat(fixture.router.lists()).containsExactly(url(1));
    }

    @Test
    void aServerThatCannotBeRegisteredHoldsUpNoOther() {
        fixture.router.neverHealthy.add("http://never:1");
        fixture.router.refused.add("bad://scheme");
        String never = fixture.registry.register(ServerEndpoint.regular("http://never:1"));
        String bad = fixture.registry.register(ServerEndpoint.regular("bad://scheme"));
        fixture.serve(1);
        assertThat(fixture.router.lists()).containsExactly(url(1));
        assertThat(fixture.registration(never).detail()).contains("has not found it healthy yet");
        assertThat(fixture.registration(bad).detail()).contains("The router refused bad://scheme");
        assertThat(unregister(url(1))).isTrue();
        assertThat(unregister("bad://scheme")).isTrue();
        fixture.pass();
        assertThat(fixture.router.lists()).isEmpty();
    }

    @Test
    void aFailedJobIsToldAndTriedAgain() {
        fixture.router.neverHealthy.add(url(1));
        fixture.router.failing.add(url(1));
        fixture.serve(1);
        assertThat(fixture.member("key1").why()).isEqualTo("the router refused it: it speaks no HTTP");
        fixture.router.neverHealthy.clear();
        fixture.router.failing.clear();
        fixture.loop.pass(Duration.ofSeconds(30));
        assertThat(fixture.router.lists()).containsExactly(url(1));
    }

    @Test
    void aServerWithoutAWorkerIsListedByItsUrl() {
        fixture.registry.register(ServerEndpoint.regular("http://stranger:1"));
        fixture.pass();
        assertThat(fixture.router.lists()).containsExactly("http://stranger:1");
        assertThat(fixture.registration("http://stranger:1").state()).isEqualTo(State.LISTED);
    }

    @Test
    void membershipEndsWithTheRouterAwayToo() {
        fixture.serve(1);
        fixture.serve(2);
        fixture.registry.routerDown();
        assertThat(unregister(url(1))).isTrue();
        assertThat(unregister(url(1))).isFalse();
        fixture.replaceRouter();
        assertThat(fixture.router.lists()).containsExactly(url(2));
        assertThat(unregister(url(2))).isTrue();
        fixture.replaceRouter();
        assertThat(fixture.router.lists()).isEmpty();
        assertThat(fixture.router.calls).isEmpty();
        assertThat(fixture.registry.view().repairs()).isZero();
    }

    @Test
    void aNewRouterGetsTheServersThatServe() {
        fixture.serve(1);
        fixture.serve(2);
        fixture.serve(3);
        fixture.registry.routerDown();
        assertThat(fixture.report(2, 3, false, FleetWeights.INITIAL_ID).out()).isTrue();
        assertThat(fixture.report(3, 3, false, FleetWeights.INITIAL_ID).out()).isTrue();
        fixture.report(3, 4, true, FleetWeights.INITIAL_ID);
        assertThat(fixture.registry.view().problem()).contains("does not run at the moment");
        fixture.replaceRouter();
        assertThat(fixture.router.lists()).containsExactly(url(1), url(3));
    }

    @Test
    void aListThatWentWrongIsPutRight() {
        fixture.serve(1);
        fixture.router.listed.clear();
        fixture.router.list("http://stranger:1", true);
        fixture.loop.pass(Duration.ofSeconds(30));
        assertThat(fixture.router.lists()).containsExactly(url(1), "http://stranger:1");
        assertThat(fixture.registry.view().foreign()).containsExactly("http://stranger:1");
        assertThat(fixture.registry.view().repairs()).isEqualTo(1);
    }

    @Test
    void aListThatIsRightStays() {
        fixture.serve(1);
        fixture.router.calls.clear();
        fixture.loop.pass(MINUTE);
        assertThat(fixture.router.calls).isEmpty();
    }

    @Test
    void aRegistrationThatIsGivenUpLeavesNothing() {
        fixture.router.neverHealthy.add("http://never:1");
        fixture.registry.register(ServerEndpoint.regular("http://never:1"));
        fixture.loop.pass(MINUTE.plus(SECOND));
        assertThat(fixture.registration("http://never:1").state()).isEqualTo(State.GONE);
        assertThat(fixture.onDisk().members()).isEmpty();
        // The job of the router is still under way, and succeeds.
        fixture.router.list("http://never:1", true);
        fixture.loop.pass(Duration.ofMinutes(2));
        assertThat(fixture.router.calls).contains("remove http://never:1");
        assertThat(fixture.router.lists()).isEmpty();
    }

    @Test
    void aRegistrationWhoseCallerStillAsksIsKept() {
        fixture.router.neverHealthy.add("http://slow:1");
        fixture.registry.register(ServerEndpoint.regular("http://slow:1"));
        for (int i = 0; i < 5; i++) {
            fixture.loop.pass(Duration.ofSeconds(40));
            assertThat(fixture.registration("http://slow:1").state()).isEqualTo(State.PENDING);
        }
    }

    @Test
    void aRegistrationThatArrivesAfterTheEndOfItsEngineIsVoid() {
        fixture.serve(1);
        ServerEndpoint early = engine(1, 2);
        assertThat(unregister(url(1))).isTrue();
        fixture.registry.register(early);
        fixture.pass();
        assertThat(fixture.registration("key1").state()).isEqualTo(State.GONE);
        fixture.registry.register(engine(1, 3));
        fixture.report(1, 4, true, FleetWeights.INITIAL_ID);
        fixture.pass();
        assertThat(fixture.router.lists()).as("asked for after the end").containsExactly(url(1));
    }

    @Test
    void anEngineThatRetiredIsNeverTakenAgain() {
        fixture.serve(1);
        assertThat(fixture.loop.value(fixture.registry.retire("key1"))).isTrue();
        assertThat(fixture.loop.value(fixture.registry.retire("key2"))).isFalse();
        fixture.registry.register(engine(1, 1000));
        fixture.registry.register(engine(2, 1000));
        assertThat(fixture.registry.view().members()).isEmpty();
        fixture.replaceWorker();
        fixture.registry.register(engine(1, 1000));
        assertThat(fixture.registry.view().members()).as("a successor knows it").isEmpty();
    }

    @Test
    void aLaterActorOfANameReplacesTheEarlierOne() {
        fixture.serve(1);
        fixture.registry.register(
                new ServerEndpoint("http://new:1", "regular", null, null, "engines:1", "other", 1, null, true));
        fixture.pass();
        assertThat(fixture.router.lists()).isEmpty();
        assertThat(fixture.registry.view().members()).extracting("key").containsExactly("other");
    }

    @Test
    void aSuspectedEngineGetsNoRequestsUntilItReportsAgain() {
        fixture.serve(1);
        fixture.asked.clear();
        Objects.requireNonNull(fixture.deaths.get("engines:1")).complete("killed");
        fixture.pass();
        assertThat(fixture.router.lists()).isEmpty();
        assertThat(fixture.member("key1").why()).isEqualTo("its worker engines:1 died: killed");
        assertThat(fixture.asked).hasSizeGreaterThan(1).containsOnly("engines:1");

        fixture.report(1, 2, true, FleetWeights.INITIAL_ID);
        fixture.pass();
        assertThat(fixture.router.lists()).as("an old report clears nothing").isEmpty();
        fixture.report(1, 3, true, FleetWeights.INITIAL_ID);
        fixture.pass();
        assertThat(fixture.router.lists()).containsExactly(url(1));
        fixture.asked.clear();
        fixture.loop.pass(MINUTE);
        assertThat(fixture.asked).isEmpty();
    }

    @Test
    void aSuspicionOfWhatWasBeforeALaterReportIsNone() {
        fixture.serve(1);
        CompletableFuture<String> death = Objects.requireNonNull(fixture.deaths.get("engines:1"));
        fixture.report(1, 3, true, FleetWeights.INITIAL_ID);
        death.complete("killed");
        fixture.pass();
        assertThat(fixture.router.lists()).containsExactly(url(1));
    }

    @Test
    void questionsThatFailAreRepeated() {
        fixture.questionsFail = true;
        fixture.registry.register(engine(1, 1));
        fixture.loop.pass(Duration.ofSeconds(30));
        int asked = fixture.asked.size();
        assertThat(asked).isBetween(5, 20);
        fixture.questionsFail = false;
        fixture.noActors.add("engines:1");
        fixture.loop.pass(Duration.ofSeconds(10));
        assertThat(fixture.asked).hasSizeGreaterThan(asked);
        assertThat(fixture.member("key1").why()).isEqualTo("Ray has no actor engines:1 any more");
    }

    @Test
    void aSuccessorListsNoEngineBeforeItsWorkerReported() {
        fixture.serve(1);
        fixture.serve(2);
        fixture.replaceWorker();
        assertThat(fixture.asked).contains("engines:1", "engines:2");
        assertThat(fixture.router.lists()).isEmpty();
        assertThat(fixture.member("key1").why()).contains("has not reported to this registry yet");
        // Its last statement, which is repeated now and then, is enough.
        fixture.report(1, 2, true, FleetWeights.INITIAL_ID);
        fixture.report(2, 1, true, FleetWeights.INITIAL_ID);
        fixture.pass();
        assertThat(fixture.router.lists()).containsExactly(url(1));
    }

    @Test
    void aServerWithoutAWorkerIsListedBySuccessorsToo() {
        fixture.registry.register(ServerEndpoint.regular("http://stranger:1"));
        fixture.pass();
        fixture.replaceWorker();
        assertThat(fixture.router.lists()).containsExactly("http://stranger:1");
    }

    @Test
    void aServerWithoutAWorkerThatWentAwayHoldsUpNoRouter() {
        fixture.registry.register(ServerEndpoint.regular("http://stranger:1"));
        fixture.serve(1);
        fixture.registry.routerDown();
        fixture.router = fixture.new FakeRouter();
        fixture.router.neverHealthy.add("http://stranger:1");
        fixture.registry.routerUp(fixture.router);
        fixture.pass();
        assertThat(fixture.router.lists()).containsExactly(url(1));
        assertThat(fixture.member("http://stranger:1").why()).contains("has not found it healthy yet");
        fixture.router.list("http://stranger:1", true);
        fixture.loop.pass(MINUTE);
        assertThat(fixture.registration("http://stranger:1").state()).isEqualTo(State.LISTED);
    }

    @Test
    void anotherModelAtTheSameUrlIsAddedAgain() {
        ServerEndpoint judge = new ServerEndpoint(url(1), "regular", null, null, "engines:1", "key1", 1, "judge", true);
        ServerEndpoint actor = new ServerEndpoint(url(1), "regular", null, null, "engines:1", "key9", 5, "actor", true);
        String unused = fixture.registry.register(judge);
        fixture.registry.report(new EngineReport("key1", "engines:1", 2, true, "", judge, FleetWeights.INITIAL_ID));
        fixture.pass();
        String unusedToo = fixture.registry.register(actor);
        fixture.registry.report(new EngineReport("key9", "engines:1", 6, true, "", actor, FleetWeights.INITIAL_ID));
        fixture.loop.pass(Duration.ofSeconds(10));
        assertThat(fixture.router.lists()).containsExactly(url(1));
        assertThat(Objects.requireNonNull(fixture.router.added.get(url(1))).model())
                .isEqualTo("actor");
        assertThat(fixture.router.calls).contains("remove " + url(1));
    }

    @Test
    void aServerWhoseKeyWasLostStaysOutAndSaysWhy() {
        fixture.registry.register(new ServerEndpoint("http://stranger:1", "regular", null, "open-sesame"));
        fixture.pass();
        assertThat(fixture.onDisk().toString()).doesNotContain("open-sesame");
        assertThat(fixture.onDisk().members().get(0).endpoint().apiKey()).isNull();
        fixture.replaceWorker();
        assertThat(fixture.router.lists()).isEmpty();
        assertThat(fixture.member("http://stranger:1").why()).contains("its key was lost", "register it again");
        fixture.replaceWorker();
        assertThat(fixture.member("http://stranger:1").why())
                .as("the next successor")
                .contains("its key was lost");
        fixture.registry.register(new ServerEndpoint("http://stranger:1", "regular", null, "open-sesame"));
        fixture.pass();
        assertThat(Objects.requireNonNull(fixture.router.added.get("http://stranger:1"))
                        .apiKey())
                .isEqualTo("open-sesame");
        assertThat(fixture.router.lists()).containsExactly("http://stranger:1");
    }

    @Test
    void whatIsUnderWayToTheRouterCountsAsNotOut() {
        fixture.router.silent = true;
        String unused = fixture.registry.register(engine(1, 1));
        fixture.report(1, 2, true, FleetWeights.INITIAL_ID);
        fixture.loop.pass(Duration.ofSeconds(2));
        assertThat(fixture.report(1, 3, false, FleetWeights.INITIAL_ID).out()).isFalse();
        // No answer came: the router may still carry it out.
        fixture.loop.pass(Duration.ofSeconds(5));
        fixture.router.silent = false;
        fixture.router.list(url(1), true);
        fixture.loop.pass(Duration.ofSeconds(5));
        assertThat(fixture.router.lists()).isEmpty();
        fixture.loop.pass(Duration.ofSeconds(30));
        assertThat(fixture.report(1, 3, false, FleetWeights.INITIAL_ID).out()).isTrue();
    }

    @Test
    void whoAsksIsToldOfARouterThatIsSilent() {
        fixture.serve(1);
        fixture.loop.pass(SECOND);
        fixture.router.silent = true;
        CompletableFuture<RegistryView> view = fixture.registry.freshView();
        fixture.loop.pass(SECOND);
        assertThat(view).isNotDone();
        fixture.loop.pass(SECOND);
        assertThat(fixture.loop.value(view).problem()).isEqualTo("no answer for 2 s");
        fixture.loop.pass(Duration.ofSeconds(5));
        assertThat(fixture.registry.view().problem()).contains("no answer in time");
        fixture.router.silent = false;
        fixture.loop.pass(Duration.ofSeconds(5));
        CompletableFuture<RegistryView> again = fixture.registry.freshView();
        fixture.pass();
        assertThat(fixture.loop.value(again).problem()).isNull();
    }

    @Test
    void aWaitForTheRouterEndsWhenItListsAServerNoMore() {
        fixture.serve(1);
        assertThat(unregister(url(1))).isTrue();
        CompletableFuture<Boolean> out = fixture.registry.awaitOut(url(1), SECOND);
        assertThat(out).isNotDone();
        fixture.pass();
        assertThat(fixture.loop.value(out)).isTrue();
        fixture.serve(2);
        CompletableFuture<Boolean> never = fixture.registry.awaitOut(url(2), SECOND);
        fixture.pass();
        assertThat(fixture.loop.value(never)).isFalse();
    }

    @Test
    void allIsSettledWhenEachMemberThatServesIsListed() {
        fixture.serve(1);
        fixture.registry.routerDown();
        fixture.router = fixture.new FakeRouter();
        fixture.registry.routerUp(fixture.router);
        CompletableFuture<Boolean> settled = fixture.registry.awaitSettled(SECOND);
        assertThat(settled).isNotDone();
        fixture.pass();
        assertThat(fixture.loop.value(settled)).isTrue();
    }

    @Test
    void moreEnginesThanAreRememberedWhenTheyEndAreNoProblem() {
        for (int i = 0; i < 300; i++) {
            String unused = fixture.registry.register(engine(i, 1));
            fixture.report(i, 2, true, FleetWeights.INITIAL_ID);
        }
        fixture.loop.pass(Duration.ofSeconds(5));
        assertThat(fixture.router.lists()).hasSize(300);
        assertThat(fixture.onDisk().members()).hasSize(300);
        for (int i = 0; i < 300; i++) {
            assertThat(unregister(url(i))).isTrue();
        }
        fixture.loop.pass(Duration.ofSeconds(5));
        assertThat(fixture.router.lists()).isEmpty();
        assertThat(fixture.onDisk().unregistered())
                .as("as many as the fleet had")
                .hasSize(300);
        for (int i = 300; i < 303; i++) {
            String unused = fixture.registry.register(engine(i, 1));
            assertThat(unregister(url(i))).isTrue();
        }
        assertThat(fixture.onDisk().unregistered())
                .hasSize(300)
                .containsKey("key302")
                .doesNotContainKey("key0");
        fixture.registry.register(engine(299, 2));
        assertThat(fixture.registry.view().members()).isEmpty();
    }

    /** Where a look at all members takes long, looks and writes are done together; nothing else is different. */
    @Test
    void looksAtManyMembersAreDoneTogether() {
        fixture.saveTakes = Duration.ofMillis(4);
        for (int i = 0; i < 400; i++) {
            String unused = fixture.registry.register(engine(i, 1));
            fixture.report(i, 2, true, FleetWeights.INITIAL_ID);
        }
        fixture.loop.pass(Duration.ofSeconds(10));
        assertThat(fixture.router.lists()).hasSize(400);
        assertThat(fixture.onDisk().members()).hasSize(400);
        assertThat(fixture.saves).as("writes").isBetween(1, 1000);
        assertThat(unregister(url(7))).isTrue();
        fixture.loop.pass(Duration.ofSeconds(5));
        assertThat(fixture.router.lists()).hasSize(399);
        assertThat(fixture.onDisk().unregistered()).containsKey("key7");

        CompletableFuture<Boolean> written = fixture.registry.unregister(url(8));
        CompletableFuture<Boolean> later = fixture.registry.unregister(url(9));
        fixture.registry.end();
        fixture.loop.pass(Duration.ofSeconds(5));
        assertThat(fixture.kept).as("after an orderly end").isNull();
        assertThat(written).isDone();
        assertThat(later).isDone();
    }

    @Test
    void afterAnOrderlyEndNothingIsLeft() {
        fixture.serve(1);
        fixture.registry.end();
        assertThat(fixture.kept).isNull();
        Objects.requireNonNull(fixture.deaths.get("engines:1")).complete("killed");
        fixture.loop.pass(MINUTE);
        assertThat(fixture.kept).isNull();
    }
}
