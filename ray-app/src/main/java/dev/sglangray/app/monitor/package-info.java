/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The owner's view of its fleet: it looks at the fleet regularly and hands each look to those that show it or decide by it. Here is also
 * the HTTP server for what they show. Nothing here changes the fleet.
 */
@NullMarked
package dev.sglangray.app.monitor;

import org.jspecify.annotations.NullMarked;
