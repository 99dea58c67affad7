/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import java.time.Duration;

/** One step of a launch, which a listener receives; ended by closing it, when it failed too. */
final class Step implements AutoCloseable {
    private final LaunchListener listener;
    private final LaunchPhase phase;
    private final long begin = System.nanoTime();

    private Step(LaunchListener listener, LaunchPhase phase) {
        this.listener = listener;
        this.phase = phase;
    }

    static Step begin(LaunchListener listener, LaunchPhase phase, String what) {
        listener.started(phase, what);
        return new Step(listener, phase);
    }

    void note(String message) {
        listener.note(phase, message);
    }

    @Override
    public void close() {
        listener.ended(phase, Duration.ofNanos(System.nanoTime() - begin));
    }
}
