/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.dashboard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.sglangray.app.monitor.FakeFleet;
import dev.sglangray.app.monitor.ListenAddress;
import dev.sglangray.app.monitor.TrainerStep;
import dev.sglangray.config.Config;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.workers.protocol.EngineLoad;
import dev.sglangray.workers.supervision.EventKind;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the page serves, over HTTP, of a fake fleet. */
class DashboardTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int TIMEOUT = 20_000;

    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : open) {
            each.close();
        }
    }

    private FakePage page(FakeFleet fleet, @Nullable String key) {
        FakePage page = FakePage.still(fleet, key, Duration.ofSeconds(15));
        open.add(page);
        return page;
    }

    /** One answer, its status line and headers in lower case. */
    private record Answer(String head, String body) {}

    private static int port(FakePage page) {
        return URI.create(page.page.url()).getPort();
    }

    private static Answer send(FakePage page, String request) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port(page))) {
            socket.setSoTimeout(TIMEOUT);
            socket.getOutputStream().write((request + "Connection: close\r\n\r\n").getBytes(StandardCharsets.UTF_8));
            String all = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int end = all.indexOf("\r\n\r\n");
            return new Answer(all.substring(0, end).toLowerCase(Locale.ROOT), all.substring(end + 4));
        }
    }

    private static String get(String path, String... headers) {
        StringBuilder request = new StringBuilder("GET " + path + " HTTP/1.1\r\n");
        for (String header : headers) {
            request.append(header).append("\r\n");
        }
        return request.toString();
    }

    /** A browser: what it has by now, part by part. */
    private final class Reader implements AutoCloseable {
        private final BufferedReader lines;
        private final Map<String, Map<String, JsonNode>> parts = new HashMap<>();
        private long bytes;

        Reader(FakePage page) throws IOException {
            open.add(this);
            HttpRequest request = HttpRequest.newBuilder(URI.create(page.page.url() + "/stream"))
                    .timeout(Duration.ofMillis(TIMEOUT))
                    .build();
            try {
                HttpResponse<InputStream> answer =
                        HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofInputStream());
                assertThat(answer.statusCode()).isEqualTo(200);
                assertThat(answer.headers().firstValue("content-type")).hasValue("text/event-stream; charset=utf-8");
                lines = new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8));
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        /** Reads until an entry is so, and says which parts came. */
        List<String> until(String part, String id, String pointer, String value) throws IOException {
            List<String> came = new ArrayList<>();
            String event = "";
            while (!entry(part, id).at(pointer).asText().equals(value)) {
                String line = lines.readLine();
                assertThat(line).as("the stream goes on").isNotNull();
                bytes += line.length() + 1;
                if (line.startsWith("event: ")) {
                    event = line.substring(7);
                    came.add(event);
                } else if (line.startsWith("data: ")) {
                    take(event, line.substring(6));
                }
            }
            return came;
        }

        private void take(String part, String data) throws JsonProcessingException {
            Map<String, JsonNode> entries = parts.computeIfAbsent(part, name -> new HashMap<>());
            JSON.readTree(data).properties().forEach(entry -> {
                if (entry.getValue().isNull()) {
                    entries.remove(entry.getKey());
                } else {
                    entries.put(entry.getKey(), entry.getValue());
                }
            });
        }

        JsonNode entry(String part, String id) {
            return parts.getOrDefault(part, Map.of()).getOrDefault(id, MissingNode.getInstance());
        }

        Map<String, JsonNode> all(String part) {
            return parts.getOrDefault(part, Map.of());
        }

        @Override
        public void close() throws IOException {
            lines.close();
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            dashboard: 9400           | must be a map, such as {port: 9400}
            dashboard: {prot: 1}      | unknown key 'prot'
            dashboard: {port: -1}     | port must be from 0 to 65535, not -1
            dashboard: {host: ''}     | host must be an address
            """)
    void wrongSettingsAreRefusedWithThePlace(String yaml, String words) {
        assertThatThrownBy(() -> DashboardSettings.read(Config.parse(yaml)))
                .isInstanceOfSatisfying(
                        ConfigException.class,
                        refusal -> assertThat(refusal.render()).contains("dashboard", words));
    }

    @Test
    void isOffUnlessAskedAndThenOnLoopback() {
        assertThat(DashboardSettings.read(Config.parse("{}"))).isEmpty();
        assertThat(DashboardSettings.read(Config.parse("dashboard: {}")))
                .hasValue(new DashboardSettings(new ListenAddress(0, "127.0.0.1")));
    }

    @Test
    void theDocumentHasNoDataAndAllowsNothingButItself() throws IOException {
        FakePage page = page(new FakeFleet(1), "secret-key");
        Answer document = send(page, get("/", "Host: 127.0.0.1"));
        assertThat(document.head())
                .startsWith("http/1.1 200")
                .contains(
                        "default-src 'none'; script-src 'sha256-",
                        "frame-ancestors 'none'",
                        "cache-control: no-store",
                        "x-content-type-options: nosniff",
                        "referrer-policy: no-referrer")
                .doesNotContain("access-control");
        assertThat(document.body())
                .contains("<title>Fleet</title>")
                .doesNotContain("secret-key", "innerHTML", "https://", "E:0")
                .as("everything is in the document")
                .doesNotContain("src=", "@import", "url(");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            /        | Host: localhost                                             |             | 200
            /        | Host: evil.example                                          |             | 403
            /        | Host: localhost.evil.example                                |             | 403
            /        | Host: localhost:1 | Sec-Fetch-Site: cross-site              | 403
            /stream  | Host: 127.0.0.1                                             |             | 401
            /stream  | Host: 127.0.0.1   | Authorization: Bearer wrong             | 401
            /stream  | Host: 127.0.0.1   | Authorization: sesame                    | 401
            /stream?key=sesame | Host: 127.0.0.1                                    |             | 401
            /stream  | Host: localhost:1 | Origin: http://localhost:2              | 403
            /stream  | Host: localhost:1 | Origin: null                            | 403
            /stream  | Host: localhost:1 | Sec-Fetch-Site: cross-site              | 403
            /stream  | Host: localhost:1 | Sec-Fetch-Site: same-site               | 403
            /stream  | Host: localhost:1 | Sec-Fetch-Site: same-origin             | 401
            /stream  | Host: localhost:1 | Origin: http://localhost:1              | 401
            /other   | Host: localhost                                             |             | 404
            """)
    void aWrongKeyAndAForeignOriginGetNothing(String path, String host, @Nullable String header, int status)
            throws IOException {
        FakePage page = page(new FakeFleet(1), "sesame");
        page.monitor.look();
        Answer answer = send(page, header == null ? get(path, host) : get(path, host, header));
        assertThat(answer.head()).startsWith("http/1.1 " + status);
        assertThat(answer.body()).doesNotContain("data: {\"", "10.0.0.1", "sesame");
    }

    @Test
    void aLinkOnAnotherPageLeadsToTheDocument() throws IOException {
        FakePage page = page(new FakeFleet(1), null);
        assertThat(send(
                                page,
                                get(
                                        "/",
                                        "Host: localhost",
                                        "Sec-Fetch-Site: cross-site",
                                        "Sec-Fetch-Mode: navigate",
                                        "Sec-Fetch-Dest: document"))
                        .head())
                .startsWith("http/1.1 200");
        assertThat(send(
                                page,
                                get(
                                        "/",
                                        "Host: localhost",
                                        "Sec-Fetch-Site: cross-site",
                                        "Sec-Fetch-Mode: navigate",
                                        "Sec-Fetch-Dest: iframe"))
                        .head())
                .startsWith("http/1.1 403");
    }

    @Test
    void onlyReads() throws IOException {
        FakePage page = page(new FakeFleet(1), null);
        assertThat(send(page, "POST /stream HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n")
                        .head())
                .startsWith("http/1.1 405");
        Answer head = send(page, "HEAD / HTTP/1.1\r\nHost: localhost\r\n");
        assertThat(head.head()).startsWith("http/1.1 200");
        assertThat(head.body()).isEmpty();
    }

    @Test
    void aBrowserThatComesLateSeesTheEventsSinceTheLaunch() throws IOException {
        FakeFleet fleet = new FakeFleet(2);
        FakePage page = page(fleet, null);
        fleet.happens(fleet.engine(0), EventKind.STARTED, "serves after 40 s");
        page.monitor.phaseBegan("start", "starting 2 engine(s)");
        page.monitor.phase("start", Duration.ofSeconds(40));
        page.monitor.look();
        page.monitor.launched(Optional.empty());
        page.monitor.look();
        Reader reader = new Reader(page);
        reader.until("fleet", "", "/verdict", "HEALTHY");
        reader.until("events", "1", "/text", "serves after 40 s");
        assertThat(reader.entry("launch", "0"))
                .hasToString(
                        "{\"phase\":\"start\",\"what\":\"starting 2 engine(s)\",\"time\":\"2026-11-30T10:00:00Z\",\"seconds\":40.0}");
        assertThat(reader.all("engines")).containsOnlyKeys("0", "1");
        assertThat(reader.entry("fleet", "").path("serving").asInt()).isEqualTo(2);
    }

    @Test
    void sendsOnlyWhatChanged() throws IOException {
        FakeFleet fleet = new FakeFleet(2);
        FakePage page = page(fleet, null);
        page.monitor.launched(Optional.empty());
        page.monitor.look();
        Reader reader = new Reader(page);
        reader.until("look", "", "/time", "2026-11-30T10:00:00Z");
        assertThat(reader.all("configuration")).isNotEmpty();

        fleet.passes(1);
        fleet.load(1, new EngineLoad(3, 0, 10.5, 0.5));
        page.monitor.look();
        List<String> came = reader.until("load", "1", "/running", "3");
        assertThat(came).doesNotContain("engines", "configuration", "events", "router");
        assertThat(reader.entry("load", "1"))
                .hasToString("{\"running\":3,\"queued\":0,\"tokensPerSecond\":10.5,\"kvUse\":0.5}");

        reader.until("look", "", "/time", "2026-11-30T10:00:01Z");

        fleet.remove(1);
        fleet.wanted = 1;
        fleet.passes(1);
        page.monitor.look();
        reader.until("look", "", "/time", "2026-11-30T10:00:02Z");
        Reader late = new Reader(page);
        late.until("fleet", "", "/wanted", "1");
        late.until("engines", "0", "/rank", "0");
        assertThat(late.all("engines")).containsOnlyKeys("0");
        assertThat(reader.all("engines")).containsOnlyKeys("0");
        assertThat(reader.all("load")).containsOnlyKeys("0");
    }

    /** 1,000 engines of which each has another load at every look. */
    @Test
    void aThousandBusyEnginesAreLessThanAHundredKilobytesALook() throws IOException {
        FakeFleet fleet = new FakeFleet(1000, 8);
        FakePage page = page(fleet, null);
        page.monitor.launched(Optional.empty());
        page.monitor.look();
        Reader reader = new Reader(page);
        reader.until("load", "999", "/running", "null");
        reader.until("look", "", "/time", "2026-11-30T10:00:00Z");
        long begin = reader.bytes;
        for (int look = 1; look <= 5; look++) {
            fleet.passes(1);
            for (int rank = 0; rank < 1000; rank++) {
                fleet.load(rank, new EngineLoad(look * 10, rank % 7, 1000.25 + look, 0.123 * look));
            }
            page.monitor.look();
            reader.until("load", "999", "/running", String.valueOf(look * 10));
        }
        assertThat((reader.bytes - begin) / 5).isLessThan(100_000);
    }

    @Test
    void looksAreWantedOftenOnlyWhileABrowserWatches() throws IOException {
        FakePage page = page(new FakeFleet(1), null);
        assertThat(page.page.interval()).isEqualTo(Duration.ofMinutes(1));
        assertThat(page.page.wantsLoad()).isFalse();
        Reader reader = new Reader(page);
        reader.until("fleet", "", "/verdict", "LAUNCHING");
        assertThat(page.page.interval()).isEqualTo(Duration.ofSeconds(1));
        assertThat(page.page.wantsLoad()).isTrue();

        reader.close();
        Awaitility.await("the end of the stream").untilAsserted(() -> {
            page.monitor.look();
            page.monitor.launched(Optional.empty());
            page.monitor.phaseBegan("start", "more");
            assertThat(page.page.wantsLoad()).isFalse();
        });
    }

    @Test
    void oneBrowserTooManyIsRefusedWithWords() throws IOException {
        FakePage page = page(new FakeFleet(1), null);
        List<Reader> readers = new ArrayList<>();
        for (int i = 0; i < Browsers.MOST; i++) {
            readers.add(new Reader(page));
            readers.get(i).until("fleet", "", "/verdict", "LAUNCHING");
        }
        Answer refused = send(page, get("/stream", "Host: localhost"));
        assertThat(refused.head()).startsWith("http/1.1 503");
        assertThat(refused.body()).contains("16 browsers watch this fleet");
        assertThat(send(page, get("/", "Host: localhost")).head()).startsWith("http/1.1 200");
        page.monitor.launched(Optional.empty());
        readers.get(0).until("fleet", "", "/verdict", "HEALTHY");
    }

    /** It never reads; its stream is ended when the buffers in between are full. */
    @Test
    void aBrowserThatDoesNotReadHoldsUpNothing() throws IOException {
        FakeFleet fleet = new FakeFleet(400, 8);
        FakePage page = FakePage.still(fleet, null, Duration.ofMillis(50));
        open.add(page);
        page.monitor.launched(Optional.empty());
        try (Socket stuck = new Socket()) {
            stuck.setReceiveBufferSize(4096);
            stuck.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port(page)));
            stuck.getOutputStream()
                    .write((get("/stream", "Host: localhost") + "\r\n").getBytes(StandardCharsets.UTF_8));
            Awaitility.await("it is there").until(page.page::wantsLoad);
            int[] look = {0};
            Awaitility.await("its end")
                    .pollInterval(Duration.ofMillis(5))
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> {
                        look[0]++;
                        for (int rank = 0; rank < 400; rank++) {
                            fleet.load(rank, new EngineLoad(look[0], rank, null, null));
                        }
                        page.monitor.look();
                        return !page.page.wantsLoad();
                    });
        }
        Reader other = new Reader(page);
        other.until("fleet", "", "/wanted", "400");
    }

    @Test
    void streamsEndWithTheFleet() throws IOException {
        FakePage page = page(new FakeFleet(1), null);
        Reader reader = new Reader(page);
        reader.until("fleet", "", "/verdict", "LAUNCHING");
        page.close();
        Awaitility.await("the end of the stream")
                .untilAsserted(() -> assertThat(page.page.wantsLoad()).isFalse());
        assertThatThrownBy(() -> reader.until("fleet", "", "/verdict", "LOST"))
                .isInstanceOfAny(IOException.class, AssertionError.class);
    }

    @Test
    void theConfigurationHasOriginsAndNoSecrets() throws IOException {
        FakePage page = page(new FakeFleet(1), null);
        Reader reader = new Reader(page);
        reader.until("fleet", "", "/verdict", "LAUNCHING");
        reader.until("configuration", "0", "/path", "cluster");
        assertThat(reader.all("configuration").values().toString())
                .contains(
                        "\"path\":\"router_server_args.router.policy\"",
                        "\"value\":\"cache_aware\"",
                        "\"origin\":\"<text>:7:",
                        "<hidden>")
                .doesNotContain("very-secret");
    }

    @Test
    void anUpdateHasItsSlowestEnginesTimes() throws IOException {
        FakeFleet fleet = new FakeFleet(2);
        FakePage page = page(fleet, null);
        page.monitor.launched(Optional.empty());
        for (int rank = 0; rank < 2; rank++) {
            fleet.happens(fleet.engine(rank), EventKind.HELD, "weights are replaced by version 7 from x");
            fleet.passes(1 + rank);
            fleet.happens(fleet.engine(rank), EventKind.WITHDRAWN, "no requests are sent to it");
            fleet.passes(3);
            fleet.happens(
                    fleet.engine(rank), EventKind.WEIGHTS, "the engine has weights of version 7 from x from /c/7");
            fleet.happens(fleet.engine(rank), EventKind.HELD, "no longer: weights are replaced by version 7 from x");
            fleet.passes(4 - rank);
            fleet.happens(fleet.engine(rank), EventKind.PUBLISHED, "requests are sent to it");
        }
        fleet.happens(fleet.engine(1), EventKind.HELD, "weights are replaced by version 8");
        fleet.happens(fleet.engine(1), EventKind.WEIGHTS, "no weights of version 8 from /c/8: no such folder");
        page.monitor.look();
        Reader reader = new Reader(page);
        reader.until("updates", "0", "/version", "7 from x");
        assertThat(reader.all("updates")).hasSize(1);
        JsonNode update = reader.entry("updates", "0");
        assertThat(update.path("ranks")).hasToString("[0,1]");
        assertThat(update.path("withdraw_s").asDouble()).isEqualTo(2);
        assertThat(update.path("load_s").asDouble()).isEqualTo(3);
        assertThat(update.path("return_s").asDouble()).isEqualTo(4);
    }

    @Test
    void reportsOfAStepAddUpAndTheOldestAreForgotten() throws IOException {
        FakePage page = page(new FakeFleet(1), null);
        page.monitor.reported(new TrainerStep(7, Map.of("reward", 0.5)));
        page.monitor.reported(new TrainerStep(7, Map.of("loss", 2.0)));
        Reader reader = new Reader(page);
        reader.until("steps", "7", "/loss", "2.0");
        assertThat(reader.entry("steps", "7")).hasToString("{\"loss\":2.0,\"reward\":0.5}");
        for (int step = 8; step <= 7 + FleetBoard.MOST_STEPS; step++) {
            page.monitor.reported(new TrainerStep(step, Map.of("reward", 0.5)));
        }
        Reader late = new Reader(page);
        late.until("steps", "1007", "/reward", "0.5");
        assertThat(late.all("steps")).hasSize(FleetBoard.MOST_STEPS).doesNotContainKey("7");
    }

    @Test
    void aFailedLookIsSaid() throws IOException {
        FakeFleet fleet = new FakeFleet(1);
        FakePage page = page(fleet, null);
        fleet.failure = new IllegalStateException("Ray does not answer");
        page.monitor.look();
        Reader reader = new Reader(page);
        reader.until("look", "", "/problem", "Ray does not answer");
    }
}
