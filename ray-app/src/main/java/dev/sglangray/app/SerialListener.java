/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import java.time.Duration;

/** Hands calls from many threads on one at a time, to two receivers. */
final class SerialListener implements LaunchListener {
    private final LaunchListener target;
    private final LaunchListener other;

    SerialListener(LaunchListener target, LaunchListener other) {
        this.target = target;
        this.other = other;
    }

    @Override
    public synchronized void started(LaunchPhase phase, String what) {
        target.started(phase, what);
        other.started(phase, what);
    }

    @Override
    public synchronized void ended(LaunchPhase phase, Duration took) {
        target.ended(phase, took);
        other.ended(phase, took);
    }

    @Override
    public synchronized void note(LaunchPhase phase, String message) {
        target.note(phase, message);
        other.note(phase, message);
    }

    @Override
    public synchronized void workerReady(String worker, String url, int ready, int of) {
        target.workerReady(worker, url, ready, of);
        other.workerReady(worker, url, ready, of);
    }
}
