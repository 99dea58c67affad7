/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import java.time.Duration;

/** Hands calls from many threads on one at a time. */
final class SerialListener implements LaunchListener {
    private final LaunchListener target;

    SerialListener(LaunchListener target) {
        this.target = target;
    }

    @Override
    public synchronized void started(LaunchPhase phase, String what) {
        target.started(phase, what);
    }

    @Override
    public synchronized void ended(LaunchPhase phase, Duration took) {
        target.ended(phase, took);
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
