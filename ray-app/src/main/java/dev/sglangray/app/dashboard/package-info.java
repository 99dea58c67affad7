/* SPDX-License-Identifier: Apache-2.0 */
/** The fleet's page for people, which its owner serves: one document, and a stream of what changes. It only shows. */
@NullMarked
package dev.sglangray.app.dashboard;

import org.jspecify.annotations.NullMarked;
