/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Hydra's override grammar, such as {@code +a.b=1} and {@code ~a}: lexer, parser, and the application of overrides to a composed
 * configuration. It knows no files.
 */
@NullMarked
package dev.sglangray.config.hydra.override;

import org.jspecify.annotations.NullMarked;
