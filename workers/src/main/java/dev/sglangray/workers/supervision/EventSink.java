/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

/** Takes down what happened. */
@FunctionalInterface
public interface EventSink {

    /** One event, now; must not block. */
    void add(EventKind kind, String text);
}
