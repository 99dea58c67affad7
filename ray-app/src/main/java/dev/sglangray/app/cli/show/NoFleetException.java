/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

/** There is no fleet of the names given, or it does not have what was asked for. */
public final class NoFleetException extends RuntimeException {
    public NoFleetException(String message) {
        super(message);
    }
}
