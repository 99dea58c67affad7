/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.RegisteredServer;
import dev.sglangray.workers.protocol.RouterApiException;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.Weights;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.supervision.ProbeKind;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import okhttp3.OkHttpClient;
import org.assertj.core.groups.Tuple;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** That the router that runs lists the active servers, however often it is another one. */
class RouterDeskTest {
    private static final Duration SOON = Duration.ofSeconds(1);
    private static final ServerEndpoint FIRST =
            new ServerEndpoint("http://a:1", "regular", null, null, "engines:0", null);
    private static final ServerEndpoint SECOND =
            new ServerEndpoint("http://b:2", "regular", null, null, "engines:1", null);

    @TempDir
    Path folder;

    private final Map<String, FakeRouter> routers = new ConcurrentHashMap<>();
    private final Map<String, String> told = new ConcurrentHashMap<>();
    private final List<String> events = new CopyOnWriteArrayList<>();
    private Roster roster;
    private RouterDesk desk;

    /** A router that lists what it is told to, unless it refuses. */
    private static final class FakeRouter implements RouterApi {
        private final Map<String, ServerEndpoint> listed = new ConcurrentHashMap<>();
        private final Set<String> refused = ConcurrentHashMap.newKeySet();
        private final Set<String> unhealthy = ConcurrentHashMap.newKeySet();
        private volatile Runnable onRegister = () -> {};

        @Override
        public RegisteredServer register(ServerEndpoint server, Duration timeout) {
            if (refused.contains(server.url())) {
                throw new RouterApiException("The router refused " + server.url() + ".");
            }
            onRegister.run();
            listed.put(server.url(), server);
            unhealthy.remove(server.url());
            return listed(server);
        }

        private RegisteredServer listed(ServerEndpoint server) {
            return new RegisteredServer(
                    server.url(), server.url(), server.workerType(), null, !unhealthy.contains(server.url()));
        }

        @Override
        public boolean unregister(String url, Duration timeout) {
            if (refused.contains(url)) {
                throw new RouterApiException("The router refused to let go of " + url + ".");
            }
            return listed.remove(url) != null;
        }

        @Override
        public List<RegisteredServer> servers(Duration timeout) {
            return listed.values().stream().map(this::listed).toList();
        }

        Set<String> urls() {
            return new TreeSet<>(listed.keySet());
        }
    }

    @BeforeEach
    void openDesk() {
        roster = new Roster(new MemoryFile(folder.resolve("roster.json")));
        desk = new RouterDesk(
                roster,
                new LivenessProbe(new OkHttpClient(), ProbeKind.HEALTH, SOON),
                url -> routers.computeIfAbsent(url, key -> new FakeRouter()),
                kept -> new ServerEndpoint(
                        kept.url(), kept.workerType(), null, "key of " + kept.actor(), kept.actor(), null),
                server -> Optional.ofNullable(told.get(server.url())));
        desk.report((kind, text) -> events.add(text));
        desk.open("http://router");
        desk.register(FIRST, SOON);
        desk.register(SECOND, SOON);
    }

    @AfterEach
    void closeDesk() {
        desk.close();
    }

    private FakeRouter router() {
        return Objects.requireNonNull(routers.get("http://router"));
    }

    @Test
    void anEngineOutOfOrderIsTakenOffTheListAndPutOnAgain() {
        assertThat(desk.suspend("http://a:1", "it died")).isTrue();
        assertThat(router().urls()).containsExactly("http://b:2");
        assertThat(desk.resume("http://a:1", FIRST)).isTrue();
        assertThat(router().urls()).containsExactly("http://a:1", "http://b:2");
        assertThat(events).contains("http://a:1 gets no requests: it died", "http://a:1 gets requests again");
    }

    @Test
    void whatIsNoMemberIsLeftAlone() {
        desk.unregister("http://a:1");
        assertThat(desk.suspend("http://a:1", "it died")).isFalse();
        assertThat(desk.resume("http://a:1", FIRST)).isFalse();
        assertThat(router().urls()).containsExactly("http://b:2");
    }

    @Test
    void aRegistrationThatFailedIsNoMembership() {
        router().refused.add("http://c:3");
        assertThatThrownBy(() -> desk.register(ServerEndpoint.regular("http://c:3"), SOON))
                .isInstanceOf(RouterApiException.class);
        assertThat(roster.active()).containsExactly(FIRST, SECOND);
    }

    @Test
    void aNewRouterGetsTheActiveServersWithTheirKeys() {
        desk.suspend("http://b:2", "it died");
        desk.withdraw();
        FakeRouter fresh = new FakeRouter();
        routers.put("http://router", fresh);
        desk.publish("http://router");
        assertThat(fresh.urls()).containsExactly("http://a:1");
        assertThat(fresh.listed.values()).extracting(ServerEndpoint::apiKey).containsExactly("key of engines:0");
    }

