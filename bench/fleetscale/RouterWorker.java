/* SPDX-License-Identifier: Apache-2.0 */
import com.sun.management.OperatingSystemMXBean;
import dev.sglangray.workers.actor.SGLangRouterWorker;
import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.registry.EngineRegistry;
import dev.sglangray.workers.registry.RegistryView;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;

/**
 * The process of the router's worker: the real {@code SGLangRouterWorker}, which starts the real router, in a JVM with the options
 * that such a worker has. Its methods run on as many threads as Ray gives their concurrency groups.
 *
 * <p>Arguments: the router's actor, the engines' group, how many engines a process has, the ports of those processes.
 */
final class RouterWorker {
    private static final Map<String, Integer> GROUPS =
            Map.of("registry", 8, "control", 4, "change", 2, "generate", 16, "stop", 2, "default", 1);
    private static final Map<String, List<String>> METHODS = Map.of(
            "registry",
            List.of("reportEngine", "register", "registration", "retire", "commitWeights", "beginChange", "endChange", "fleetWeights"),
            "control",
            List.of("getRouterUrl", "registry", "servers", "unregisterServer", "giveUp", "isHealthy", "remark", "status", "events"),
            "change",
            List.of("restart", "replace"),
            "stop",
            List.of("shutdown"));

    private final Map<String, Executor> threads = new ConcurrentHashMap<>();
    private final Map<String, Method> methods = new LinkedHashMap<>();
    private volatile SGLangRouterWorker worker;

    private RouterWorker() {
        GROUPS.forEach((name, count) -> threads.put(name, Executors.newFixedThreadPool(count, task -> {
            Thread thread = new Thread(task, "ray-" + name);
            thread.setDaemon(true);
            return thread;
        })));
        for (Method method : SGLangRouterWorker.class.getMethods()) {
            methods.put(method.getName(), method);
        }
    }

    public static void main(String[] words) throws IOException, ReflectiveOperationException {
        int perProcess = Integer.parseInt(words[2]);
        List<Bus.Client> engines = new ArrayList<>();
        for (int i = 3; i < words.length; i++) {
            engines.add(new Bus.Client(Integer.parseInt(words[i])));
        }
        FakeRay ray = FakeRay.install(words[0], (actor, method, arguments) -> {
            int rank = Integer.parseInt(actor.substring(actor.lastIndexOf(':') + 1));
            return engines.get(rank / perProcess).call(actor, method, arguments.toArray());
        });
        for (int rank = 0; rank < perProcess * engines.size(); rank++) {
            ray.known(words[1] + ":" + rank);
        }
        RouterWorker here = new RouterWorker();
        System.out.println(Bus.serve(here::call));
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            System.out.println(Bus.json(here.command(line, ray)));
        }
        System.exit(0);
    }

    private CompletableFuture<Object> call(String actor, String method, List<Object> arguments) {
        String group = METHODS.entrySet().stream()
                .filter(entry -> entry.getValue().contains(method))
                .map(Map.Entry::getKey)
                .findFirst()
                .orElse("default");
        return CompletableFuture.supplyAsync(
                () -> {
                    if (method.equals("<init>")) {
                        worker = new SGLangRouterWorker((String) arguments.get(0));
                        return true;
                    }
                    try {
                        return methods.get(method).invoke(worker, arguments.toArray());
                    } catch (InvocationTargetException e) {
                        throw new IllegalStateException(e.getCause().toString(), e);
                    } catch (IllegalAccessException e) {
                        throw new IllegalStateException(e);
                    }
                },
                threads.get(group));
    }

    private <T> T field(String name, Class<T> type) throws ReflectiveOperationException {
        Field field = SGLangRouterWorker.class.getDeclaredField(name);
        field.setAccessible(true);
        return type.cast(field.get(worker));
    }

    private Map<String, Object> command(String line, FakeRay ray) throws ReflectiveOperationException {
        Map<String, Object> answer = new LinkedHashMap<>();
        switch (line) {
            case "count" -> {
                EngineRegistry registry = field("registry", EngineRegistry.class);
                RegistryView view = field("loop", ThreadLoop.class)
                        .ask(() -> CompletableFuture.completedFuture(registry.view()))
                        .join();
                answer.put("members", view.members().size());
                answer.put("wanted", view.members().stream().filter(RegistryView.MemberView::wanted).count());
                answer.put("listed", view.members().stream().filter(RegistryView.MemberView::listed).count());
                answer.put("ids", view.members().stream().filter(one -> one.id() != null).count());
                answer.put("problem", view.problem());
            }
            case "restart" -> {
                answer.put("url", worker.restart("benchmark", 1800));
            }
            case "shutdown" -> answer.put("done", worker.shutdown());
            case "stats" -> answer.putAll(stats(ray));
            default -> throw new IllegalArgumentException(line);
        }
        return answer;
    }

    /** Memory after a collection, threads, CPU, and what was asked of Ray. */
    static Map<String, Object> stats(FakeRay ray) {
        Map<String, Object> answer = new LinkedHashMap<>();
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        answer.put("heap_mb", (runtime.totalMemory() - runtime.freeMemory()) / 1e6);
        answer.put("threads", ManagementFactory.getThreadMXBean().getThreadCount());
        answer.put("peak_threads", ManagementFactory.getThreadMXBean().getPeakThreadCount());
        ManagementFactory.getThreadMXBean().resetPeakThreadCount();
        OperatingSystemMXBean system =
                (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        answer.put("cpu_s", system.getProcessCpuTime() / 1e9);
        answer.put("waited", ray.waited.sum());
        answer.put("calls", ray.calls);
        return answer;
    }
}
