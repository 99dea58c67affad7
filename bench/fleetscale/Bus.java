/* SPDX-License-Identifier: Apache-2.0 */
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** Calls between the processes of this benchmark, in place of Ray's: lines of JSON over one connection for each pair of processes. */
final class Bus {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Bus() {}

    /** What answers calls. */
    interface Service {
        CompletableFuture<Object> call(String actor, String method, List<Object> arguments);
    }

    record Call(long id, String actor, String method, List<Object> arguments) {}

    record Answer(long id, Object value, String failure) {}

    static String json(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Answers calls from now on; returns the port. */
    static int serve(Service service) throws IOException {
        ServerSocket server = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
        daemon("bus-accept", () -> {
            while (true) {
                Socket socket = server.accept();
                daemon("bus-serve", () -> answer(socket, service));
            }
        });
        return server.getLocalPort();
    }

    private static void answer(Socket socket, Service service) throws IOException {
        socket.setTcpNoDelay(true);
        Lines lines = new Lines(socket);
        for (String line = lines.read(); line != null; line = lines.read()) {
            Call call = JSON.readValue(line, Call.class);
            CompletableFuture<Object> answer;
            try {
                answer = service.call(call.actor(), call.method(), call.arguments());
            } catch (RuntimeException e) {
                answer = CompletableFuture.failedFuture(e);
            }
            answer.whenComplete((value, failure) ->
                    lines.write(json(new Answer(call.id(), value, failure == null ? null : failure.toString()))));
        }
    }

    /** One connection to a process that {@link #serve serves}. */
    static final class Client {
        private final Lines lines;
        private final AtomicLong ids = new AtomicLong();
        private final Map<Long, CompletableFuture<Object>> open = new ConcurrentHashMap<>();

        Client(int port) throws IOException {
            Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
            socket.setTcpNoDelay(true);
            lines = new Lines(socket);
            daemon("bus-client", () -> {
                for (String line = lines.read(); line != null; line = lines.read()) {
                    Answer answer = JSON.readValue(line, Answer.class);
                    CompletableFuture<Object> asked = open.remove(answer.id());
                    if (answer.failure() == null) {
                        asked.complete(answer.value());
                    } else {
                        asked.completeExceptionally(new IllegalStateException(answer.failure()));
                    }
                }
            });
        }

        CompletableFuture<Object> call(String actor, String method, Object... arguments) {
            CompletableFuture<Object> answer = new CompletableFuture<>();
            long id = ids.incrementAndGet();
            open.put(id, answer);
            List<Object> list = new ArrayList<>();
            for (Object argument : arguments) {
                list.add(argument);
            }
            lines.write(json(new Call(id, actor, method, list)));
            return answer;
        }
    }

    private static final class Lines {
        private final BufferedReader in;
        private final BufferedWriter out;

        Lines(Socket socket) throws IOException {
            in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8), 1 << 16);
            out = new BufferedWriter(new OutputStreamWriter(socket.getOutputStream(), StandardCharsets.UTF_8), 1 << 16);
        }

        String read() throws IOException {
            return in.readLine();
        }

        synchronized void write(String line) {
            try {
                out.write(line);
                out.write('\n');
                out.flush();
            } catch (IOException e) {
                // The other process has ended.
            }
        }
    }

    interface Task {
        void run() throws IOException;
    }

    static void daemon(String name, Task task) {
        Thread thread = new Thread(
                () -> {
                    try {
                        task.run();
                    } catch (IOException e) {
                        // The other process has ended.
                    }
                },
                name);
        thread.setDaemon(true);
        thread.start();
    }
}
