/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The two transports, on Netty's event loops and on OkHttp's threads: pools, connections, TLS. Only they open connections.
 */
@NullMarked
package dev.sglangray.client.internal.transport;

import org.jspecify.annotations.NullMarked;
