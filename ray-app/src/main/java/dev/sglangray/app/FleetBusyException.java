/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

/** A change of a fleet was refused, because another one is under way or came first. */
final class FleetBusyException extends LaunchException {
    private static final long serialVersionUID = 1L;

    FleetBusyException(String message) {
        super(message);
    }
}
