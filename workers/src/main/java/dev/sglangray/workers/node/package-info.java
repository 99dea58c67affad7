/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What a worker knows of its node and keeps there: addresses, visible accelerators, locks, the key to sealed secrets, and the file for a
 * successor of its process.
 */
@NullMarked
package dev.sglangray.workers.node;

import org.jspecify.annotations.NullMarked;
