/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

/** The fleet was up and is gone, though this command was not asked to end it; exit code 4. */
public final class FleetLostException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public FleetLostException(String message) {
        super(message);
    }
}
