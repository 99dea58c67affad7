/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import java.time.Duration;
import java.util.function.BiConsumer;

/** Hands calls from many threads on one at a time, and what each phase took to another receiver as well. */
final class SerialListener implements LaunchListener {
    private final LaunchListener target;
    private final BiConsumer<LaunchPhase, Duration> times;

    SerialListener(LaunchListener target, BiConsumer<LaunchPhase, Duration> times) {
        this.target = target;
        this.times = times;
    }

    @Override
    public synchronized void started(LaunchPhase phase, String what) {
        target.started(phase, what);
    }

    @Override
    public synchronized void ended(LaunchPhase phase, Duration took) {
        target.ended(phase, took);
        times.accept(phase, took);
    }

    @Override
    public synchronized void note(LaunchPhase phase, String message) {
        target.note(phase, message);
    }

    @Override
    public synchronized void workerReady(String worker, String url, int ready, int of) {
        target.workerReady(worker, url, ready, of);
    }
}
