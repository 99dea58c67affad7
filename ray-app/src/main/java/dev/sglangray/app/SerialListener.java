/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import java.time.Duration;

/** Hands calls from many threads on to two listeners, one call at a time. */
final class SerialListener implements LaunchListener {
    private final LaunchListener first;
    private final LaunchListener second;

    SerialListener(LaunchListener first, LaunchListener second) {
        this.first = first;
        this.second = second;
    }

    @Override
    public synchronized void started(LaunchPhase phase, String what) {
        first.started(phase, what);
        second.started(phase, what);
    }

    @Override
    public synchronized void ended(LaunchPhase phase, Duration took) {
        first.ended(phase, took);
        second.ended(phase, took);
    }

    @Override
    public synchronized void note(LaunchPhase phase, String message) {
        first.note(phase, message);
        second.note(phase, message);
    }

    @Override
    public synchronized void workerReady(String worker, String url, int ready, int of) {
        first.workerReady(worker, url, ready, of);
        second.workerReady(worker, url, ready, of);
    }
}
