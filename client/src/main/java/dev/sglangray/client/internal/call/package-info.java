/* SPDX-License-Identifier: Apache-2.0 */
/**
 * One call from its request to its result: attempts, retries and their budget, the choice of a server, and the abort of what was
 * cancelled. It waits for nothing itself.
 */
@NullMarked
package dev.sglangray.client.internal.call;

import org.jspecify.annotations.NullMarked;
