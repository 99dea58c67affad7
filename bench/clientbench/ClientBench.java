/* SPDX-License-Identifier: Apache-2.0 */

import com.sun.management.OperatingSystemMXBean;
import dev.sglangray.client.GenerateRequest;
import dev.sglangray.client.InferenceHttpClient;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.Dispatcher;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;

/**
 * Keeps so many requests under way, warms up, measures, and prints one line of JSON.
 *
 * <p>{@code java -cp sglang-ray.jar ClientBench.java ours|okhttp|jdk BASE_URL IN_FLIGHT WARM_SECONDS SECONDS}
 */
public final class ClientBench {
    private static final String BODY = "{\"return_logprob\":false,\"text\":\"The capital of France is\","
            + "\"sampling_params\":{\"temperature\":0.0,\"max_new_tokens\":5}}";
    private static final com.fasterxml.jackson.databind.ObjectMapper JSON =
            new com.fasterxml.jackson.databind.ObjectMapper();
    private static final int MAX_SAMPLES = 4_000_000;

    private final Supplier<CompletableFuture<String>> send;
    private final int[] micros = new int[MAX_SAMPLES];
    private final AtomicInteger samples = new AtomicInteger();
    private final AtomicInteger errors = new AtomicInteger();
    private final AtomicBoolean measuring = new AtomicBoolean();
    private final AtomicBoolean stopping = new AtomicBoolean();
    private final CountDownLatch idle;

    private ClientBench(Supplier<CompletableFuture<String>> send, int inFlight) {
        this.send = send;
        this.idle = new CountDownLatch(inFlight);
    }

    public static void main(String[] args) throws Exception {
        String url = args[1];
        int inFlight = Integer.parseInt(args[2]);
        Supplier<CompletableFuture<String>> send =
                switch (args[0]) {
                    case "ours" -> ours(url);
                    case "okhttp" -> okhttp(url, inFlight);
                    case "jdk" -> jdk(url);
                    default -> throw new IllegalArgumentException(args[0]);
                };
        new ClientBench(send, inFlight).run(inFlight, Double.parseDouble(args[3]), Double.parseDouble(args[4]));
        System.exit(0);
    }

    private void run(int inFlight, double warm, double seconds) throws Exception {
        var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        for (int i = 0; i < inFlight; i++) {
            next();
        }
        Thread.sleep((long) (warm * 1000));
        measuring.set(true);
        long cpu = system.getProcessCpuTime();
        long started = System.nanoTime();
        int threads = 0;
        while (System.nanoTime() - started < seconds * 1e9) {
            Thread.sleep(100);
            threads = Math.max(threads, ManagementFactory.getThreadMXBean().getThreadCount());
        }
        measuring.set(false);
        double took = (System.nanoTime() - started) / 1e9;
        double cpuSeconds = (system.getProcessCpuTime() - cpu) / 1e9;
        stopping.set(true);
        idle.await();
        int count = Math.min(samples.get(), MAX_SAMPLES);
        int[] sorted = Arrays.copyOf(micros, count);
        Arrays.sort(sorted);
        System.out.printf(
                Locale.ROOT,
                "{\"rps\": %.1f, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"p999_ms\": %.2f, \"cpu_s_per_10k\": %.3f,"
                        + " \"peak_mb\": %d, \"threads\": %d, \"errors\": %d}%n",
                count / took,
                percentile(sorted, 0.5),
                percentile(sorted, 0.99),
                percentile(sorted, 0.999),
                count == 0 ? 0 : cpuSeconds * 10_000 / count,
                peakMegabytes(),
                threads,
                errors.get());
    }

    private void next() {
        if (stopping.get()) {
            idle.countDown();
            return;
        }
        long started = System.nanoTime();
        var unused = send.get().whenComplete((text, failure) -> {
            if (failure != null || text.isEmpty()) {
                errors.incrementAndGet();
            } else if (measuring.get()) {
                int sample = samples.getAndIncrement();
                if (sample < MAX_SAMPLES) {
                    micros[sample] = (int) ((System.nanoTime() - started) / 1000);
                }
            }
            next();
        });
    }

    private static Supplier<CompletableFuture<String>> ours(String url) {
        InferenceHttpClient client = InferenceHttpClient.of(url);
        return () -> client.generateAsync(GenerateRequest.builder()
                        .text("The capital of France is")
                        .samplingParam("temperature", 0.0)
                        .samplingParam("max_new_tokens", 5)
                        .build())
                .thenApply(answer -> answer.text());
    }

    private static Supplier<CompletableFuture<String>> okhttp(String url, int inFlight) {
        Dispatcher dispatcher = new Dispatcher();
        dispatcher.setMaxRequests(inFlight);
        dispatcher.setMaxRequestsPerHost(inFlight);
        OkHttpClient client = new OkHttpClient.Builder()
                .dispatcher(dispatcher)
                .connectionPool(new okhttp3.ConnectionPool(inFlight, 1, java.util.concurrent.TimeUnit.MINUTES))
                .protocols(List.of(Protocol.HTTP_1_1))
                .readTimeout(Duration.ZERO)
                .build();
        MediaType type = MediaType.get("application/json");
        return () -> {
            CompletableFuture<String> future = new CompletableFuture<>();
            Request request = new Request.Builder()
                    .url(url + "/generate")
                    .post(RequestBody.create(BODY, type))
                    .build();
            client.newCall(request).enqueue(new Callback() {
                @Override
                public void onFailure(Call call, IOException e) {
                    future.completeExceptionally(e);
                }

                @Override
                public void onResponse(Call call, Response response) throws IOException {
                    try (response) {
                        future.complete(text(response.body().bytes()));
                    }
                }
            });
            return future;
        };
    }

    private static Supplier<CompletableFuture<String>> jdk(String url) {
        HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/generate"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(BODY))
                .build();
        return () -> client.sendAsync(request, HttpResponse.BodyHandlers.ofByteArray())
                .thenApply(response -> text(response.body()));
    }

    private static String text(byte[] body) {
        try {
            return JSON.readTree(body).path("text").asText();
        } catch (IOException e) {
            return "";
        }
    }

    private static double percentile(int[] sorted, double share) {
        return sorted.length == 0 ? 0 : sorted[(int) Math.min(sorted.length - 1, sorted.length * share)] / 1000.0;
    }

    private static long peakMegabytes() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) / 1024;
            }
        }
        return 0;
    }
}
