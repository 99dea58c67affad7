/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

/** No fork of a fork server could become the child; the text says why. The child can still be started as a program. */
final class NotForkedException extends Exception {
    NotForkedException(String message) {
        super(message);
    }
}
