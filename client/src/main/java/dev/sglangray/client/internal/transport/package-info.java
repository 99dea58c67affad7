/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The transport, on Netty's event loops: pools, connections, proxies, TLS. Only it opens connections.
 */
@NullMarked
package dev.sglangray.client.internal.transport;

import org.jspecify.annotations.NullMarked;
