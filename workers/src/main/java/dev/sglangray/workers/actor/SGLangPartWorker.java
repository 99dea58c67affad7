/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.actor;

import dev.sglangray.bridge.LogTail;
import dev.sglangray.workers.gang.PartFacts;
import dev.sglangray.workers.gang.PartProcess;
import dev.sglangray.workers.gang.PartState;
import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.node.RayNode;
import dev.sglangray.workers.process.EngineForks;
import dev.sglangray.workers.process.HttpServerProcess;
import dev.sglangray.workers.process.Incarnation;
import dev.sglangray.workers.process.ProcessFactory;
import dev.sglangray.workers.process.ServerSpec;
import dev.sglangray.workers.protocol.ProtocolJson;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.supervision.MonotonicClock;
import java.time.Duration;
import okhttp3.OkHttpClient;

/**
 * The Ray actor of a further part of an engine that spans nodes. It knows nothing until part 0's actor, a {@link SGLangServerWorker},
 * calls it, and decides nothing: {@link PartProcess} says what it does. So a new process of this actor needs nothing of its
 * predecessor.
 *
 * <p>All methods throw {@link WorkerFailure} with a text for people.
 */
public class SGLangPartWorker {
    private static final Duration GRACE = Duration.ofSeconds(10);

    private final ProcessFactory kit = ProcessFactory.of(RayNode.current());
    private final EngineForks forks = new EngineForks();
    private final PartProcess part;

    /**
     * Called by Ray.
     *
     * @param name the actor's name
     */
    public SGLangPartWorker(String name) {
        OkHttpClient http = WorkerHttp.create();
        part = new PartProcess(
                kit,
                (spec, incarnation) -> HttpServerProcess.engine(spec, kit, http, incarnation, forks),
                forks,
                new ThreadLoop(name, new MonotonicClock()),
                PartProcess.LEASE);
    }

    /** Begins the imports of the engine of a {@link ServerSpec}; {@link PartFacts}, both as JSON. */
    public String open(String specJson) {
        forks.open(HttpServerProcess.forkServer(ProtocolJson.read(specJson, ServerSpec.class), kit));
        return ProtocolJson.write(PartFacts.here());
    }

    /** See {@link PartProcess#hold}. */
    public boolean hold(String key, String specJson, int patienceSeconds) {
        return part.hold(key, ProtocolJson.read(specJson, ServerSpec.class), Duration.ofSeconds(patienceSeconds));
    }

    /** See {@link PartProcess#start}; an {@link Incarnation} as JSON. */
    public boolean start(String key, String specJson, String incarnationJson) {
        return part.start(
                key,
                ProtocolJson.read(specJson, ServerSpec.class),
                ProtocolJson.read(incarnationJson, Incarnation.class));
    }

    /** Why weights in a folder cannot be loaded on this node, where the engine's model has a path; empty when they can. */
    public String refusal(String modelPath, String path) {
        return new CheckpointCheck(
                        () -> modelPath.isEmpty() ? null : modelPath, kit.node().ip())
                .refuse(path)
                .orElse("");
    }

    /** See {@link PartProcess#await}; a {@link PartState} as JSON. */
    public String await(String key, String known) {
        return ProtocolJson.write(part.await(key, PartState.Phase.valueOf(known)));
    }

    /** See {@link PartProcess#end}. */
    public boolean end(String key, int graceSeconds, boolean absolve) {
        return part.end(key, Duration.ofSeconds(graceSeconds), absolve);
    }

    /** The last lines of the part's log. */
    public String logTail(int lines) {
        return part.logTail(lines);
    }

    /**
     * A {@link LogTail.Piece} of the part's log as JSON, without secrets.
     *
     * @param positionJson the {@link LogTail.Position} where an earlier piece ended; empty for the last lines
     * @param lines how many of the last lines
     */
    public String logPiece(String positionJson, int lines) {
        return ProtocolJson.write(part.logPiece(SGLangServerWorker.position(positionJson), lines));
    }

    /** Ends the part; true when all of it is gone. */
    public boolean shutdown() {
        part.shutdown(GRACE);
        forks.close();
        return true;
    }
}
