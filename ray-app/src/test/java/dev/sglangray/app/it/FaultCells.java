/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.cluster.ProcessRow;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The cells of the fault matrix that a fleet outlives. */
final class FaultCells {

    /** Engines that behave as the real ones in what the cells need. */
    static final String BEHAVIOUR = "{\"die_with_child\": true, \"generate_in_child\": true}";

    /** Engines of two ranks, whose first process waits for a minute after the death of one, as SGLang's. */
    static final String RANKS = "{\"ranks\": 2, \"rank_death_seconds\": 60, \"generate_in_child\": true}";

    /** Quick probes, and as many restarts as there are cells. */
    static final String SUPERVISION = "+router_server_args.supervision={probe_interval_s:1,probe_timeout_s:2,"
            + "max_restarts:1000,backoff_initial_s:0,backoff_max_s:0}";

    private FaultCells() {}

    /** Each kind of process that there is and each kind of fault that is found in another way, once. */
    static List<FaultCell> gate() {
        return List.of(
                FaultCell.engine("engine", "kill -9", FaultCells::killEngine),
                FaultCell.engine("engine", "SIGSTOP", scene -> scene.signal(scene.engine(), "STOP")),
                FaultCell.engine("engine's child", "kill -9", scene -> scene.signal(scene.engineChild(), "KILL")),
                generatesNothing(),
                // Until the death is known the router may try the dead engine as often as it tries at all.
                FaultCell.engine("server worker", "kill -9", scene -> scene.signal(scene.engineWorker(), "KILL"))
                        .mayLose(5),
                FaultCell.router("router", "kill -9", scene -> scene.signal(scene.router(), "KILL")),
                routerWorkerKilled());
    }

    static FaultCell routerWorkerKilled() {
        return FaultCell.router("router worker", "kill -9", scene -> scene.signal(scene.routerWorker(), "KILL"));
    }

    /** The rest of the matrix on two nodes that stay. */
    static List<FaultCell> rest() {
        return List.of(
                FaultCell.engine("engine", "clean exit", scene -> scene.signal(scene.engine(), "USR1")),
                FaultCell.engine("engine's child", "SIGSTOP", scene -> scene.signal(scene.engineChild(), "STOP")),
                FaultCell.engine("engine's child", "clean exit", scene -> scene.signal(scene.engineChild(), "USR1")),
                FaultCell.engine("server worker", "clean exit", scene -> scene.signal(scene.engineWorker(), "TERM"))
                        .mayLose(5),
                FaultCell.unseen("server worker", "SIGSTOP", scene -> scene.signal(scene.engineWorker(), "STOP"))
                        .thenRelief(scene -> scene.signal(scene.engineWorker(), "CONT")),
                FaultCell.router("router", "SIGSTOP", scene -> scene.signal(scene.router(), "STOP")),
                FaultCell.router("router", "clean exit", scene -> scene.signal(scene.router(), "TERM")),
                FaultCell.router("router worker", "clean exit", scene -> scene.signal(scene.routerWorker(), "TERM")),
                FaultCell.unseen("router worker", "SIGSTOP", scene -> scene.signal(scene.routerWorker(), "STOP"))
                        .thenRelief(scene -> scene.signal(scene.routerWorker(), "CONT")),
                FaultCell.unseen("driver", "SIGSTOP", scene -> scene.up.signal("STOP"))
                        .thenRelief(scene -> scene.up.signal("CONT")),
                FaultCell.engine("engine", "kill -9, then 8 s to load", scene -> {
                    FaultScene.write(scene.model.resolve("slow-once"), "8");
                    scene.signal(scene.engine(), "KILL");
                }));
    }

    /** A node that goes and returns, and one that is cut off for a while. */
    static List<FaultCell> nodes() {
        return List.of(
                FaultCell.engine("raylet of a node", "kill -9", scene -> scene.signal(scene.engineRaylet(), "KILL"))
                        .thenRelief(FaultCells::returnNode),
                FaultCell.engine("raylet of a node", "clean exit", scene -> scene.signal(scene.engineRaylet(), "TERM"))
                        .thenRelief(FaultCells::returnNode),
                FaultCell.engine("raylet of a node", "SIGSTOP", scene -> scene.signal(scene.engineRaylet(), "STOP"))
                        .thenRelief(FaultCells::returnNode),
                FaultCell.unseen(
                                "network of a node",
                                "cut for 5 s",
                                scene -> scene.cluster.link(scene.engineNode(), false))
                        .thenRelief(scene -> scene.cluster.link(scene.engineNode(), true)),
                FaultCell.engine("network of a node", "cut", scene -> scene.cluster.link(scene.engineNode(), false))
                        .thenRelief(FaultCells::joinNode));
    }

