/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A plan for people and programs: tables, drawings, explanations and JSON. It reads plans and changes none.
 */
@NullMarked
package dev.sglangray.placement.show;

import org.jspecify.annotations.NullMarked;
