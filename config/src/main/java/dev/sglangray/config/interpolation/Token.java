/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.interpolation;

/**
 * A token.
 *
 * @param start its offset in the text, from 0
 */
record Token(TokenType type, String text, int start) {}
