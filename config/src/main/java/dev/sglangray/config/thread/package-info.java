/* SPDX-License-Identifier: Apache-2.0 */
/** Makes the threads of the whole project, but for the client's, which is used without the rest. */
@NullMarked
package dev.sglangray.config.thread;

import org.jspecify.annotations.NullMarked;
