/* SPDX-License-Identifier: Apache-2.0 */
/** What keeps one process running and known: pure decisions over a clock, and the loop that carries them out. No Ray. */
@NullMarked
package dev.sglangray.workers.supervision;

import org.jspecify.annotations.NullMarked;
