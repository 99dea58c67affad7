/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.workers.protocol.ExternalServer;
import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.Weights;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class ExternalServersTest {
    private static final String URL = "http://other:1";
    private static final FleetWeights SEVEN =
            FleetWeights.INITIAL.next("id-7", new Weights("7", "/weights/7", null), false);

    private final RegistryFixture fixture = new RegistryFixture();

    private static ExternalServer external(boolean updateWeights, String version) {
        ServerEndpoint endpoint =
                new ServerEndpoint(URL, "regular", null, "open-sesame", null, null, 0, "judge", updateWeights);
        return new ExternalServer(endpoint, version.isEmpty() ? null : version);
    }

    private void watch(ExternalServer server) {
        fixture.registry.watch(List.of(server));
        fixture.pass();
    }

    private void later() {
        fixture.loop.pass(Duration.ofSeconds(20));
    }

    private void serves(String model, String version) {
        fixture.router.models.put(URL, List.of(model));
        fixture.router.versions.put(URL, version);
    }

    @Test
    void oneThatIsWhatItMustBeGetsRequests() {
        serves("judge", "3");
        watch(external(false, "3"));

        assertThat(fixture.router.lists()).containsExactly(URL);
        ServerEndpoint added = Objects.requireNonNull(fixture.router.added.get(URL));
        assertThat(added.apiKey()).isEqualTo("open-sesame");
        assertThat(added.model()).isEqualTo("judge");
        assertThat(fixture.member(URL).external()).isTrue();
        assertThat(fixture.onDisk().toString()).doesNotContain("open-sesame");
    }

    @Test
    void anotherModelOrVersionGetsNone() {
        serves("poet", "3");
        watch(external(false, "3"));
        assertThat(fixture.router.calls).doesNotContain("add " + URL);
        assertThat(fixture.member(URL).why()).isEqualTo("it must serve model 'judge', and serves 'poet'");

        serves("judge", "4");
        later();
        assertThat(fixture.router.lists()).isEmpty();
        assertThat(fixture.member(URL).why()).isEqualTo("it must have weights of version 3, and has those of 4");

        serves("judge", "3");
        later();
        assertThat(fixture.router.lists()).containsExactly(URL);

        serves("poet", "3");
        later();
        assertThat(fixture.router.lists()).as("it changed while it served").isEmpty();
        assertThat(fixture.events).contains(URL + " gets no requests: it must serve model 'judge', and serves 'poet'");
    }

    @Test
    void oneThatDoesNotAnswerIsTakenAwayAndComesBackByItself() {
        fixture.router.down.add(URL);
        watch(external(false, ""));
        assertThat(fixture.member(URL).why()).isEqualTo("no answer to GET " + URL + "/v1/models");
        assertThat(fixture.router.calls).doesNotContain("add " + URL);

        fixture.router.down.clear();
        serves("judge", "9");
        later();
        assertThat(fixture.router.lists()).containsExactly(URL);

        fixture.router.down.add(URL);
        fixture.loop.pass(Duration.ofSeconds(6));
        assertThat(fixture.router.lists()).as("one look that was not answered").containsExactly(URL);
        later();
        assertThat(fixture.router.lists()).isEmpty();
        fixture.loop.pass(Duration.ofHours(1));
        assertThat(fixture.member(URL).why()).as("an hour later").contains("no answer to GET");
        fixture.router.down.clear();
        later();
        assertThat(fixture.router.lists()).containsExactly(URL);
    }

    @Test
    void oneThatServesTheFleetsModelMustHaveTheFleetsWeights() {
        serves("judge", "6");
        watch(external(true, ""));
        assertThat(fixture.router.lists()).containsExactly(URL);

        fixture.loop.value(fixture.registry.beginChange("an update", "a", Duration.ofMinutes(1)));
        assertThat(fixture.loop.value(fixture.registry.commit(SEVEN, "a")).taken())
                .isTrue();
        later();
        assertThat(fixture.router.lists()).isEmpty();
        assertThat(fixture.member(URL).why()).contains("it has weights of version 6, and the fleet those of version 7");

        serves("judge", "7");
        later();
        assertThat(fixture.router.lists()).containsExactly(URL);
    }

    @Test
    void oneOfAnotherModelKeepsItsOwnWeights() {
        serves("judge", "6");
        watch(external(false, ""));
        fixture.loop.value(fixture.registry.beginChange("an update", "a", Duration.ofMinutes(1)));
        assertThat(fixture.loop.value(fixture.registry.commit(SEVEN, "a")).settled())
                .isTrue();
        later();
        assertThat(fixture.router.lists()).containsExactly(URL);
    }

    @Test
    void aSuccessorLooksBeforeItSendsThere() {
        serves("judge", "3");
        watch(external(false, ""));
        fixture.replaceWorker();
        assertThat(fixture.router.lists()).as("its key is not known yet").isEmpty();
        serves("poet", "3");
        watch(external(false, ""));
        assertThat(fixture.router.lists()).isEmpty();
        serves("judge", "3");
        later();
        assertThat(fixture.router.lists()).containsExactly(URL);
    }

    @Test
    void oneThatWasUnregisteredStaysAwayUntilItIsRegistered() {
        serves("judge", "3");
        watch(external(false, ""));
        assertThat(fixture.loop.value(fixture.registry.unregister(URL))).isTrue();
        later();
        assertThat(fixture.router.lists()).isEmpty();
        fixture.replaceWorker();
        watch(external(false, ""));
        later();
        assertThat(fixture.router.lists())
                .as("after the loss of the router's worker")
                .isEmpty();

        fixture.registry.register(ServerEndpoint.regular(URL));
        serves("judge", "3");
        later();
        assertThat(fixture.router.lists()).containsExactly(URL);
        assertThat(Objects.requireNonNull(fixture.router.added.get(URL)).model())
                .as("as the configuration has it")
                .isEqualTo("judge");
        serves("poet", "3");
        later();
        assertThat(fixture.router.lists()).as("it is watched again").isEmpty();
    }

    @Test
    void aRegistrationThatIsGivenUpLeavesItWatched() {
        fixture.router.down.add(URL);
        watch(external(false, ""));
        String key = fixture.registry.register(ServerEndpoint.regular(URL));
        assertThat(fixture.registration(key).state()).isEqualTo(EngineRegistry.Registration.State.PENDING);
        assertThat(fixture.loop.value(fixture.registry.giveUp(URL))).isFalse();
        fixture.router.down.clear();
        serves("judge", "3");
        later();
        assertThat(fixture.router.lists()).containsExactly(URL);
    }

    @Test
    void aRollingUpdateLetsBothOfItsVersionsServeAndNoOther() {
        serves("judge", "3");
        watch(external(true, ""));
        fixture.loop.value(fixture.registry.beginChange("an update", "a", Duration.ofMinutes(9)));
        assertThat(fixture.loop.value(fixture.registry.commit(SEVEN, "a")).taken())
                .isTrue();
        FleetWeights eight = SEVEN.next("id-8", new Weights("8", "/weights/8", null), true);
        assertThat(fixture.loop.value(fixture.registry.commit(eight, "a")).taken())
                .isTrue();
        later();
        assertThat(fixture.router.lists()).as("version 3 of 7 and 8").isEmpty();
        serves("judge", "7");
        later();
        assertThat(fixture.router.lists()).as("version 7 of 7 and 8").containsExactly(URL);
        assertThat(fixture.loop
                        .value(fixture.registry.commit(eight.alone(), "a"))
                        .taken())
                .isTrue();
        later();
        assertThat(fixture.router.lists()).as("version 7 of 8").isEmpty();
    }

    @Test
    void theRouterMayComeLater() {
        serves("judge", "3");
        fixture.registry.routerDown();
        watch(external(false, ""));
        assertThat(fixture.router.lists()).isEmpty();
        fixture.replaceRouter();
        serves("judge", "3");
        later();
        assertThat(fixture.router.lists()).containsExactly(URL);
    }
}
