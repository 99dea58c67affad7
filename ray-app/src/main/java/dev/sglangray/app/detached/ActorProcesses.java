/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.detached;

import dev.sglangray.app.session.RayLedger.NamedActor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * The processes of actors on this machine. Some Rays end an actor by a call, which a process that is stopped does not take, and list it
 * no more though its process lives. For use by one thread.
 */
public final class ActorProcesses {
    private static final Duration LOOK = Duration.ofMillis(50);

    private final Map<ProcessHandle, String> processes = new LinkedHashMap<>();

    private ActorProcesses() {}

    /**
     * Those that live now.
     *
     * @param actors the actors as Ray lists them, with their processes
     * @param node the address by which Ray knows this machine
     */
    static ActorProcesses of(List<NamedActor> actors, String node) {
        return of(actors, node, ActorProcesses::isRays);
    }

    static ActorProcesses of(List<NamedActor> actors, String node, Predicate<ProcessHandle> isRays) {
        ActorProcesses found = new ActorProcesses();
        actors.stream()
                .filter(actor -> actor.pid() > 0 && actor.ip().equals(node))
                .forEach(actor -> ProcessHandle.of(actor.pid())
                        .filter(isRays)
                        .ifPresent(process -> found.processes.put(process, actor.name())));
        return found;
    }

    /** Ray's numbers may be those of another container, where others have them. */
    private static boolean isRays(ProcessHandle process) {
        try {
            String words = Files.readString(
                    Path.of("/proc", Long.toString(process.pid()), "cmdline"), StandardCharsets.ISO_8859_1);
            return words.startsWith("ray::") || words.contains("io.ray.runtime.runner.worker.DefaultWorker");
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Kills those that do not end by themselves.
     *
     * @param patience how long they may take
     * @return what was killed, in words
     */
    public List<String> killLeft(Duration patience) throws InterruptedException {
        await(patience);
        List<String> killed = new ArrayList<>();
        processes.forEach((process, actor) -> {
            if (process.isAlive() && process.destroyForcibly()) {
                killed.add(words(process, actor));
            }
        });
        await(patience);
        return killed;
    }

    /** Those that live, in words. */
    public List<String> left() {
        return processes.entrySet().stream()
                .filter(entry -> entry.getKey().isAlive())
                .map(entry -> words(entry.getKey(), entry.getValue()))
                .toList();
    }

    private static String words(ProcessHandle process, String actor) {
        return "process " + process.pid() + " of actor " + actor;
    }

    private void await(Duration patience) throws InterruptedException {
        long end = System.nanoTime() + patience.toNanos();
        CountDownLatch never = new CountDownLatch(1);
        while (processes.keySet().stream().anyMatch(ProcessHandle::isAlive) && System.nanoTime() - end < 0) {
            boolean unused = never.await(LOOK.toMillis(), TimeUnit.MILLISECONDS);
        }
    }
}
