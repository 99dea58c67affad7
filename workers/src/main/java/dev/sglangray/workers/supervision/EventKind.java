/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

/** What can happen to a supervised process. */
public enum EventKind {
    /** It serves for the first time. */
    STARTED,
    /** It ended without being asked. */
    EXITED,
    /** A probe failed. */
    PROBE_FAILED,
    /** So many probes failed that it is ended and started again. */
    UNRESPONSIVE,
    /** A start is due. */
    RESTARTING,
    /** A start failed. */
    START_FAILED,
    /** It serves again. */
    RECOVERED,
    /** The router does not send to it, or a router has no servers. */
    WITHDRAWN,
    /** The router sends to it, or a router has its servers again. */
    PUBLISHED,
    /** The router could not be reached; the worker retries. */
    TELLING_FAILED,
    /** The worker's own process was replaced by Ray. */
    WORKER_RESTARTED,
    /** Given up. */
    LOST,
    /** No new requests, or again. */
    DRAINED,
    /** Probes stopped, or go on. */
    PROBES_PAUSED,
    /** It is held back: memory lent, generation paused, weights being replaced; or no longer. */
    HELD,
    /** It has other weights, or could not get them. */
    WEIGHTS,
    /** A new process was asked for. */
    RESTART_WANTED,
    /** A router's arguments were changed, or could not be. */
    ARGUMENTS,
    /** It was ended on request. */
    STOPPED,
    /** The fleet's owner changed something: how many engines there are, or where. */
    FLEET,
    /** A server was added to or removed from the router, or is out of it for now. */
    SERVER
}
