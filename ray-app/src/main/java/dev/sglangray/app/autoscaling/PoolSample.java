/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.autoscaling;

import dev.sglangray.app.monitor.FleetLook;
import dev.sglangray.app.monitor.FleetLook.Engine;
import dev.sglangray.app.monitor.FleetLook.Worker;
import dev.sglangray.workers.engine.EngineController;
import dev.sglangray.workers.engine.ReleasedMemory;
import dev.sglangray.workers.protocol.EngineLoad;
import dev.sglangray.workers.protocol.WorkerState;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.registry.RegistryView;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a decision on a pool is made of: one look at it. Immutable.
 *
 * @param wanted how many engines it is to have; 0 where that is not known
 * @param engines those that it has
 * @param holds what is in the way of a change, with words
 */
record PoolSample(int wanted, List<Load> engines, Map<Hold, String> holds) {
    /**
     * How much an engine has to do.
     *
     * @param rank its rank
     * @param ongoing requests that run or wait in it; null where it does not say
     */
    record Load(int rank, @Nullable Integer ongoing) {}

    PoolSample {
        engines = List.copyOf(engines);
        holds = Collections.unmodifiableMap(holds.isEmpty() ? new EnumMap<>(Hold.class) : new EnumMap<>(holds));
    }

    static PoolSample of(FleetLook look, String pool) {
        int wanted = look.wanted().getOrDefault(pool, 0);
        Map<Hold, String> holds = new EnumMap<>(Hold.class);
        List<Load> loads = new ArrayList<>();
        router(look, holds);
        for (Engine engine : look.engines()) {
            if (engine.plan().pool().equals(pool)) {
                loads.add(new Load(engine.plan().rank(), ongoing(engine.load())));
                engine(look, engine, holds);
            }
        }
        if (loads.size() < wanted) {
            holds.putIfAbsent(Hold.MISSING, wanted - loads.size() + " of its engines have no worker");
        }
        return new PoolSample(wanted, loads, holds);
    }

    private static void router(FleetLook look, Map<Hold, String> holds) {
        Worker router = look.router();
        RegistryView registry = look.registry();
        if (router == null || !router.isReady() || registry == null) {
            holds.put(Hold.ROUTER, "the router does not serve");
        } else if (registry.change() != null) {
            holds.put(Hold.CHANGE, registry.change());
        }
    }

    private static void engine(FleetLook look, Engine engine, Map<Hold, String> holds) {
        String name = "engine " + engine.plan().rank();
        WorkerStatus status = engine.worker().status();
        if (status == null) {
            holds.put(Hold.MISSING, "the worker of " + name + " does not answer");
            return;
        }
        if (status.state().equals(WorkerState.FAILED.name())) {
            holds.put(Hold.FAILED, name + " has failed for good, and a further one could fail as well");
        } else if (status.state().equals(WorkerState.DRAINED.name())) {
            // By a hand: to shrink could undo that. Autoscaling's own drains are within its own change.
            holds.put(Hold.NOT_SERVING, name + " is drained");
        } else if (!look.serves(engine)) {
            holds.put(Hold.NOT_SERVING, name + " does not serve at the moment");
        }
        if (status.service().conditions().stream()
                .anyMatch(text -> ReleasedMemory.isText(text) || EngineController.isPausedText(text))) {
            holds.put(Hold.PAUSED, name + " has released its memory, or its generation is paused");
        }
    }

    private static @Nullable Integer ongoing(@Nullable EngineLoad load) {
        return load == null || load.running() == null || load.queued() == null ? null : load.running() + load.queued();
    }

    /** The same, with one more hold or without it. */
    PoolSample held(Hold hold, boolean on) {
        Map<Hold, String> others = new EnumMap<>(Hold.class);
        others.putAll(holds);
        if (on) {
            others.put(hold, "autoscaling changes it");
        } else {
            others.remove(hold);
        }
        return new PoolSample(wanted, engines, others);
    }
}
