/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The arguments of SGLang's engines and of the router: their schemas by release, the checks against them, and the renames between
 * releases. It knows nothing of clusters, Ray or processes.
 */
@NullMarked
package dev.sglangray.config.argument;

import org.jspecify.annotations.NullMarked;
