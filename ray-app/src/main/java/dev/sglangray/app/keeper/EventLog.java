/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.keeper;

import dev.sglangray.app.LaunchListener;
import dev.sglangray.app.LaunchPhase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Keeps the events of one launch for a driver that asks for them. Safe for use by several threads. */
final class EventLog implements LaunchListener {
    private final List<KeeperEvent> events = new ArrayList<>();

    @Override
    public void started(LaunchPhase phase, String what) {
        add(new KeeperEvent(KeeperEvent.Kind.STARTED, phase.name(), what, "", 0, 0));
    }

    @Override
    public void ended(LaunchPhase phase, Duration took) {
        add(new KeeperEvent(KeeperEvent.Kind.ENDED, phase.name(), "", "", took.toMillis(), 0));
    }

    @Override
    public void note(LaunchPhase phase, String message) {
        add(new KeeperEvent(KeeperEvent.Kind.NOTE, phase.name(), message, "", 0, 0));
    }

    @Override
    public void workerReady(String worker, String url, int ready, int of) {
        add(new KeeperEvent(KeeperEvent.Kind.READY, "", worker, url, ready, of));
    }

    synchronized List<KeeperEvent> from(int index) {
        return List.copyOf(events.subList(Math.min(index, events.size()), events.size()));
    }

    private synchronized void add(KeeperEvent event) {
        events.add(event);
    }
}
