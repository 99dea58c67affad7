/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.workers.actor.SGLangPartWorker;
import dev.sglangray.workers.actor.SGLangRouterWorker;
import dev.sglangray.workers.actor.SGLangServerWorker;
import io.ray.api.concurrencygroup.ConcurrencyGroup;
import io.ray.api.concurrencygroup.ConcurrencyGroupBuilder;

/**
 * Which methods of an actor run beside which. The starts stay in Ray's default group, one at a time; all else has threads
 * of its own, so that it is answered meanwhile. Built by hand, because Ray's annotations for it fail on JDK 12 and later.
 */
final class ConcurrencyGroups {
    private static final int CONTROL_THREADS = 4;
    /** A call into a process group waits for the trainer's side while other calls go on. */
    private static final int WEIGHTS_THREADS = 4;

    private static final int REGISTRY_THREADS = 8;
    /** What lets an engine serve again never waits for what keeps it from serving. */
    private static final int URGENT_THREADS = 4;

    private static final int CHANGE_THREADS = 2;
    /** A router whose process was replaced watches again while the call of its predecessor runs out. */
    private static final int WATCH_THREADS = 4;

    /** Requests hold a thread each: a program with many takes an HTTP client. */
    private static final int GENERATE_THREADS = 16;

    private static final int STOP_THREADS = 2;

    private ConcurrencyGroups() {}

    private static <A> ConcurrencyGroupBuilder<A> of(String name, int threads) {
        return new ConcurrencyGroupBuilder<A>().setName(name).setMaxConcurrency(threads);
    }

    static ConcurrencyGroup[] ofServer() {
        return new ConcurrencyGroup[] {
            ConcurrencyGroups.<SGLangServerWorker>of("control", CONTROL_THREADS)
                    .addMethod(SGLangServerWorker::getServerUrl)
                    .addMethod(SGLangServerWorker::endpoint)
                    .addMethod(SGLangServerWorker::isHealthy)
                    .addMethod(SGLangServerWorker::status)
                    .addMethod(SGLangServerWorker::logTail)
                    .addMethod(SGLangServerWorker::logPiece)
                    .addMethod(SGLangServerWorker::load)
                    .addMethod(SGLangServerWorker::abort)
                    .addMethod(SGLangServerWorker::events)
                    .addMethod(SGLangServerWorker::pauseProbes)
                    .addMethod(SGLangServerWorker::resize)
                    .addMethod(SGLangServerWorker::routerGroup)
                    .addMethod(SGLangServerWorker::fleetWeights)
                    .addMethod(SGLangServerWorker::reportAgain)
                    .build(),
            ConcurrencyGroups.<SGLangServerWorker>of("change", CHANGE_THREADS)
                    .addMethod(SGLangServerWorker::drain)
                    .addMethod(SGLangServerWorker::restart)
                    .build(),
            ConcurrencyGroups.<SGLangServerWorker>of("urgent", URGENT_THREADS)
                    .addMethod(SGLangServerWorker::undrain)
                    .addMethod(SGLangServerWorker::continueGeneration)
                    .addMethod(SGLangServerWorker::settleUpdate)
                    .build(),
            ConcurrencyGroups.<SGLangServerWorker>of("weights", WEIGHTS_THREADS)
                    .addMethod(SGLangServerWorker::releaseMemory)
                    .addMethod(SGLangServerWorker::resumeMemory)
                    .addMethod(SGLangServerWorker::pauseGeneration)
                    .addMethod(SGLangServerWorker::flushCache)
                    .addMethod(SGLangServerWorker::engineCall)
                    .addMethod(SGLangServerWorker::prepareUpdate)
                    .addMethod(SGLangServerWorker::applyUpdate)
                    .build(),
            ConcurrencyGroups.<SGLangServerWorker>of("watch", WATCH_THREADS)
                    .addMethod(SGLangServerWorker::watch)
                    .build(),
            ConcurrencyGroups.<SGLangServerWorker>of("stop", STOP_THREADS)
                    .addMethod(SGLangServerWorker::shutdown)
                    .build()
        };
    }

    /** A question is answered after a while, and one whose caller is gone goes on until then. */
    static ConcurrencyGroup[] ofPart() {
        return new ConcurrencyGroup[] {
            ConcurrencyGroups.<SGLangPartWorker>of("control", CONTROL_THREADS)
                    .addMethod(SGLangPartWorker::open)
                    .addMethod(SGLangPartWorker::start)
                    .addMethod(SGLangPartWorker::refusal)
                    .addMethod(SGLangPartWorker::logTail)
                    .addMethod(SGLangPartWorker::logPiece)
                    .build(),
            ConcurrencyGroups.<SGLangPartWorker>of("watch", WATCH_THREADS)
                    .addMethod(SGLangPartWorker::await)
                    .build(),
            ConcurrencyGroups.<SGLangPartWorker>of("stop", STOP_THREADS)
                    .addMethod(SGLangPartWorker::end)
                    .addMethod(SGLangPartWorker::shutdown)
                    .build()
        };
    }

    static ConcurrencyGroup[] ofRouter() {
        return new ConcurrencyGroup[] {
            ConcurrencyGroups.<SGLangRouterWorker>of("control", CONTROL_THREADS)
                    .addMethod(SGLangRouterWorker::getRouterUrl)
                    .addMethod(SGLangRouterWorker::registry)
                    .addMethod(SGLangRouterWorker::servers)
                    .addMethod(SGLangRouterWorker::unregisterServer)
                    .addMethod(SGLangRouterWorker::giveUp)
                    .addMethod(SGLangRouterWorker::isHealthy)
                    .addMethod(SGLangRouterWorker::remark)
                    .addMethod(SGLangRouterWorker::status)
                    .addMethod(SGLangRouterWorker::logTail)
                    .addMethod(SGLangRouterWorker::logPiece)
                    .addMethod(SGLangRouterWorker::events)
                    .build(),
            ConcurrencyGroups.<SGLangRouterWorker>of("change", CHANGE_THREADS)
                    .addMethod(SGLangRouterWorker::restart)
                    .addMethod(SGLangRouterWorker::replace)
                    .build(),
            // None of these waits for anything but the registry's event loop.
            ConcurrencyGroups.<SGLangRouterWorker>of("registry", REGISTRY_THREADS)
                    .addMethod(SGLangRouterWorker::reportEngine)
                    .addMethod(SGLangRouterWorker::register)
                    .addMethod(SGLangRouterWorker::registration)
                    .addMethod(SGLangRouterWorker::retire)
                    .addMethod(SGLangRouterWorker::commitWeights)
                    .addMethod(SGLangRouterWorker::beginChange)
                    .addMethod(SGLangRouterWorker::endChange)
                    .addMethod(SGLangRouterWorker::fleetWeights)
                    .build(),
            ConcurrencyGroups.<SGLangRouterWorker>of("generate", GENERATE_THREADS)
                    .addMethod(SGLangRouterWorker::generate)
                    .build(),
            ConcurrencyGroups.<SGLangRouterWorker>of("stop", STOP_THREADS)
                    .addMethod(SGLangRouterWorker::shutdown)
                    .build()
        };
    }
}
