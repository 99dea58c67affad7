/* SPDX-License-Identifier: Apache-2.0 */
/** Tests of autoscaling: the reader, the decision, a simulation, and the listener. */
@NullMarked
package dev.sglangray.app.autoscaling;

import org.jspecify.annotations.NullMarked;
