/* SPDX-License-Identifier: Apache-2.0 */
import com.sun.management.OperatingSystemMXBean;
import dev.sglangray.app.Fleet;
import dev.sglangray.app.FleetSpec;
import dev.sglangray.app.LaunchContext;
import dev.sglangray.app.LaunchListener;
import dev.sglangray.app.LaunchOptions;
import dev.sglangray.app.LaunchPhase;
import dev.sglangray.app.SGLangLauncher;
import dev.sglangray.app.cli.show.Console;
import dev.sglangray.app.cli.show.FleetReport;
import dev.sglangray.app.dashboard.Dashboard;
import dev.sglangray.app.dashboard.DashboardSettings;
import dev.sglangray.app.metrics.FleetMetrics;
import dev.sglangray.app.metrics.MetricsSettings;
import dev.sglangray.app.monitor.FleetFeed;
import dev.sglangray.app.monitor.FleetMonitor;
import dev.sglangray.app.monitor.ListenAddress;
import dev.sglangray.config.Config;
import dev.sglangray.placement.cluster.AcceleratorType;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.cluster.NodeSnapshot;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.RouterPlan;
import dev.sglangray.workers.UpdateReport;
import dev.sglangray.workers.protocol.WeightUpdate;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The owner of the fleet: the real planner, launcher, groups, monitor, metrics, page and update, over a {@link FakeRay}.
 *
 * <p>Arguments: engines, the router's type, its Python, the port of its worker, how many engines a process has, the ports of those.
 */
final class Driver {
    private static final int PER_NODE = 8;

    private final FakeRay ray;
    private final int engines;
    private final FleetSpec spec;
    private final Cluster cluster;
    private final LaunchOptions options;
    private Fleet fleet;
    private FleetMonitor monitor;
    private FleetMetrics metrics;
    private Dashboard page;

    private Driver(FakeRay ray, int engines, String type, String python) {
        this.ray = ray;
        this.engines = engines;
        int nodes = (engines + PER_NODE - 1) / PER_NODE;
        spec = FleetSpec.of(Config.parse("""
                cluster:
                  num_nodes: %d
                  component_placement: {rollout: 0-%d}
                router_server_args:
                  model_path: /model
                  tensor_parallel_size: 1
                  pipeline_parallel_size: 1
                  server: {model_path: "${..model_path}", enable_metrics: true}
                  router: {log_level: error%s}
                  supervision: {on_node_loss: wait}
                """.formatted(nodes, engines - 1, System.getProperty("router", "") + (type.equals("smg") ? ", router_type: smg" : ""))));
        List<NodeSnapshot> all = IntStream.range(0, nodes)
                .mapToObj(i -> NodeSnapshot.of(
                        "id" + i,
                        i == 0 ? "127.0.0.1" : "10." + (1 + i / 62500) + "." + i / 250 % 250 + "." + (1 + i % 250),
                        PER_NODE,
                        AcceleratorType.NV_GPU,
                        "H100",
                        i))
                .toList();
        cluster = spec.cluster(new ClusterSnapshot(all, "id0"));
        options = LaunchOptions.builder().pythonInterpreter(python).pythonGateway(false).build();
    }

