/* SPDX-License-Identifier: Apache-2.0 */
/** The documentation as the tests read it. */
@NullMarked
package dev.sglangray.app.docs;

import org.jspecify.annotations.NullMarked;
