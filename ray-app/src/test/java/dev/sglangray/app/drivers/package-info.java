/* SPDX-License-Identifier: Apache-2.0 */
/** Driver programs that integration tests run inside a test cluster, as users' programs would run. */
@NullMarked
package dev.sglangray.app.drivers;

import org.jspecify.annotations.NullMarked;
