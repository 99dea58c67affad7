/* SPDX-License-Identifier: Apache-2.0 */
/** Tests of the packaged program on real Ray clusters. */
@NullMarked
package dev.sglangray.app.it;

import org.jspecify.annotations.NullMarked;
