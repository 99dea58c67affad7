/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import java.util.Locale;

/** The steps of a launch, in the order in which they end, and those of making a fleet smaller. */
public enum LaunchPhase {
    /** The configuration is read, resolved and checked. */
    COMPOSE,
    /** The cluster is joined, or a local head started. */
    CONNECT,
    /** Engines and router get their nodes and accelerators. */
    PLAN,
    /** Ray sets the bundles aside. */
    RESERVE,
    /** Actors, engines and the router start, all at once. */
    START,
    /** Engines are registered with the router. */
    REGISTER,
    /** Engines that go get no new requests, and end those that they have. */
    DRAIN,
    /** Engines that go are ended. */
    STOP;

    /** The name for people and programs: lower case. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