    public static void main(String[] words) throws Exception {
        Bus.Client router = new Bus.Client(Integer.parseInt(words[3]));
        int perProcess = Integer.parseInt(words[4]);
        List<Bus.Client> engines = new ArrayList<>();
        for (int i = 5; i < words.length; i++) {
            engines.add(new Bus.Client(Integer.parseInt(words[i])));
        }
        FakeRay ray = FakeRay.install("driver", (actor, method, arguments) -> {
            if (actor.contains("Router")) {
                return router.call("router", method, arguments.toArray());
            }
            int rank = Integer.parseInt(actor.substring(actor.lastIndexOf(':') + 1));
            return engines.get(rank / perProcess).call(actor, method, arguments.toArray());
        });
        Driver driver = new Driver(ray, Integer.parseInt(words[0]), words[1], words[2]);
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        System.out.println("ready");
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            Map<String, Object> answer;
            try {
                answer = driver.command(line);
            } catch (Exception failure) {
                // What came of the other parts is worth as much.
                answer = Map.of("failed", String.valueOf(failure).lines().findFirst().orElse(""));
            }
            System.out.println(Bus.json(answer));
        }
        System.exit(0);
    }

    private interface Task<T> {
        T run() throws Exception;
    }

    private static double cpu() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime() / 1e9;
    }

    private static <T> T timed(String name, Map<String, Object> answer, Task<T> task) throws Exception {
        double before = cpu();
        long begin = System.nanoTime();
        T value = task.run();
        answer.put(name + "_s", (System.nanoTime() - begin) / 1e9);
        answer.put(name + "_cpu_s", cpu() - before);
        return value;
    }

    private Map<String, Object> command(String line) throws Exception {
        Map<String, Object> answer = new LinkedHashMap<>();
        switch (line) {
            case "plan" -> {
                FleetPlan plan = timed("plan", answer, () -> SGLangLauncher.plan(spec, cluster, options));
                if (plan.engines().size() != engines) {
                    throw new IllegalStateException("planned " + plan.engines().size());
                }
            }
            case "launch" -> {
                Map<String, Double> phases = new LinkedHashMap<>();
                LaunchListener listener = new LaunchListener() {
                    @Override
                    public void ended(LaunchPhase phase, Duration took) {
                        phases.merge(phase.label(), took.toNanos() / 1e9, Double::sum);
                    }
                };
                fleet = timed("launch", answer, () -> SGLangLauncher.launch(spec, cluster, options, LaunchContext.of(listener)));
                answer.put("phases", phases);
            }
            case "status" -> status(answer);
            case "monitor" -> look(answer);
            case "update" -> {
                UpdateReport report = timed("update", answer, () -> fleet.control()
                        .updateWeights(WeightUpdate.fromDisk("step-" + System.nanoTime(), "/model")));
                answer.put("report", report.toString().length() > 300 ? report.toString().substring(0, 300) : report.toString());
            }
            case "close" -> timed("close", answer, () -> {
                fleet.close();
                return true;
            });
            case "stats" -> answer.putAll(RouterWorker.stats(ray));
            default -> throw new IllegalArgumentException(line);
        }
        return answer;
    }

    private void status(Map<String, Object> answer) throws Exception {
        FleetReport report = timed("status", answer, () -> FleetReport.of("bench", fleet));
        answer.put("verdict", report.verdict().name());
        report.condition().faults().stream().limit(2).forEach(fault -> answer.put("fault", fault));
        for (boolean json : new boolean[] {false, true}) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            String name = json ? "json" : "text";
            timed(name, answer, () -> {
                PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
                report.print(new Console(out, out, false, false), json, Map.of());
                return true;
            });
            answer.put(name + "_bytes", bytes.size());
        }
    }

    private void look(Map<String, Object> answer) throws Exception {
        if (monitor == null) {
            monitor = new FleetMonitor(
                    new FleetFeed(new FleetFeed.Fleet(
                            () -> fleet.serverGroup().orElse(null),
                            fleet.plan().router().map(RouterPlan::actorName).orElse(null),
                            () -> fleet.routerGroup().orElse(null),
                            () -> fleet.plan().engines(),
                            () -> Map.of("", engines))),
                    InstantSource.system());
            metrics = FleetMetrics.open(
                    MetricsSettings.DEFAULT,
                    new FleetMetrics.Facts(
                            "bench", "127.0.0.1", fleet.plan().router().orElse(null), pool -> fleet.supervision(), fleet.supervision()),
                    InstantSource.system());
            page = Dashboard.open(
                    new DashboardSettings(ListenAddress.DEFAULT),
                    new Dashboard.Facts("bench", "bench", "127.0.0.1", null, metrics.url(), List.of()),
                    InstantSource.system(),
                    () -> {});
            monitor.add(metrics);
            monitor.add(page);
        }
        timed("look", answer, () -> {
            monitor.look();
            return true;
        });
        answer.put("metrics_bytes", timed("metrics", answer, () -> get(metrics.url() + "/metrics")).length());
        answer.put("page_bytes", get(page.url()).length());
        try (InputStream stream = URI.create(page.url() + "/stream").toURL().openStream()) {
            BufferedReader lines = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8));
            String data = timed("stream", answer, () -> {
                String line = lines.readLine();
                while (!line.startsWith("data:")) {
                    line = lines.readLine();
                }
                return line;
            });
            long bytes = data.length();
            // What has come after a moment is the whole fleet; later events are changes.
            for (long end = System.nanoTime() + 500_000_000L; System.nanoTime() < end; ) {
                while (lines.ready()) {
                    bytes += lines.readLine().length() + 1;
                }
                Thread.sleep(20);
            }
            answer.put("stream_bytes", bytes);
        }
    }

    private static String get(String url) throws Exception {
        try (InputStream in = URI.create(url).toURL().openStream()) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
