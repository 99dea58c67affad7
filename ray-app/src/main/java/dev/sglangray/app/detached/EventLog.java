/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.detached;

import dev.sglangray.app.LaunchListener;
import dev.sglangray.app.LaunchPhase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Keeps the events of one launch for a driver that asks for them. Safe for use by several threads. */
final class EventLog implements LaunchListener {
    private final List<LaunchEvent> events = new ArrayList<>();

    @Override
    public void started(LaunchPhase phase, String what) {
        add(new LaunchEvent(LaunchEvent.Kind.STARTED, phase.name(), what, "", 0, 0));
    }

    @Override
    public void ended(LaunchPhase phase, Duration took) {
        add(new LaunchEvent(LaunchEvent.Kind.ENDED, phase.name(), "", "", took.toMillis(), 0));
    }

    @Override
    public void note(LaunchPhase phase, String message) {
        add(new LaunchEvent(LaunchEvent.Kind.NOTE, phase.name(), message, "", 0, 0));
    }

    @Override
    public void workerReady(String worker, String url, int ready, int of) {
        add(new LaunchEvent(LaunchEvent.Kind.READY, "", worker, url, ready, of));
    }

    synchronized List<LaunchEvent> from(int index) {
        return List.copyOf(events.subList(Math.min(index, events.size()), events.size()));
    }

    private synchronized void add(LaunchEvent event) {
        events.add(event);
    }
}