    @Test
    void meanwhileEnginesAreOnlyNoted() {
        desk.withdraw();
        assertThat(desk.suspend("http://a:1", "it died")).isTrue();
        assertThat(desk.suspend("http://b:2", "it died too")).isTrue();
        assertThat(desk.resume("http://b:2", SECOND)).isTrue();
        assertThatThrownBy(desk::servers).hasMessageContaining("does not run at the moment");
        routers.put("http://router", new FakeRouter());
        desk.publish("http://router");
        assertThat(router().urls()).containsExactly("http://b:2");
    }

    @Test
    void aListThatIsRightStays() {
        Map<String, ServerEndpoint> before = new TreeMap<>(router().listed);
        desk.publish("http://router");
        assertThat(new TreeMap<>(router().listed)).isEqualTo(before);
        assertThat(events).doesNotContain("http://a:1 is known to the new router");
    }

    @Test
    void aListThatIsWrongIsPutRight() {
        roster.suspend("http://a:1");
        router().unhealthy.add("http://b:2");
        desk.publish("http://router");
        assertThat(router().servers(SOON))
                .extracting(RegisteredServer::url, RegisteredServer::healthy)
                .containsExactly(Tuple.tuple("http://b:2", true));
    }

    @Test
    void whoeverIsRefusedIsNamedAndTheOthersAreRegistered() {
        FakeRouter fresh = new FakeRouter();
        fresh.refused.add("http://a:1");
        routers.put("http://router", fresh);
        assertThatThrownBy(() -> desk.publish("http://router"))
                .isInstanceOf(WorkerFailure.class)
                .hasMessageContaining("http://a:1");
        assertThat(fresh.urls()).containsExactly("http://b:2");
    }

    @Test
    void anEngineThatDiesWhileItIsRegisteredAgainIsTakenOff() {
        FakeRouter fresh = new FakeRouter();
        fresh.onRegister = () -> roster.suspend("http://a:1");
        routers.put("http://router", fresh);
        desk.publish("http://router");
        assertThat(fresh.urls()).containsExactly("http://b:2");
    }

    @Test
    void anEngineThatDiesWhileItIsPutOnAgainIsTakenOff() {
        desk.suspend("http://a:1", "it died");
        router().onRegister = () -> roster.suspend("http://a:1");
        assertThatThrownBy(() -> desk.resume("http://a:1", FIRST)).hasMessageContaining("went out of order");
        assertThat(router().urls()).containsExactly("http://b:2");
        assertThat(roster.suspended()).containsExactly("http://a:1");
    }

    @Test
    void anEngineThatDiesWhileItIsAddedIsNoMember() {
        router().onRegister = () -> desk.suspend("http://c:3", "it died");
        assertThatThrownBy(() -> desk.register(ServerEndpoint.regular("http://c:3"), SOON))
                .hasMessageContaining("went out of order");
        assertThat(router().urls()).containsExactly("http://a:1", "http://b:2");
        assertThat(roster.knows("http://c:3")).isFalse();
    }

    @Test
    void aFailedSuspensionIsRepeatable() {
        router().refused.add("http://a:1");
        assertThatThrownBy(() -> desk.suspend("http://a:1", "it died")).isInstanceOf(RouterApiException.class);
        assertThat(roster.active()).containsExactly(SECOND);
        router().refused.clear();
        assertThat(desk.suspend("http://a:1", "it died")).isTrue();
        assertThat(router().urls()).containsExactly("http://b:2");
        assertThat(events).filteredOn(text -> text.contains("it died")).hasSize(1);
    }

    private static FleetWeights weights(String version) {
        return new FleetWeights(new Weights(version, "/weights/" + version, null));
    }

    @Test
    void aServerThatIsNamedByItsUrlIsAskedForItsWeights() {
        told.put("http://old:3", "6");
        told.put("http://same:4", "7");
        desk.commit(weights("7"), false);
        assertThatThrownBy(() -> desk.register(ServerEndpoint.regular("http://old:3"), SOON))
                .hasMessageContaining("http://old:3 has weights of version 6, and the fleet those of 7");
        desk.register(ServerEndpoint.regular("http://same:4"), SOON);
        desk.register(ServerEndpoint.regular("http://silent:5"), SOON);
        assertThat(router().urls()).contains("http://same:4", "http://silent:5").doesNotContain("http://old:3");
        assertThat(roster.knows("http://old:3")).isFalse();
        // The next weights are not its: nobody updates it.
        desk.commit(weights("8"), false);
        assertThat(router().urls()).contains("http://silent:5").doesNotContain("http://same:4");
    }

    @Test
    void aServerThatTellsItsWeightsOnceItIsUpIsTakenOffAgain() {
        desk.commit(weights("7"), false);
        router().onRegister = () -> told.put("http://late:3", "6");
        assertThatThrownBy(() -> desk.register(ServerEndpoint.regular("http://late:3"), SOON))
                .hasMessageContaining("has weights of version 6");
        assertThat(router().urls()).doesNotContain("http://late:3");
        assertThat(roster.knows("http://late:3")).isFalse();
    }
}
