/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * The fact "who needs to know, knows": brought to what is wanted, with a wait that doubles while it fails. A withdrawal
 * overtakes a publication that is under way. Not thread-safe.
 */
final class Telling {
    private static final Duration FIRST_WAIT = Duration.ofMillis(200);
    private static final Duration LONGEST_WAIT = Duration.ofSeconds(10);

    private enum Known {
        SERVING,
        NOT_SERVING,
        UNKNOWN
    }

    private final EventSink events;
    private Known known = Known.UNKNOWN;
    private boolean wanted;
    private int errand;
    private boolean underWay;
    private boolean errandPublishes;
    private Instant next = Instant.MIN;
    private Duration wait = FIRST_WAIT;

    Telling(EventSink events) {
        this.events = events;
    }

    /** Somebody else has told. */
    void assume(boolean serving) {
        known = serving ? Known.SERVING : Known.NOT_SERVING;
        wanted = serving;
    }

    /** Nobody knows what is known. */
    void forget() {
        known = Known.UNKNOWN;
        urgently();
        if (underWay && errandPublishes) {
            underWay = false;
        }
    }

    private void urgently() {
        wait = FIRST_WAIT;
        next = Instant.MIN;
    }

    List<Action> want(boolean serving, Instant now) {
        if (serving != wanted) {
            wanted = serving;
            urgently();
        }
        boolean asWanted = known == (wanted ? Known.SERVING : Known.NOT_SERVING);
        boolean overtakes = underWay && errandPublishes && !wanted;
        List<Action> actions = new ArrayList<>();
        if ((!underWay && !asWanted && !now.isBefore(next)) || overtakes) {
            underWay = true;
            errandPublishes = wanted;
            errand++;
            known = Known.UNKNOWN;
            actions.add(wanted ? new Action.Publish(errand) : new Action.Withdraw(errand));
        }
        return actions;
    }

    void told(int which) {
        if (which != errand || !underWay) {
            return;
        }
        underWay = false;
        urgently();
        known = errandPublishes ? Known.SERVING : Known.NOT_SERVING;
        if (errandPublishes) {
            events.add(EventKind.PUBLISHED, "requests are sent to it");
        } else {
            events.add(EventKind.WITHDRAWN, "no requests are sent to it");
        }
    }

    void failed(int which, String why, Instant now) {
        if (which != errand || !underWay) {
            return;
        }
        underWay = false;
        next = now.plus(wait);
        if (wait.equals(FIRST_WAIT)) {
            events.add(EventKind.TELLING_FAILED, why);
        }
        Duration doubled = wait.multipliedBy(2);
        wait = doubled.compareTo(LONGEST_WAIT) <= 0 ? doubled : LONGEST_WAIT;
    }

    /** When to look again; {@link Instant#MAX} when only news can change something. */
    Instant due() {
        boolean asWanted = known == (wanted ? Known.SERVING : Known.NOT_SERVING);
        return underWay || asWanted ? Instant.MAX : next;
    }

    /** Whether what is known is that it does not serve. */
    boolean isWithdrawn() {
        return known == Known.NOT_SERVING;
    }

    /** Whether what is known is that it serves. */
    boolean isPublished() {
        return known == Known.SERVING;
    }
}
