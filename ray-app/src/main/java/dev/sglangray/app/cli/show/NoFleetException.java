/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

/** There is no fleet of the names given. */
final class NoFleetException extends RuntimeException {
    NoFleetException(String message) {
        super(message);
    }
}
