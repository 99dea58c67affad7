/* SPDX-License-Identifier: Apache-2.0 */
/**
 * One engine as its worker sees it: what it holds, what it may do, and what its worker says of it to the registry. It runs on one
 * event loop and reaches the world through ports; it knows nothing of Ray, HTTP or threads.
 */
@NullMarked
package dev.sglangray.workers.engine;

import org.jspecify.annotations.NullMarked;
