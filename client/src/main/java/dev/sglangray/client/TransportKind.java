/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

/** What carries the asynchronous, batch and streaming calls. The waiting ones and the control calls always go over OkHttp. */
public enum TransportKind {
    /** Event loops, unless a proxy is set or Netty is not on the class path. */
    AUTO,
    /** A few event loops for all calls, on Netty: thousands of calls at once cost sockets, not threads. */
    EVENT_LOOP,
    /** A thread for each call under way, on OkHttp. */
    THREADS
}