    /** One process of several that an engine needs. */
    static FaultCell rank() {
        return FaultCell.engine(
                "a rank of an engine",
                "kill -9",
                scene -> scene.signal(scene.engineRank("sglang::scheduler_TP1"), "KILL"));
    }

    /** Faults of what real engines are forked from. Each cell begins with one fork server on each node that is ready. */
    static List<FaultCell> forks() {
        return Stream.of(
                        FaultCell.engine("forked engine", "kill -9", FaultCells::killEngine),
                        FaultCell.engine("forked engine", "kill -9, its fork server replaced", FaultCells::killEngine)
                                .first(FaultCells::replaceForkServer),
                        FaultCell.engine("forked engine", "kill -9, its fork server stopped", FaultCells::killEngine)
                                .first(scene -> scene.signal(scene.forkServer(), "STOP")),
                        FaultCell.engine("fork server", "kill -9 while it should fork", FaultCells::killEngine)
                                .first(scene -> scene.signal(scene.forkServer(), "STOP"))
                                .thenRelief(scene -> scene.signal(scene.forkServer(), "KILL")),
                        FaultCell.engine(
                                        "forked engine",
                                        "kill -9, its fork server killed while it started",
                                        FaultCells::killEngine)
                                .first(FaultCells::killForkServerWhenItHasForked),
                        FaultCell.engine(
                                "watcher of a fork server",
                                "kill -9",
                                scene -> scene.signal(scene.above(scene.forkServer()), "KILL")),
                        FaultCell.engine(
                                "relay of a fork server",
                                "kill -9",
                                scene -> scene.signal(scene.above(scene.above(scene.forkServer())), "KILL")),
                        FaultCell.engine(
                                "pristine process", "kill -9", scene -> scene.signal(scene.pristine(), "KILL")),
                        FaultCell.engine(
                                        "server worker of a forked engine",
                                        "kill -9",
                                        scene -> scene.signal(scene.engineWorker(), "KILL"))
                                .mayLose(5))
                .map(cell -> cell.first(FaultScene::awaitForkServers).within(FaultScene.LOADING))
                .toList();
    }

    private static void killEngine(FaultScene scene) {
        scene.signal(scene.engine(), "KILL");
    }

    private static void killForkServerWhenItHasForked(FaultScene scene) {
        ProcessRow old = scene.engine();
        scene.signal(old, "KILL");
        scene.await("the next engine's process", () -> scene.hasEngineOtherThan(old));
        ProcessRow starting = scene.engine();
        killForkServer(scene);
        scene.awaitForkServers();
        double now = SteadyLoad.now();
        scene.await("both engines", () -> scene.serves(now));
        assertThat(scene.engine().pid()).as("its start went on").isEqualTo(starting.pid());
    }

    private static void replaceForkServer(FaultScene scene) {
        ProcessRow engine = scene.engine();
        killForkServer(scene);
        scene.awaitForkServers();
        assertThat(scene.engine().pid()).as("it does not need its fork server").isEqualTo(engine.pid());
    }

    private static void killForkServer(FaultScene scene) {
        ProcessRow killed = scene.forkServer();
        scene.signal(killed, "KILL");
        scene.await(
                "its end",
                () -> scene.cluster.processes().stream()
                        .noneMatch(row -> row.pid() == killed.pid() && !row.isZombie()));
    }

    /** What a long run has: all but the faults that take a minute to be found, and what operators do. */
    static List<FaultCell> soak() {
        List<FaultCell> cells = new ArrayList<>(gate());
        cells.addAll(rest());
        cells.add(rank());
        cells.addAll(nodes().stream()
                .filter(cell -> !cell.fault().equals("SIGSTOP") && !cell.fault().equals("cut"))
                .toList());
        cells.add(FaultCell.unseen(
                "engines",
                "rolling restart",
                scene -> scene.cli.run("restart", "--rolling").orFail()));
        cells.add(FaultCell.unseen("router", "replaced, and put back", scene -> {
                    scene.cli.run("replace-router", "request_timeout_secs=900").orFail();
                    scene.cli.run("replace-router", "~request_timeout_secs").orFail();
                })
                .mayLose(Integer.MAX_VALUE));
        return cells;
    }

    /** Ray's part of a node that was away for so long that it counts as dead ends by itself. */
    private static void joinNode(FaultScene scene) {
        scene.cluster.link(scene.engineNode(), true);
        returnNode(scene);
    }

    private static void returnNode(FaultScene scene) {
        scene.cluster.startAgain(scene.engineNode());
    }

    private static FaultCell generatesNothing() {
        return FaultCell.engine("engine", "generates nothing", scene -> FaultScene.write(scene.engineFile("mute"), ""))
                .thenRelief(scene -> FaultScene.delete(scene.engineFile("mute")));
    }
}
