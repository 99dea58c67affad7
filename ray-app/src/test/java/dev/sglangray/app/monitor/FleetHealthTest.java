/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.workers.protocol.RegisteredServer;
import dev.sglangray.workers.protocol.WorkerStatus;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FleetHealthTest {
    private static final WorkerStatus ROUTER = worker("router", 0, "READY", "http://r:1");
    private static final WorkerStatus FIRST = worker("server", 0, "READY", "http://a:1");
    private static final WorkerStatus SECOND = worker("server", 1, "READY", "http://b:1/");
    private static final List<WorkerStatus> READY = List.of(ROUTER, FIRST, SECOND);

    private static WorkerStatus worker(String kind, int rank, String state, String url) {
        return worker(kind, rank, state, url, "");
    }

    private static WorkerStatus worker(String kind, int rank, String state, String url, String type) {
        return new WorkerStatus(
                new WorkerStatus.Identity(kind, "G", rank, 2, type, type, "", true),
                state,
                url,
                new WorkerStatus.ProcessPart("", "10.0.0.1", 1L, 1, List.of(), null, null, List.of()),
                new WorkerStatus.SupervisionPart(null, null, 0, null, 0, null),
                WorkerStatus.ServicePart.UNKNOWN);
    }

    private static RegisteredServer server(String url, boolean healthy) {
        return new RegisteredServer("id", url, "regular", null, healthy);
    }

    private static FleetHealth verdict(List<WorkerStatus> workers, RouterListing listing) {
        return FleetHealth.of(workers, listing.others(workers), listing.faults(workers));
    }

    @Test
    void allServeAndTheRouterListsAll() {
        RouterListing listing = RouterListing.of(List.of(server("http://a:1/", true), server("http://b:1", true)));
        assertThat(verdict(READY, listing)).isEqualTo(FleetHealth.HEALTHY);
        assertThat(listing.faults(READY)).isEmpty();
        assertThat(listing.strangers(READY)).isEmpty();
    }

    @Test
    void anEngineThatTheRouterDoesNotUseMakesTheFleetDegraded() {
        RouterListing listing = RouterListing.of(List.of(server("http://a:1", false)));
        assertThat(verdict(READY, listing)).isEqualTo(FleetHealth.DEGRADED);
        assertThat(listing.faults(READY))
                .containsExactly(
                        "engine 0 is ready, but the router takes it for unhealthy",
                        "engine 1 is ready, but the router does not list it");
    }

    @Test
    void anEngineThatIsBeingReplacedNeedNotBeListed() {
        List<WorkerStatus> workers = List.of(ROUTER, FIRST, worker("server", 1, "RESTARTING", "http://b:1"));
        assertThat(verdict(workers, RouterListing.of(List.of(server("http://a:1", true)))))
                .isEqualTo(FleetHealth.HEALING);
    }

    @Test
    void aRouterThatDoesNotAnswerIsNotHealthy() {
        RouterListing listing = RouterListing.unknown("no answer");
        assertThat(verdict(READY, listing)).isEqualTo(FleetHealth.DEGRADED);
        assertThat(listing.faults(READY)).containsExactly("the router does not tell its servers: no answer");
    }

    @Test
    void aServerOfNobodyIsReportedAndDoesNotCount() {
        RouterListing listing = RouterListing.of(
                List.of(server("http://a:1", true), server("http://b:1", true), server("http://c:1", true)));
        assertThat(verdict(READY, listing)).isEqualTo(FleetHealth.HEALTHY);
        assertThat(listing.strangers(READY)).containsExactly("http://c:1 is registered by URL");
    }

    @ParameterizedTest
    @CsvSource({
        "READY, READY, READY, HEALTHY, ''",
        "READY, READY, FAILED, DEGRADED, ''",
        "READY, READY, RESTARTING, HEALING, ''",
        "READY, RESTARTING, RESTARTING, HEALING, decode",
        "RESTARTING, READY, READY, HEALING, prefill",
        "RESTARTING, READY, FAILED, DEGRADED, prefill",
        "DRAINED, READY, READY, DEGRADED, prefill",
        "FAILED, READY, READY, LOST, prefill",
        "READY, STOPPED, FAILED, LOST, decode"
    })
    void everyRequestNeedsAPrefillAndADecodeEngine(
            String prefill, String first, String second, FleetHealth verdict, String gap) {
        List<WorkerStatus> workers = List.of(
                ROUTER,
                worker("server", 0, prefill, "http://a:1", "prefill"),
                worker("server", 1, first, "http://b:1", "decode"),
                worker("server", 2, second, "http://c:1", "decode"));
        assertThat(FleetHealth.of(workers, List.of(), FleetHealth.gaps(workers, List.of())))
                .isEqualTo(verdict);
        assertThat(FleetHealth.gaps(workers, List.of()))
                .isEqualTo(
                        gap.isEmpty()
                                ? List.of()
                                : List.of("no " + gap + " engine serves, and every request needs one"));
    }

    @Test
    void oneHalfOfWhatAnotherRouterServesWithIsWhole() {
        WorkerStatus decode = worker("server", 0, "READY", "http://b:1", "decode");
        assertThat(FleetHealth.of(List.of(decode), List.of(), FleetHealth.gaps(List.of(decode), List.of())))
                .as("without a router")
                .isEqualTo(FleetHealth.HEALTHY);
        WorkerStatus.Identity known = decode.identity();
        WorkerStatus unnamed = new WorkerStatus(
                new WorkerStatus.Identity(
                        known.kind(), known.group(), known.rank(), known.groupSize(), "", known.workerType(), "", true),
                decode.state(),
                decode.url(),
                decode.process(),
                decode.supervision(),
                decode.service());
        assertThat(FleetHealth.of(
                        List.of(ROUTER, unnamed), List.of(), FleetHealth.gaps(List.of(ROUTER, unnamed), List.of())))
                .as("without pools")
                .isEqualTo(FleetHealth.HEALTHY);
    }

    @Test
    void anEngineThatDoesNotAnswerDoesNothing() {
        List<WorkerStatus> workers = List.of(
                ROUTER,
                worker("server", 0, WorkerStatus.GONE, "", ""),
                worker("server", 1, "READY", "http://b:1", "decode"));
        assertThat(FleetHealth.of(workers, List.of(), List.of())).isEqualTo(FleetHealth.LOST);
        assertThat(FleetHealth.of(READY, List.of(), FleetHealth.gaps(READY, List.of())))
                .isEqualTo(FleetHealth.HEALTHY);
    }

    @Test
    void aRouterThatIsGoneIsLost() {
        List<WorkerStatus> workers = List.of(worker("router", 0, WorkerStatus.GONE, "http://r:1"), FIRST, SECOND);
        assertThat(FleetHealth.of(workers, List.of(), List.of())).isEqualTo(FleetHealth.LOST);
    }

    private static WorkerStatus ofModel(int rank, String state, String type, String model) {
        WorkerStatus plain = worker("server", rank, state, "http://e" + rank + ":1", type);
        return new WorkerStatus(
                new WorkerStatus.Identity("server", "G", rank, 3, model, type, model, true),
                plain.state(),
                plain.url(),
                plain.process(),
                plain.supervision(),
                plain.service());
    }

    @ParameterizedTest
    @CsvSource({
        "READY, READY, READY, HEALTHY, ''",
        "READY, READY, RESTARTING, HEALING, 'no decode engine of model ''pd'' serves, and every request for it needs one'",
        "RESTARTING, READY, READY, HEALING, 'no engine of model ''whole'' serves'",
        "FAILED, READY, READY, DEGRADED, 'no engine of model ''whole'' serves'",
        "READY, FAILED, READY, DEGRADED, 'no prefill engine of model ''pd'' serves, and every request for it needs one'",
        "FAILED, READY, FAILED, LOST, ''"
    })
    void aModelIsLostByItself(String whole, String prefill, String decode, FleetHealth verdict, String gap) {
        List<WorkerStatus> workers = List.of(
                ROUTER,
                ofModel(0, whole, "regular", "whole"),
                ofModel(1, prefill, "prefill", "pd"),
                ofModel(2, decode, "decode", "pd"));
        List<String> gaps = FleetHealth.gaps(workers, List.of());
        assertThat(FleetHealth.of(workers, List.of(), gaps)).isEqualTo(verdict);
        if (verdict != FleetHealth.LOST) {
            assertThat(gaps).isEqualTo(gap.isEmpty() ? List.of() : List.of(gap));
        }
    }

    @Test
    void enginesOfOthersServeToo() {
        RegisteredServer decode = new RegisteredServer("id", "http://other:1", "decode", "pd", true);
        List<WorkerStatus> workers = List.of(ROUTER, ofModel(0, "READY", "prefill", "pd"));
        assertThat(FleetHealth.gaps(workers, List.of(decode))).isEmpty();
        assertThat(FleetHealth.of(workers, List.of(decode), List.of())).isEqualTo(FleetHealth.HEALTHY);
        assertThat(FleetHealth.of(workers, List.of(), List.of())).isEqualTo(FleetHealth.LOST);

        RegisteredServer poet = new RegisteredServer("id", "http://other:1", "regular", "poet", true);
        List<WorkerStatus> lost = List.of(ROUTER, ofModel(0, "FAILED", "regular", "judge"));
        assertThat(FleetHealth.of(lost, List.of(poet), List.of())).isEqualTo(FleetHealth.DEGRADED);
        assertThat(FleetHealth.gaps(lost, List.of(poet))).containsExactly("no engine of model 'judge' serves");

        RegisteredServer away = new RegisteredServer("", "http://other:1", "regular", "poet", false);
        assertThat(FleetHealth.of(List.of(ROUTER), List.of(away), List.of()))
                .as("only engines of others, and none answers")
                .isEqualTo(FleetHealth.LOST);
        RegisteredServer unnamed = new RegisteredServer("id", "http://other:2", "regular", null, true);
        assertThat(FleetHealth.gaps(lost, List.of(poet, unnamed))).containsExactly("no engine of model 'judge' serves");
    }
}
