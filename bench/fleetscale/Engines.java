/* SPDX-License-Identifier: Apache-2.0 */
import dev.sglangray.workers.engine.EngineController;
import dev.sglangray.workers.engine.EnginePort;
import dev.sglangray.workers.engine.EngineRecord;
import dev.sglangray.workers.engine.EngineSettings;
import dev.sglangray.workers.loop.RecordStore;
import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.protocol.EngineLoad;
import dev.sglangray.workers.protocol.EngineReport;
import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.ProtocolJson;
import dev.sglangray.workers.protocol.ReportReply;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.UpdateNotice;
import dev.sglangray.workers.protocol.WeightUpdate;
import dev.sglangray.workers.protocol.Weights;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.supervision.MonotonicClock;
import dev.sglangray.workers.supervision.OnDegraded;
import dev.sglangray.workers.supervision.OnNodeLoss;
import dev.sglangray.workers.supervision.ProbeKind;
import dev.sglangray.workers.supervision.ProcessActions;
import dev.sglangray.workers.supervision.RestartMode;
import dev.sglangray.workers.supervision.Signal;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/**
 * Many engines in one process: of each the real {@code EngineController}, which reports to the registry, and a listener of its own
 * that answers what a router asks. No engine's process is started, and nothing is computed.
 *
 * <p>Arguments: group, first rank, how many, of how many. The router's worker comes by the command {@code router PORT}.
 */
final class Engines {
    private static final int PORT = 21_000;
    private static final SupervisionPolicy POLICY = new SupervisionPolicy(
            RestartMode.ALWAYS, 5, 600, 1, 4, ProbeKind.NONE, 10, 5, 3, OnDegraded.CONTINUE, OnNodeLoss.WAIT, 30);
    private static final Weights INITIAL = new Weights("default", "/model", null);

    private final ThreadLoop loop = new ThreadLoop("engines", new MonotonicClock());
    private final Map<Integer, Engine> engines = new LinkedHashMap<>();
    private final LongAdder reports = new LongAdder();
    private final LongAdder asked = new LongAdder();
    private final LongAdder served = new LongAdder();
    private final Selector selector = Selector.open();
    private final ConcurrentLinkedQueue<Runnable> todo = new ConcurrentLinkedQueue<>();
    private final String group;
    private final int of;
    private volatile Bus.Client router;

    private Engines(String group, int first, int count, int of) throws IOException {
        this.group = group;
        this.of = of;
        for (int rank = first; rank < first + count; rank++) {
            engines.put(rank, new Engine(rank));
        }
    }

    public static void main(String[] words) throws IOException {
        Engines all = new Engines(
                words[0], Integer.parseInt(words[1]), Integer.parseInt(words[2]), Integer.parseInt(words[3]));
        Thread http = new Thread(all::serve, "http");
        http.setDaemon(true);
        http.start();
        System.out.println(Bus.serve(all::call));
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            String[] parts = line.split(" ");
            switch (parts[0]) {
                case "router" -> all.router = new Bus.Client(Integer.parseInt(parts[1]));
                case "kill" -> all.kill(Integer.parseInt(parts[1]), Integer.parseInt(parts[2]));
                default -> { }
            }
            System.out.println(Bus.json(Map.of(
                    "reports", all.reports.sum(), "asked", all.asked.sum(), "http", all.served.sum())));
        }
    }

    static String address(int rank) {
        return "127." + (1 + rank / 62_500) + "." + rank / 250 % 250 + "." + (1 + rank % 250);
    }

    /** One engine and its worker. */
    private final class Engine {
        final int rank;
        final String url;
        final String actor;
        final ServerSocketChannel listener = ServerSocketChannel.open();
        final List<SocketChannel> connections = new ArrayList<>();
        final EngineController controller;
        boolean started;

        Engine(int rank) throws IOException {
            this.rank = rank;
            url = "http://" + address(rank) + ":" + PORT;
            actor = group + ":" + rank;
            listener.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            listener.bind(new InetSocketAddress(address(rank), PORT), 64);
            listener.configureBlocking(false);
            listener.register(selector, SelectionKey.OP_ACCEPT, this);
            String key = FakeRay.id(actor).toString();
            controller = new EngineController(
                    new EngineSettings(
                            key,
                            actor,
                            () -> INITIAL,
                            true,
                            false,
                            Duration.ofMinutes(1),
                            () -> started
                                    ? new ServerEndpoint(url, "regular", null, null, actor, key, 0, null, true)
                                    : null,
                            Optional::empty,
                            path -> Optional.empty()),
                    POLICY,
                    loop,
                    (kind, text) -> {},
                    new Process(),
                    new Idle(),
                    this::report,
                    new Memory(),
                    of,
                    false);
        }

        CompletableFuture<Optional<ReportReply>> report(EngineReport report) {
            reports.increment();
            return loop.here(router.call("router", "reportEngine", ProtocolJson.write(report)))
                    .thenApply(text -> Optional.of(ProtocolJson.read((String) text, ReportReply.class)));
        }

        String status() {
            return ProtocolJson.write(new WorkerStatus(
                    new WorkerStatus.Identity("server", group, rank, of, "", "regular", "/model", true),
                    "READY",
                    url,
                    new WorkerStatus.ProcessPart(
                            "0123456789abcdef0123456789abcdef0123456789abcdef01234567",
                            "10.0." + rank / 8 / 250 + "." + rank / 8 % 250,
                            4000L + rank,
                            3000L + rank,
                            List.of(String.valueOf(rank % 8)),
                            "/tmp/ray/session_2026-12-01_00-00-00_000000_1/logs/sglang-ray-" + group + "-" + rank + ".log",
                            41.5,
                            List.of()),
                    new WorkerStatus.SupervisionPart(null, Instant.EPOCH.toString(), 0, null, 7, null),
                    new WorkerStatus.ServicePart(controller.weightVersion(), controller.conditions(), Map.of())));
        }
    }

    private final class Process implements ProcessActions {
        @Override
        public CompletableFuture<Void> start(int incarnation, boolean sameUrl, Consumer<Signal> news) {
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public CompletableFuture<Void> end(int incarnation, boolean gently) {
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public CompletableFuture<Void> probe(int incarnation) {
            return CompletableFuture.completedFuture(null);
        }
    }

    /** An engine without requests, which loads any weights at once. */
    private final class Idle implements EnginePort {
        private <T> CompletableFuture<T> soon(T value) {
            return loop.here(CompletableFuture.completedFuture(value));
        }

        @Override
        public CompletableFuture<Answer> post(String path, Map<String, ?> body, Duration timeout) {
            return soon(new Answer(200, "{\"success\": true}"));
        }

        @Override
        public CompletableFuture<Answer> postBucket(
                WeightUpdate update, int index, Map<String, ?> more, Duration timeout) {
            return soon(new Answer(200, "{\"success\": true}"));
        }

        @Override
        public CompletableFuture<OptionalInt> requests(Duration timeout) {
            return soon(OptionalInt.of(0));
        }
    }

    private static final class Memory implements RecordStore<EngineRecord> {
        @Override
        public CompletableFuture<Void> save(EngineRecord record) {
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public Optional<EngineRecord> load() {
            return Optional.empty();
        }

        @Override
        public void delete() {}
    }

    /** What Ray would carry to one worker. */
    private CompletableFuture<Object> call(String actor, String method, List<Object> arguments) {
        Engine engine = engines.get(Integer.parseInt(actor.substring(actor.lastIndexOf(':') + 1)));
        EngineController controller = engine.controller;
        return switch (method) {
            case "initServer" -> loop.ask(() -> {
                engine.started = true;
                controller.adopt(engine.url);
                return controller.awaitFleetWeights(Duration.ofSeconds(10)).thenApply(done -> engine.url);
            });
            case "getServerUrl" -> CompletableFuture.completedFuture(engine.url);
            case "endpoint" -> now(() -> ProtocolJson.write(controller.endpoint()));
            case "status" -> now(engine::status);
            case "events" -> CompletableFuture.completedFuture("[]");
            case "load" -> CompletableFuture.completedFuture(ProtocolJson.write(new EngineLoad(3, 0, 900.0, 0.25)));
            case "fleetWeights" -> now(() -> ProtocolJson.write(controller.record().fleet()));
            case "prepareUpdate" -> loop.ask(() -> controller
                    .prepare(
                            ProtocolJson.read((String) arguments.get(0), UpdateNotice.class),
                            seconds(arguments.get(1)),
                            seconds(arguments.get(2)))
                    .thenApply(ProtocolJson::write));
            case "applyUpdate" -> loop.ask(() -> controller
                    .apply(
                            (String) arguments.get(0),
                            ProtocolJson.read((String) arguments.get(1), WeightUpdate.class),
                            seconds(arguments.get(2)))
                    .thenApply(ProtocolJson::write));
            case "settleUpdate" -> loop.ask(() -> controller
                    .settle(
                            ProtocolJson.read((String) arguments.get(0), FleetWeights.class),
                            (String) arguments.get(1),
                            seconds(arguments.get(2)))
                    .thenApply(words -> words));
            case "reportAgain" -> now(() -> {
                asked.increment();
                controller.reportAgain();
                return true;
            });
            case "watch" -> new CompletableFuture<>();
            case "shutdown" -> now(() -> {
                controller.end();
                return true;
            });
            default -> CompletableFuture.completedFuture(true);
        };
    }

    private static Duration seconds(Object count) {
        return Duration.ofSeconds(((Number) count).longValue());
    }

    private CompletableFuture<Object> now(java.util.function.Supplier<Object> question) {
        return loop.ask(() -> CompletableFuture.completedFuture(question.get()));
    }

    /** Engines and their workers die: nothing listens any more, connections end, and no report comes. */
    private void kill(int from, int to) {
        for (int rank = from; rank < to; rank++) {
            Engine engine = engines.get(rank);
            if (engine == null) {
                continue;
            }
            loop.execute(engine.controller::end);
            todo.add(() -> {
                close(engine.listener);
                List.copyOf(engine.connections).forEach(Engines::close);
            });
        }
        selector.wakeup();
    }

    private static void close(java.io.Closeable channel) {
        try {
            channel.close();
        } catch (IOException e) {
            // Closed all the same.
        }
    }

    /** One thread for all listeners and connections. */
    private void serve() {
        ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 16);
        while (true) {
            try {
                selector.select();
                for (Runnable one = todo.poll(); one != null; one = todo.poll()) {
                    one.run();
                }
                for (SelectionKey key : selector.selectedKeys()) {
                    if (key.isValid() && key.isAcceptable()) {
                        accept(key);
                    } else if (key.isValid() && key.isReadable()) {
                        read(key, buffer);
                    }
                }
                selector.selectedKeys().clear();
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
    }

    private void accept(SelectionKey key) throws IOException {
        Engine engine = (Engine) key.attachment();
        SocketChannel channel = engine.listener.accept();
        if (channel != null) {
            channel.configureBlocking(false);
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            engine.connections.add(channel);
            channel.register(selector, SelectionKey.OP_READ, engine);
        }
    }

    private void read(SelectionKey key, ByteBuffer buffer) {
        Engine engine = (Engine) key.attachment();
        SocketChannel channel = (SocketChannel) key.channel();
        try {
            buffer.clear();
            int count = channel.read(buffer);
            if (count < 0) {
                engine.connections.remove(channel);
                channel.close();
                return;
            }
            buffer.flip();
            // Small requests without a body, one at a time, as a router sends them.
            String request = StandardCharsets.ISO_8859_1.decode(buffer).toString();
            if (request.isEmpty()) {
                return;
            }
            String[] words = request.split(" ", 3);
            if (words.length < 3 || !words[2].startsWith("HTTP/1.1")) {
                // A router tries first whether it is a server of gRPC.
                engine.connections.remove(channel);
                channel.close();
                return;
            }
            served.increment();
            String path = words[1].split("\\?")[0];
            String body = switch (path) {
                case "/health", "/health_generate" -> "";
                case "/model_info", "/get_model_info" -> "{\"model_path\": \"/model\", \"is_generation\": true}";
                case "/server_info", "/get_server_info" -> "{\"model_path\": \"/model\", \"tp_size\": 1, \"dp_size\": 1}";
                case "/v1/models" -> "{\"object\": \"list\", \"data\": [{\"id\": \"/model\", \"object\": \"model\"}]}";
                case "/v1/loads" -> "{\"loads\": [{\"num_running_reqs\": 0, \"num_waiting_reqs\": 0}]}";
                default -> null;
            };
            String answer = (body == null ? "HTTP/1.1 404 Not Found" : "HTTP/1.1 200 OK")
                    + "\r\nContent-Type: application/json\r\nContent-Length: " + (body == null ? 2 : body.length())
                    + "\r\n\r\n" + (body == null ? "{}" : body);
            channel.write(ByteBuffer.wrap(answer.getBytes(StandardCharsets.ISO_8859_1)));
        } catch (IOException e) {
            engine.connections.remove(channel);
            close(channel);
        }
    }
}
